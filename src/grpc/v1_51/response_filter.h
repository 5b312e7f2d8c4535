// A channel filter that tells each attempt of a call when its first response comes.
//
// gRPC tells a policy only that a call has begun and has ended, and a stream's lifetime is not its
// latency. The filter stands on the connections that our policies make, and on no others.
#ifndef TURNOUT_SRC_GRPC_V1_51_RESPONSE_FILTER_H_
#define TURNOUT_SRC_GRPC_V1_51_RESPONSE_FILTER_H_

#include "src/core/lib/config/core_configuration.h"

namespace turnout::adapter {

// The channel argument that marks our connections, and makes each of them its channel's own.
inline constexpr char kConnectionArg[] = "turnout.internal.connection";

void RegisterResponseFilter(grpc_core::CoreConfiguration::Builder& builder);

}  // namespace turnout::adapter

#endif  // TURNOUT_SRC_GRPC_V1_51_RESPONSE_FILTER_H_
