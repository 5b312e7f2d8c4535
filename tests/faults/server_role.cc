#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <future>
#include <thread>
#include <utility>

#include "proto/api.grpc.pb.h"
#include "proto/test_streams.grpc.pb.h"
#include "tests/faults/event.h"
#include "tests/faults/roles.h"
#include "tests/faults/traffic.h"
#include "turnout/registrar.h"

namespace turnout::faults {
namespace {

using std::chrono::milliseconds;

// Long enough for calls to be under way whenever something happens.
constexpr milliseconds kUnaryTime{20};
constexpr milliseconds kBetweenAnswers{50};
constexpr std::chrono::seconds kDrainDeadline{5};

// The answers of both services. Calls that come before it is known wait for it.
class Answers {
 public:
  explicit Answers(std::shared_future<Answer> self) : self_(std::move(self)) {}

  proto::Response To(const grpc::ServerContext& context) const {
    Answer answer = self_.get();
    const auto& metadata = context.client_metadata();
    const auto picked = metadata.find(kPickedKey);
    answer.picked =
        picked == metadata.end() ? "-" : std::string(picked->second.data(), picked->second.size());
    proto::Response response;
    response.set_output(answer.ToString());
    return response;
  }

 private:
  const std::shared_future<Answer> self_;
};

class Api final : public proto::Api::Service {
 public:
  explicit Api(const Answers& answers) : answers_(answers) {}
  grpc::Status ApiTest(grpc::ServerContext* context, const proto::Request* /*request*/,
                       proto::Response* response) override {
    std::this_thread::sleep_for(kUnaryTime);
    *response = answers_.To(*context);
    return grpc::Status::OK;
  }

 private:
  const Answers& answers_;
};

class Streams final : public test::Streams::Service {
 public:
  explicit Streams(const Answers& answers) : answers_(answers) {}
  grpc::Status Download(grpc::ServerContext* context, const proto::Request* request,
                        grpc::ServerWriter<proto::Response>* writer) override {
    const proto::Response response = answers_.To(*context);
    for (std::size_t i = 0; i < request->input().size(); ++i) {
      if (i > 0) std::this_thread::sleep_for(kBetweenAnswers);
      writer->Write(response);
    }
    return grpc::Status::OK;
  }

 private:
  const Answers& answers_;
};

RegistrarOptions Registration(const ServerFlags& flags) {
  RegistrarOptions options;
  options.service = flags.service;
  options.version = flags.version;
  options.id = flags.id;
  options.listen = flags.listen;
  options.advertise = flags.advertise;
  options.lease_ttl = kTtl;
  options.registry.endpoints = flags.etcd;
  return options;
}

void Print(const char* line) {
  std::puts(line);
  std::fflush(stdout);
}

std::unique_ptr<grpc::Server> Listen(const std::string& address, Api& api, Streams& streams,
                                     int& port) {
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // to share it would be a mistake
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&api);
  builder.RegisterService(&streams);
  Registrar::PrepareServer(builder);
  return builder.BuildAndStart();
}

}  // namespace

int RunServer(const ServerFlags& flags) {
  BlockEnd();
  LogTo(flags.log);
  std::promise<Answer> self;
  const Answers answers(self.get_future().share());
  Api api(answers);
  Streams streams(answers);
  int port = 0;
  const auto server = Listen(flags.listen, api, streams, port);
  if (server == nullptr || port == 0) {
    std::fprintf(stderr, "cannot listen on %s\n", flags.listen.c_str());
    return 1;
  }
  auto started = Registrar::Start(Registration(flags), *server, port);
  if (!started.ok()) {
    std::fprintf(stderr, "%s\n", std::string{started.status().message()}.c_str());
    self.set_value({});
    return 1;
  }
  Registrar& registrar = **started;
  self.set_value({flags.version, registrar.address(), flags.service, flags.id, ""});
  Print(kServingLine);
  std::thread announcer([&registrar] {
    if (registrar.WaitUntilRegistered(milliseconds::max()).ok()) Print(kRegisteredLine);
  });
  WaitForEnd();
  registrar.DrainAndShutdown(*server, kDrainDeadline);
  announcer.join();
  return 0;
}

}  // namespace turnout::faults
