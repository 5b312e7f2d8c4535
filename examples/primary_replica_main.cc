// Calls proto.Api/ApiTest through the policy of primary_replica.cc, and prints who answered.
#include <grpcpp/grpcpp.h>

#include <cstdlib>
#include <iostream>

#include "examples/primary_replica.h"
#include "proto/api.grpc.pb.h"
#include "turnout/channel.h"

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: primary_replica TARGET PARAMETERS [CALLS [X-DEBUG]]\n"
                 R"(       primary_replica etcd:///hwholiday.srv.app '{"writes":["ApiTest"]}')"
                 "\n";
    return 2;
  }
  const absl::Status registered =
      turnout::RegisterPickerBuilder("primary_replica", MakePrimaryReplica());
  if (!registered.ok()) {
    std::cerr << registered << "\n";
    return 1;
  }
  const std::string picker =
      R"([{"version":{"child":[{"primary_replica":)" + std::string(argv[2]) + "}]}}]";
  const auto channel = turnout::CreateChannel(
      argv[1], grpc::InsecureChannelCredentials(),
      {.service_config_json =
           R"({"loadBalancingConfig":[{"turnout":{"picker":)" + picker + "}}]}"});
  if (!channel.ok()) {
    std::cerr << channel.status() << "\n";
    return 2;
  }
  proto::Api::Stub stub(*channel);
  const int calls = argc > 3 ? std::atoi(argv[3]) : 1;
  for (int i = 0; i < calls; ++i) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    if (argc > 4) context.AddMetadata("x-debug", argv[4]);
    proto::Response response;
    const grpc::Status status = stub.ApiTest(&context, proto::Request(), &response);
    std::cout << (status.ok() ? response.output() : "failed: " + status.error_message())
              << std::endl;
  }
}
