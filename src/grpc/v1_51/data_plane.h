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

// Index by index the same instances. `subchannels` is set where the endpoint is connected.
struct Published {
  std::string service;
  std::vector<Endpoint> endpoints;
  std::vector<grpc_core::RefCountedPtr<grpc_core::SubchannelInterface>> subchannels;
  std::shared_ptr<const balance::PolicyConfig> config;
  std::shared_ptr<const PickerBuilder> picker;  // what `config` says, and the rules
};

class DataPlane : public grpc_core::LoadBalancingPolicy::SubchannelPicker {
 public:
  // Could a call ever be sent to the endpoint at `index`?
  virtual bool Wants(std::size_t index) const = 0;
};

// `connect` is called, at most once for each picker and instance, when a call asks for endpoints
// that nobody has connected: under the data-plane mutex, so it must only schedule.
std::unique_ptr<DataPlane> MakeDataPlane(
    Published published, std::function<void(std::vector<std::string> instance_ids)> connect);

}  // namespace turnout::adapter

#endif  // TURNOUT_SRC_GRPC_V1_51_DATA_PLANE_H_
