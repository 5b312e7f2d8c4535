// The README's server: registers itself as v1 of hwholiday.srv.app, and answers.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <iostream>

#include "proto/api.grpc.pb.h"
#include "turnout/registrar.h"

class Api final : public proto::Api::Service {
  grpc::Status ApiTest(grpc::ServerContext* /*context*/, const proto::Request* request,
                       proto::Response* response) override {
    response->set_output("hello, " + request->input());
    return grpc::Status::OK;
  }
};

int main() {
  Api api;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("0.0.0.0:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&api);
  turnout::Registrar::PrepareServer(builder);
  auto server = builder.BuildAndStart();

  auto registrar = turnout::Registrar::Start({.service = "hwholiday.srv.app",
                                              .version = "v1",
                                              .methods_of = {proto::Api::service_full_name()}},
                                             *server, port);
  if (!registrar.ok()) {
    std::cerr << registrar.status() << "\n";
    return 1;
  }
  std::cout << "serving at " << (*registrar)->address() << ", until you press Enter" << std::endl;
  std::cin.get();
  (*registrar)->DrainAndShutdown(*server, std::chrono::seconds(5));
}
