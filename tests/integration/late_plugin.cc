// A shared object that uses Turnout, for late_host to load. `plugin_call` calls the service once:
// 0 if that went well, else prints why not.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "proto/api.grpc.pb.h"
#include "turnout/channel.h"

extern "C" int plugin_call(const char* target) {
  const auto channel = turnout::CreateChannel(target, grpc::InsecureChannelCredentials());
  if (!channel.ok()) {
    std::printf("%s\n", channel.status().ToString().c_str());
    return 1;
  }
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  proto::Response response;
  const grpc::Status status = proto::Api::NewStub(*channel)->ApiTest(&context, {}, &response);
  std::printf("%s\n", status.ok() ? response.output().c_str() : status.error_message().c_str());
  return status.ok() ? 0 : 1;
}
