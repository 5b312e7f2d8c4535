// Calls stay near: in the client's zone, else in its region, else anywhere, and a level that has
// lost part of its instances gives away only the part of the calls that it can no longer take.
//
//   {"locality": {"region": "eu", "zone": "eu-a", "overprovisioning": 1.4, "minimumClusterSize": 6,
//                 "child": [{"random": {}}]}}
//
// The levels share the calls as priority_load.h says. Only registered instances count: those that
// drain or have lapsed are on their way out, and their level is not short of them. There is one
// level, all instances, if there are few of them, if the client's place is unknown, or if no
// instance is near it; and while no registered instance is READY but others are.
//
// While nothing is READY, levels are taken for as healthy as they would be if connecting and idle
// instances were: calls wait for the near ones, and lazy connections are not made to all.
//
// Pick: the child's, and a random number while more than one level takes calls. Build:
// O(endpoints), a child for each level. Source: Envoy's zone-aware routing and priority levels.
#ifndef TURNOUT_SRC_BALANCE_LOCALITY_LOCALITY_H_
#define TURNOUT_SRC_BALANCE_LOCALITY_LOCALITY_H_

#include <cstddef>
#include <memory>
#include <utility>

#include "turnout/instance.h"
#include "turnout/picker.h"

namespace turnout::balance {

struct LocalityConfig {
  Locality own;

  // A level keeps all calls while at least 1/overprovisioning of it is healthy.
  double overprovisioning = 1.4;

  // With fewer instances, to lose one of them would shift too much.
  std::size_t minimum_cluster_size = 6;

  // Chooses among the instances of one level. Never null in a builder that Builds.
  std::shared_ptr<const PickerBuilder> child;
};

class LocalityBuilder final : public PickerBuilder {
 public:
  explicit LocalityBuilder(LocalityConfig config = {}) : config_(std::move(config)) {}

  std::shared_ptr<const PickerBuilder> Configure(ConfigReader& config) const override;
  std::unique_ptr<const Picker> Build(EndpointGroup group) const override;
  std::optional<std::chrono::milliseconds> rebuild_period() const override;

 private:
  const LocalityConfig config_;
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_LOCALITY_LOCALITY_H_
