// The seam between Turnout and one version of gRPC's internals.
//
// A folder for each version (v1_51/) implements it; nothing here names a type that changes between
// versions, so that an adapter for another one can stand beside it.
#ifndef TURNOUT_SRC_GRPC_ADAPTER_H_
#define TURNOUT_SRC_GRPC_ADAPTER_H_

#include <string_view>

#include "absl/status/status.h"

namespace turnout::adapter {

// Whether scheme and policies were registered with gRPC before main, or why not.
absl::Status Registration();

// Has gRPC parse a whole service config: InvalidArgument with its own words.
absl::Status CheckWithGrpc(std::string_view service_config_json);

// Channel argument, integer: how long calls wait for the first word from etcd.
inline constexpr char kResolveTimeoutArg[] = "turnout.resolve_timeout_ms";
inline constexpr int kDefaultResolveTimeoutMs = 5000;

}  // namespace turnout::adapter

#endif  // TURNOUT_SRC_GRPC_ADAPTER_H_
