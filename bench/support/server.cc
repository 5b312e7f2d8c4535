#include "bench/support/server.h"

#include <grpcpp/grpcpp.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "bench/support/benchmark.h"
#include "bench/support/machine.h"
#include "proto/api.grpc.pb.h"

namespace turnout::bench {
namespace {

constexpr std::uint64_t kMostConnections = 10000;

class Api final : public proto::Api::Service {
  grpc::Status ApiTest(grpc::ServerContext*, const proto::Request*,
                       proto::Response* response) override {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    response->set_output(
        absl::StrCat(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()));
    return grpc::Status::OK;
  }
};

}  // namespace

absl::Status Serve() {
  if (!AllowOpenFiles(kMostConnections)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("needs ", kMostConnections, " open files: raise the limit (ulimit -Hn)"));
  }
  Api api;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("0.0.0.0:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&api);
  const auto server = builder.BuildAndStart();
  if (server == nullptr) return absl::UnavailableError("cannot listen on 0.0.0.0");
  std::printf("%d\n", port);
  std::fflush(stdout);
  server->Wait();
  return absl::OkStatus();
}

Server::Server() : process_({SelfPath(), "--server"}) {}

absl::StatusOr<std::unique_ptr<Server>> Server::Start() {
  std::unique_ptr<Server> server(new Server());
  const auto port = server->process_.ReadLine();
  if (!port.has_value()) return absl::UnavailableError("the server's process does not start");
  server->port_ = *port;
  return server;
}

std::string Server::Address(const std::string& port, int index) {
  // Not 127.0.0.1, on which other programs listen.
  return absl::StrCat("127.", 1 + index / 62500, ".", index / 250 % 250, ".", 1 + index % 250, ":",
                      port);
}

}  // namespace turnout::bench
