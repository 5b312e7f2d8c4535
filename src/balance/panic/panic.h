// While most of a group is unhealthy, health checks are more likely wrong than right, and the few
// that pass them would be overloaded: calls go to healthy and unhealthy ones alike.
//
//   {"panic": {"threshold": 0.5, "unreachable": "skip", "child": [{"random": {}}]}}
//
// Unhealthy are those that are connected but fail their health check or were ejected. Those whose
// connection fails can't take calls even then: they are passed over, or the calls that would have
// gone there fail. Of 10 instances of which 2 are READY, 3 unhealthy and 5 failing (READY share
// 0.2, below 0.5), the child chooses among 5, and with "fail" every second call fails at once.
//
// Only registered instances count, and of them only those with a verdict: not idle and connecting
// ones.
//
// Pick: the child's; in a panic with "fail", a random number. Build: O(endpoints).
// Source: Envoy's panic threshold.
#ifndef TURNOUT_SRC_BALANCE_PANIC_PANIC_H_
#define TURNOUT_SRC_BALANCE_PANIC_PANIC_H_

#include <memory>
#include <utility>

#include "turnout/picker.h"

namespace turnout::balance {

struct PanicConfig {
  // The share of READY ones below which health is ignored; 0: never.
  double threshold = 0.5;

  // In a panic, calls for those that cannot be reached go to the others, or fail, so that the
  // others get no more than their share.
  enum class Unreachable { kSkip, kFail };
  Unreachable unreachable = Unreachable::kSkip;

  // Chooses among those that count as healthy. Never null in a builder that Builds.
  std::shared_ptr<const PickerBuilder> child;
};

class PanicBuilder final : public PickerBuilder {
 public:
  explicit PanicBuilder(PanicConfig config = {}) : config_(std::move(config)) {}

  std::shared_ptr<const PickerBuilder> Configure(ConfigReader& config) const override;
  std::unique_ptr<const Picker> Build(EndpointGroup group) const override;
  std::optional<std::chrono::milliseconds> rebuild_period() const override;

 private:
  const PanicConfig config_;
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_PANIC_PANIC_H_
