// The base of tests of traffic rules: a service whose rules the test puts into etcd.
#ifndef TURNOUT_TESTS_INTEGRATION_RULES_FIXTURE_H_
#define TURNOUT_TESTS_INTEGRATION_RULES_FIXTURE_H_

#include <grpcpp/client_context.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>

#include "proto/api.grpc.pb.h"
#include "tests/support/fixture.h"
#include "turnout/rules.h"

namespace turnout::testing {

struct RuledCall {
  std::map<std::string, std::string> metadata;
  std::chrono::milliseconds timeout{10000};
  bool wait_for_ready = false;
};

class RulesTestBase : public IntegrationTest {
 protected:
  ~RulesTestBase() override { SetCaller({}); }

  std::string RulesKey() const { return "/turnout/rules/" + Service(); }

  // Until clients in this process have heard of it.
  void PutRules(const std::string& document) {
    const std::int64_t revision = Admin().Put(RulesKey(), document);
    Follower follower(Etcd(), Service());
    follower.WaitFor(
        [revision](const Snapshot& snapshot) { return snapshot.rules_revision >= revision; });
  }

  // As docs/rules.md shows it.
  static std::string Example(const std::string& name) {
    const std::string path = std::string(TURNOUT_SOURCE_DIR) + "/docs/examples/rules/" + name;
    std::ifstream file(path);
    EXPECT_TRUE(file.good()) << path;
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // One rule for all calls.
  static std::string Default(const std::string& action) { return R"({"default":)" + action + "}"; }
  static std::string To(const std::string& version) {
    return Default(R"({"route":{"destinations":[{"version":")" + version + R"("}]}})");
  }

  static Answer CallWith(const std::shared_ptr<grpc::Channel>& channel,
                         const RuledCall& call = {}) {
    grpc::ClientContext context;
    for (const auto& [key, value] : call.metadata) context.AddMetadata(key, value);
    context.set_deadline(std::chrono::system_clock::now() + call.timeout);
    context.set_wait_for_ready(call.wait_for_ready);
    proto::Response response;
    Answer answer;
    answer.status = proto::Api::NewStub(channel)->ApiTest(&context, proto::Request(), &response);
    answer.output = response.output();
    answer.peer = context.peer();
    return answer;
  }

  static Tally CallManyWith(const std::shared_ptr<grpc::Channel>& channel, int count,
                            const RuledCall& call = {}) {
    Tally tally;
    for (int i = 0; i < count; ++i) tally.Add(CallWith(channel, call));
    return tally;
  }

  // "v1" of "v1 127.0.0.1:4000".
  static std::string VersionOf(const Answer& answer) {
    return answer.status.ok() ? answer.output.substr(0, answer.output.find(' ')) : "failed";
  }
};

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_INTEGRATION_RULES_FIXTURE_H_
