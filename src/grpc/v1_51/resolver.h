// The resolver of `etcd:` targets: hands each snapshot of a service to the channel.
#ifndef TURNOUT_SRC_GRPC_V1_51_RESOLVER_H_
#define TURNOUT_SRC_GRPC_V1_51_RESOLVER_H_

#include <memory>

#include "src/core/lib/resolver/resolver_factory.h"

namespace turnout::adapter {

std::unique_ptr<grpc_core::ResolverFactory> MakeResolverFactory();

}  // namespace turnout::adapter

#endif  // TURNOUT_SRC_GRPC_V1_51_RESOLVER_H_
