// The README's client: asks v1 of hwholiday.srv.app.
#include <grpcpp/grpcpp.h>

#include <iostream>

#include "proto/api.grpc.pb.h"
#include "turnout/channel.h"

int main() {
  auto channel =
      turnout::CreateChannel("etcd:///hwholiday.srv.app", grpc::InsecureChannelCredentials());
  if (!channel.ok()) {
    std::cerr << channel.status() << "\n";
    return 1;
  }
  proto::Api::Stub stub(*channel);

  grpc::ClientContext context;
  turnout::SetVersion(context, "v1");
  proto::Request request;
  request.set_input("world");
  proto::Response response;
  const grpc::Status status = stub.ApiTest(&context, request, &response);
  std::cout << (status.ok() ? response.output() : status.error_message()) << "\n";
  return status.ok() ? 0 : 1;
}
