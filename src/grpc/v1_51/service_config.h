// The service config that is in force on a channel to an `etcd:` target.
#ifndef TURNOUT_SRC_GRPC_V1_51_SERVICE_CONFIG_H_
#define TURNOUT_SRC_GRPC_V1_51_SERVICE_CONFIG_H_

#include <memory>

#include "absl/status/status.h"
#include "src/core/lib/channel/channel_args.h"
#include "src/core/lib/gprpp/ref_counted_ptr.h"
#include "src/core/lib/handshaker/proxy_mapper.h"
#include "src/core/lib/service_config/service_config.h"

namespace turnout::adapter {

struct EffectiveServiceConfig {
  // The application's, or an empty one. Where neither it nor a channel argument names a policy,
  // ours is put in: gRPC would choose pick_first and ignore versions. Null where the application's
  // cannot be parsed, which gRPC reports by itself.
  grpc_core::RefCountedPtr<grpc_core::ServiceConfig> config;

  // What is wrong with our policies in it.
  absl::Status status;

  // Whose addresses the policy wants listed. Ours: nobody's, it takes snapshots. A policy of
  // gRPC's: those of the members that take calls. The parent of ours: everybody's, since it follows
  // each address (outlier detection), and a subchannel outlives what becomes of its record: whoever
  // drains and then does not, would come back as one that is not followed.
  enum class Addresses { kNobodys, kCallees, kEverybodys };
  Addresses addresses = Addresses::kNobodys;

  // `args`: as a resolver gets them.
  static EffectiveServiceConfig Of(const grpc_core::ChannelArgs& args);
};

// gRPC takes the application's service config out of a channel's arguments before it makes the
// resolver. This keeps it for ours: a proxy mapper is asked about each new channel before that.
std::unique_ptr<grpc_core::ProxyMapperInterface> MakeServiceConfigKeeper();

// Without what was kept, which would keep channels from sharing connections.
grpc_core::ChannelArgs WithoutKeptServiceConfig(const grpc_core::ChannelArgs& args);

}  // namespace turnout::adapter

#endif  // TURNOUT_SRC_GRPC_V1_51_SERVICE_CONFIG_H_
