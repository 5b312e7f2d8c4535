// Calls go to the endpoints in turn, to each as often as its weight says, evenly spaced.
//
//   {"weighted_round_robin": {}}
//   {"weighted_round_robin": {"weights": "reported", "blackoutPeriod": "10s",
//                             "weightExpirationPeriod": "180s", "weightUpdatePeriod": "1s",
//                             "errorUtilizationPenalty": 1.0}}
//
// Weights are those that the records state, or follow the load that the servers report (gRFC A58;
// see reported_weights.h). With weights from records, any sum(weights) calls in a row reach each
// endpoint exactly as often as its weight says, whatever threads they come from and however often
// the picker is built anew in the meantime (see static_stride_scheduler.h). An endpoint of weight 0
// gets no calls, unless all have weight 0: then all count alike.
//
// The first picker of a group begins at a random place, and the next ones go on from there.
// Pick: O(1), one atomic counter, incremented fewer than 2 times on average. Build: O(endpoints);
// with reported weights once every weightUpdatePeriod, too.
#ifndef TURNOUT_SRC_BALANCE_WEIGHTED_ROUND_ROBIN_WEIGHTED_ROUND_ROBIN_H_
#define TURNOUT_SRC_BALANCE_WEIGHTED_ROUND_ROBIN_WEIGHTED_ROUND_ROBIN_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "src/balance/weighted_round_robin/reported_weights.h"
#include "src/balance/weighted_round_robin/shared_by_key.h"
#include "turnout/picker.h"

namespace turnout::balance {

struct WeightedRoundRobinConfig {
  enum class Weights { kRecord, kReported };
  Weights weights = Weights::kRecord;

  // The rest is for reported weights only.
  ReportedWeightsConfig reported;

  // How often weights are computed anew.
  std::chrono::milliseconds weight_update_period{1'000};
};

class WeightedRoundRobinBuilder final : public ChoosingPickerBuilder {
 public:
  explicit WeightedRoundRobinBuilder(WeightedRoundRobinConfig config = {}) : config_(config) {}

  std::shared_ptr<const PickerBuilder> Configure(ConfigReader& config) const override;
  std::optional<std::chrono::milliseconds> rebuild_period() const override;

 protected:
  std::unique_ptr<const Picker> BuildChoice(const EndpointGroup& group) const override;

 private:
  // What goes on from one picker of a group to the next.
  struct Turns;

  std::vector<std::uint32_t> WeightsOf(std::span<const Endpoint* const> endpoints,
                                       Turns& turns) const;

  const WeightedRoundRobinConfig config_;
  mutable SharedByKey<Turns> turns_;  // by the group's key
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_WEIGHTED_ROUND_ROBIN_WEIGHTED_ROUND_ROBIN_H_
