// What calls see of a policy: an immutable picker over the endpoints as they were when published.
#ifndef TURNOUT_SRC_GRPC_V1_51_DATA_PLANE_H_
#define TURNOUT_SRC_GRPC_V1_51_DATA_PLANE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "src/balance/policy_config.h"
#include "src/core/lib/gprpp/ref_counted_ptr.h"
#include "src/core/lib/load_balancing/lb_policy.h"
#include "turnout/picker.h"

namespace turnout::adapter {

// Index by index the same instances. `subchannels` is set where the endpoint is READY.
struct Published {
  std::string service;
  std::vector<Endpoint> endpoints;
  std::vector<grpc_core::RefCountedPtr<grpc_core::SubchannelInterface>> subchannels;
  std::shared_ptr<const balance::PolicyConfig> config;
};

// `connect` is called, at most once for each picker and instance, when a call needs an endpoint
// that is not connected: under the data-plane mutex, so it must only schedule.
std::unique_ptr<grpc_core::LoadBalancingPolicy::SubchannelPicker> MakeDataPlane(
    Published published, std::function<void(const std::string& instance_id)> connect);

}  // namespace turnout::adapter

#endif  // TURNOUT_SRC_GRPC_V1_51_DATA_PLANE_H_
