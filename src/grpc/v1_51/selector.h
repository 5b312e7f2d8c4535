// Runs once for each call: has the service's traffic rules decide it, and gives it the memory that
// carries the decision to every attempt.
#ifndef TURNOUT_SRC_GRPC_V1_51_SELECTOR_H_
#define TURNOUT_SRC_GRPC_V1_51_SELECTOR_H_

#include <memory>
#include <string>

#include "src/core/ext/filters/client_channel/config_selector.h"
#include "src/core/lib/channel/channel_args.h"
#include "src/core/lib/gprpp/ref_counted_ptr.h"
#include "src/core/lib/service_config/service_config.h"
#include "src/route/router.h"

namespace turnout::adapter {

// `service`: whom the channel calls. `service_config`: the application's, in force where the rules
// are silent. `router`: null if there are no rules. `args`: the channel's.
grpc_core::RefCountedPtr<grpc_core::ConfigSelector> MakeConfigSelector(
    std::string service, grpc_core::RefCountedPtr<grpc_core::ServiceConfig> service_config,
    std::shared_ptr<const route::Router> router, const grpc_core::ChannelArgs& args);

}  // namespace turnout::adapter

#endif  // TURNOUT_SRC_GRPC_V1_51_SELECTOR_H_
