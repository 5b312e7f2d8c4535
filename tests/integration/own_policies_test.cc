// Policies of a user's own, examples/my_policy and examples/primary_replica, as programs against
// real servers.
#include <gmock/gmock.h>

#include "tests/support/fixture.h"

namespace turnout::testing {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kApiTestWrites[] = R"({"writes":["ApiTest"]})";
constexpr char kApiTestReads[] = R"({"writes":["Put"],"rest":"60s"})";

class OwnPoliciesTest : public IntegrationTest {
 protected:
  std::unique_ptr<Backend> StartAs(const std::string& id, const std::string& role,
                                   bool fails = false) const {
    BackendOptions options = Options("v1");
    options.registration.id = id;
    options.registration.metadata["role"] = role;
    if (fails) {
      options.before_answer = [](grpc::ServerContextBase&) {
        return grpc::Status(grpc::StatusCode::INTERNAL, "broken");
      };
    }
    return std::make_unique<Backend>(std::move(options));
  }

  // What the program says of its calls, a line for each.
  std::vector<std::string> Run(const std::string& parameters,
                               const std::vector<std::string>& more = {}) const {
    std::vector<std::string> command = {Program("primary_replica"),
                                        "etcd://" + Etcd() + "/" + Service(), parameters};
    command.insert(command.end(), more.begin(), more.end());
    Process program(command);
    std::vector<std::string> lines;
    while (const auto line = program.ReadLine()) lines.push_back(*line);
    return lines;
  }
};

TEST_F(OwnPoliciesTest, ChoosesByMethodAndByHeader) {
  const auto primary = StartAs("app-primary", "primary");
  const auto first = StartAs("app-1", "replica");
  const auto second = StartAs("app-2", "replica");
  EXPECT_THAT(Run(kApiTestWrites, {"10"}), AllOf(SizeIs(10), Each(primary->answer())));
  EXPECT_EQ(first->calls() + second->calls(), 0);

  EXPECT_THAT(Run(kApiTestReads, {"400"}), AllOf(SizeIs(400), Each(HasSubstr("v1 127.0.0.1"))));
  EXPECT_GT(first->calls(), 0);
  EXPECT_GT(second->calls(), 0);
  EXPECT_EQ(primary->calls(), 10);

  EXPECT_THAT(Run(kApiTestReads, {"1", "app-primary"}), ElementsAre(primary->answer()));
  EXPECT_THAT(Run(kApiTestReads, {"1", "app-9"}),
              ElementsAre("failed: x-debug: no instance app-9"));
}

TEST_F(OwnPoliciesTest, AReplicaThatFailsRests) {
  const auto good = StartAs("app-1", "replica");
  const auto broken = StartAs("app-2", "replica", /*fails=*/true);
  const std::vector<std::string> answers = Run(kApiTestReads, {"400"});
  EXPECT_THAT(answers, SizeIs(400));
  // Until the good one is connected there is no other.
  const auto connected = std::find(answers.begin(), answers.end(), good->answer());
  EXPECT_GE(answers.end() - connected, 20);
  EXPECT_LE(std::count(connected, answers.end(), "failed: broken"), 1);
}

TEST_F(OwnPoliciesTest, AWriteWaitsForAPrimary) {
  const auto replica = StartAs("app-1", "replica");
  Process program(
      {Program("primary_replica"), "etcd://" + Etcd() + "/" + Service(), kApiTestWrites});
  const auto primary = StartAs("app-primary", "primary");
  EXPECT_EQ(program.ReadLine(), primary->answer());
  EXPECT_EQ(replica->calls(), 0);
}

TEST_F(OwnPoliciesTest, TheShortOneChoosesByMethodAndByHeader) {
  BackendOptions options = Options("v1");
  options.registration.metadata["primary"] = "yes";
  options.registration.id = "app-primary";
  const Backend primary(options);
  const auto replica = StartAs("app-1", "replica");
  const auto run = [&](const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {Program("my_policy"), "etcd://" + Etcd() + "/" + Service()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return Process(command).ReadLine();
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run({"Api"}), primary.answer());
  EXPECT_EQ(replica->calls(), 0);
  EXPECT_EQ(run({"Create", "app-1"}), replica->answer());
  EXPECT_EQ(run({"Create", "app-9"}), "failed: x-debug: no instance app-9");
  EXPECT_THAT(run({"Create"}), ::testing::AnyOf(primary.answer(), replica->answer()));
}

TEST_F(OwnPoliciesTest, AWrongParameterIsNamedByItsPath) {
  Process program({"/bin/sh", "-c", "exec \"$0\" \"$@\" 2>&1", Program("primary_replica"),
                   "etcd://" + Etcd() + "/" + Service(), R"({"rest":"2h","write":[]})"});
  const std::string output = program.ReadAll();
  EXPECT_EQ(program.Wait(), 2);
  EXPECT_THAT(output, AllOf(HasSubstr("picker[0].version.child[0].primary_replica.rest: must be "),
                            HasSubstr("primary_replica.write: ")));
}

}  // namespace
}  // namespace turnout::testing
