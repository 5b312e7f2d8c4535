#include "src/balance/weighted_round_robin/weighted_round_robin.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "src/balance/record_weights.h"
#include "src/balance/weighted_round_robin/static_stride_scheduler.h"
#include "src/base/random.h"
#include "turnout/config_reader.h"

namespace turnout::balance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class WeightedRoundRobinPicker final : public Picker {
 public:
  WeightedRoundRobinPicker(std::span<const Endpoint* const> ready, StaticStrideScheduler scheduler,
                           std::shared_ptr<Sequences::Sequence> sequence)
      : ready_(ready), scheduler_(std::move(scheduler)), sequence_(std::move(sequence)) {}

  PickResult Pick(const PickArgs&) const override {
    return PickResult::To(*ready_[scheduler_.Pick([this] { return sequence_->Next(); })]);
  }

 private:
  const std::span<const Endpoint* const> ready_;
  const StaticStrideScheduler scheduler_;
  const std::shared_ptr<Sequences::Sequence> sequence_;
};

}  // namespace

std::shared_ptr<const PickerBuilder> WeightedRoundRobinBuilder::Configure(
    ConfigReader& config) const {
  constexpr std::string_view kWeights[] = {"record", "reported"};
  WeightedRoundRobinConfig result;
  result.weights = static_cast<WeightedRoundRobinConfig::Weights>(
      config.Choice("weights", kWeights, static_cast<std::size_t>(result.weights)));
  ReportedWeightsConfig& reported = result.reported;
  reported.blackout_period = config.Duration(
      "blackoutPeriod",
      {.otherwise = reported.blackout_period, .least = seconds(0), .most = seconds(3'600)});
  reported.weight_expiration_period =
      config.Duration("weightExpirationPeriod", {.otherwise = reported.weight_expiration_period,
                                                 .least = seconds(1),
                                                 .most = seconds(86'400)});
  result.weight_update_period =
      config.Duration("weightUpdatePeriod", {.otherwise = result.weight_update_period,
                                             .least = milliseconds(100),
                                             .most = seconds(3'600)});
  reported.error_utilization_penalty =
      config.Number("errorUtilizationPenalty", {reported.error_utilization_penalty, 0, 100});
  return std::make_shared<WeightedRoundRobinBuilder>(result);
}

std::optional<milliseconds> WeightedRoundRobinBuilder::rebuild_period() const {
  if (config_.weights == WeightedRoundRobinConfig::Weights::kRecord) return std::nullopt;
  return config_.weight_update_period;
}

std::vector<std::uint32_t> WeightedRoundRobinBuilder::WeightsOf(
    std::span<const Endpoint* const> endpoints) const {
  if (config_.weights == WeightedRoundRobinConfig::Weights::kRecord) {
    return RecordWeights(endpoints);
  }
  std::vector<std::optional<double>> weights;
  weights.reserve(endpoints.size());
  const base::TimePoint now = base::Now();
  std::ranges::transform(endpoints, std::back_inserter(weights), [&](const Endpoint* endpoint) {
    return ReportedWeight(*endpoint, config_.reported, now);
  });
  return Scaled(weights);
}

std::unique_ptr<const Picker> WeightedRoundRobinBuilder::BuildChoice(
    const EndpointGroup& group) const {
  StaticStrideScheduler scheduler(WeightsOf(group.candidates()));
  const std::uint64_t first = base::ThreadRandom().Below(scheduler.period());
  return std::make_unique<WeightedRoundRobinPicker>(group.candidates(), std::move(scheduler),
                                                    sequences_.For(group.key(), first));
}

}  // namespace turnout::balance
