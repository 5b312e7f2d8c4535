// Channels that resolve `etcd:` targets and pick instances by what a call asks for.
#ifndef TURNOUT_CHANNEL_H_
#define TURNOUT_CHANNEL_H_

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace grpc {
class Channel;
class ChannelArguments;
class ChannelCredentials;
class ClientContext;
}  // namespace grpc

namespace turnout {

// Makes the `etcd` scheme and the `turnout` and `version` policies known to gRPC. That happens
// before main by itself when this library is linked; calling Init keeps the linker from dropping a
// static library that nothing else refers to, and says whether it went well: FailedPrecondition if
// the gRPC at run time is not the one that this library was built for, or was already in use.
absl::Status Init();

struct ChannelOptions {
  // A gRPC service config. Empty, or without `loadBalancingConfig`: `{"turnout":{}}`, which picks
  // by version, then at random.
  std::string service_config_json;

  // How long calls wait for the first word from etcd. 1 ms to 10 min.
  std::chrono::milliseconds resolve_timeout{5000};

  // Do calls have the lane of the thread that makes them? See turnout/lanes.h. Otherwise only what
  // they state themselves.
  bool forward_lanes = false;

  // Further gRPC channel arguments; copied. Null for none.
  const grpc::ChannelArguments* arguments = nullptr;
};

// A channel for generated stubs. `target`: `etcd:///service.name` (the default cluster, see
// RegistryOptions::endpoints), `etcd://h:p,h:p/service.name`, or
// `etcd://cluster-name/service.name`.
//
// Does not block. InvalidArgument for a bad target or service config, naming the part; the error of
// Init. grpc::CreateChannel takes the same targets: there, calls fail UNAVAILABLE with the message.
absl::StatusOr<std::shared_ptr<grpc::Channel>> CreateChannel(
    const std::string& target, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
    const ChannelOptions& options = {});

// Asks that a call be answered by instances of `version`: sets the metadata key `version`. Set once
// for a call: values of a repeated key arrive joined and match nothing.
void SetVersion(grpc::ClientContext& context, std::string_view version);

}  // namespace turnout

#endif  // TURNOUT_CHANNEL_H_
