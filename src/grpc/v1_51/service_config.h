// The service config that is in force on a channel to an `etcd:` target.
#ifndef TURNOUT_SRC_GRPC_V1_51_SERVICE_CONFIG_H_
#define TURNOUT_SRC_GRPC_V1_51_SERVICE_CONFIG_H_

#include "src/core/lib/channel/channel_args.h"
#include "src/core/lib/gprpp/ref_counted_ptr.h"
#include "src/core/lib/service_config/service_config.h"

namespace turnout::adapter {

struct EffectiveServiceConfig {
  // The application's, or an empty one. Where neither it nor a channel argument names a policy,
  // ours is put in: gRPC would choose pick_first and ignore versions. Null where the application's
  // cannot be parsed, which gRPC reports by itself.
  grpc_core::RefCountedPtr<grpc_core::ServiceConfig> config;

  // The policy is not one of ours, or is the parent of one: it wants a list of addresses.
  bool needs_addresses = false;

  static EffectiveServiceConfig Of(const grpc_core::ChannelArgs& args);
};

}  // namespace turnout::adapter

#endif  // TURNOUT_SRC_GRPC_V1_51_SERVICE_CONFIG_H_
