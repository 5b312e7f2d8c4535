// Instances that have just begun to serve get fewer calls at first, so that they can fill caches
// and compile code: their share grows to the full one within a window.
//
//   {"slow_start": {"window": "60s", "aggression": 1.0, "minWeightPercent": 10,
//                   "child": [{"round_robin": {}}]}}
//
// The child's choice stands with the probability that growth.h gives; else the child is asked
// again, up to 8 times. Example: two instances, one of them 15 s old and three quarters of its
// choices refused: the child's 50:50 becomes 0.5 : 0.5 × 0.25 = 80:20.
//
// Where all are young, none is refused more than the oldest: somebody must take the calls. Those
// that the channel found when it knew no others are not slowed. A child that maps a call to one
// instance (ring_hash, maglev) gives the same answer again, which then stands.
//
// Pick: the child's; while an instance is within its window, the time, and for its calls a random
// number and up to 8 more choices. Build: O(candidates). Source: Envoy's slow start mode.
#ifndef TURNOUT_SRC_BALANCE_SLOW_START_SLOW_START_H_
#define TURNOUT_SRC_BALANCE_SLOW_START_SLOW_START_H_

#include <memory>
#include <utility>

#include "src/balance/slow_start/growth.h"
#include "turnout/picker.h"

namespace turnout::balance {

struct SlowStartConfig {
  Growth growth;

  // Chooses; never null in a builder that Builds.
  std::shared_ptr<const PickerBuilder> child;
};

class SlowStartBuilder final : public PickerBuilder {
 public:
  explicit SlowStartBuilder(SlowStartConfig config = {}) : config_(std::move(config)) {}

  std::shared_ptr<const PickerBuilder> Configure(ConfigReader& config) const override;
  std::unique_ptr<const Picker> Build(EndpointGroup group) const override;
  std::optional<std::chrono::milliseconds> rebuild_period() const override;

 private:
  const SlowStartConfig config_;
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_SLOW_START_SLOW_START_H_
