#include "src/balance/weighted_round_robin/weighted_round_robin.h"

#include <atomic>
#include <utility>

#include "src/balance/record_weights.h"
#include "src/balance/weighted_round_robin/static_stride_scheduler.h"
#include "src/base/random.h"
#include "turnout/config_reader.h"

namespace turnout::balance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Where the first picker may begin: many more than any schedule's period, so any place is as
// likely.
constexpr std::uint64_t kPlaces = std::uint64_t{1} << 48;

class WeightedRoundRobinPicker final : public Picker {
 public:
  // `next`: the number of the next turn, as long as the picker needs it.
  WeightedRoundRobinPicker(std::span<const Endpoint* const> ready, StaticStrideScheduler scheduler,
                           std::shared_ptr<std::atomic<std::uint64_t>> next)
      : ready_(ready), scheduler_(std::move(scheduler)), next_(std::move(next)) {}

  PickResult Pick(const PickArgs&) const override {
    return PickResult::To(*ready_[scheduler_.Pick(
        [this] { return next_->fetch_add(1, std::memory_order_relaxed); })]);
  }

 private:
  const std::span<const Endpoint* const> ready_;
  const StaticStrideScheduler scheduler_;
  const std::shared_ptr<std::atomic<std::uint64_t>> next_;
};

}  // namespace

struct WeightedRoundRobinBuilder::Turns {
  explicit Turns(std::uint64_t first) : next(first) {}

  std::atomic<std::uint64_t> next;  // 64 bits do not run over
  base::Mutex mutex;                // channels with one configuration may build at the same time
  ReportsOfGroup reports ABSL_GUARDED_BY(mutex);
};

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
    std::span<const Endpoint* const> endpoints, Turns& turns) const {
  if (config_.weights == WeightedRoundRobinConfig::Weights::kRecord) {
    return RecordWeights(endpoints);
  }
  std::vector<std::optional<double>> weights;
  weights.reserve(endpoints.size());
  const base::TimePoint now = base::Now();
  const base::MutexLock lock(turns.mutex);
  const std::span<const ReportsOfGroup::Entry> found = turns.reports.Find(endpoints);
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    weights.push_back(
        ReportedWeight(endpoints[i]->stats(), *found[i].reports, config_.reported, now));
  }
  return Scaled(weights);
}

std::unique_ptr<const Picker> WeightedRoundRobinBuilder::BuildChoice(
    const EndpointGroup& group) const {
  const std::shared_ptr<Turns> turns = turns_.For(group.key(), base::ThreadRandom().Below(kPlaces));
  StaticStrideScheduler scheduler(WeightsOf(group.candidates(), *turns));
  return std::make_unique<WeightedRoundRobinPicker>(
      group.candidates(), std::move(scheduler),
      std::shared_ptr<std::atomic<std::uint64_t>>(turns, &turns->next));
}

}  // namespace turnout::balance
