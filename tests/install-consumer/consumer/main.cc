// A program of someone else's: the library starts, and says what is wrong with a target.
#include <grpcpp/security/credentials.h>

#include <iostream>

#include "turnout/channel.h"

int main() {
  if (absl::Status status = turnout::Init(); !status.ok()) {
    std::cerr << "Init: " << status << "\n";
    return 1;
  }
  const auto channel =
      turnout::CreateChannel("etcd:///bad..name", grpc::InsecureChannelCredentials());
  if (channel.status().code() != absl::StatusCode::kInvalidArgument) {
    std::cerr << "CreateChannel(bad target): " << channel.status() << "\n";
    return 1;
  }
  return 0;
}
