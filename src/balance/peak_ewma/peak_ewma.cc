#include "src/balance/peak_ewma/peak_ewma.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "src/balance/choices.h"
#include "src/balance/peak_ewma/cost.h"
#include "src/base/clock.h"
#include "src/base/random.h"
#include "turnout/config_reader.h"

namespace turnout::balance {
namespace {

class PeakEwmaPicker final : public Picker {
 public:
  PeakEwmaPicker(std::span<const Endpoint* const> ready, const PeakEwmaConfig& config)
      : ready_(ready), config_(config) {
    const base::TimePoint now = base::Now();
    Nanoseconds sum{0};
    int known = 0;
    stats_.reserve(ready.size());
    for (const Endpoint* const endpoint : ready) {
      stats_.push_back(&endpoint->stats());
      if (const auto latency = stats_.back()->latency(now)) {
        sum += *latency;
        ++known;
      }
    }
    if (known > 0) mean_latency_ = sum / known;
  }

  PickResult Pick(const PickArgs&) const override {
    const Choices choices(ready_.size(), config_.choice_count, base::ThreadRandom());
    const std::span<const std::size_t> indices = choices.indices();
    for (const std::size_t index : indices) __builtin_prefetch(stats_[index]);
    // To clear space for ten would cost the usual two a tenth of their pick.
    constexpr std::size_t kUsual = 2;
    if (indices.size() <= kUsual) {
      std::array<Load, kUsual> space;
      return Among(indices, std::span(space).first(indices.size()));
    }
    std::array<Load, Choices::kMost> space;
    return Among(indices, std::span(space).first(indices.size()));
  }

 private:
  PickResult Among(std::span<const std::size_t> indices, std::span<Load> loads) const {
    // Latencies decay in seconds, and the precise time would be a third of a pick.
    const base::TimePoint now = base::CoarseNow();
    std::ranges::transform(indices, loads.begin(), [&](std::size_t index) {
      const InstanceStats& stats = *stats_[index];
      return Load{stats.latency(now), stats.success_rate(now), stats.in_flight()};
    });
    return PickResult::To(
        *ready_[indices[Cheapest(loads, mean_latency_, config_.failure_penalty)]]);
  }

  const std::span<const Endpoint* const> ready_;
  const PeakEwmaConfig config_;
  // Side by side, so that a pick goes to the statistics without the endpoint between.
  std::vector<const InstanceStats*> stats_;
  Nanoseconds mean_latency_{0};  // 0: none is known
};

}  // namespace

std::shared_ptr<const PickerBuilder> PeakEwmaBuilder::Configure(ConfigReader& config) const {
  PeakEwmaConfig result;
  result.choice_count =
      static_cast<std::size_t>(config.Integer("choiceCount", {2, 2, Choices::kMost}));
  result.failure_penalty = config.Duration("failurePenalty", {.otherwise = result.failure_penalty,
                                                              .least = std::chrono::milliseconds(0),
                                                              .most = std::chrono::seconds(3'600)});
  return std::make_shared<PeakEwmaBuilder>(result);
}

std::unique_ptr<const Picker> PeakEwmaBuilder::BuildChoice(const EndpointGroup& group) const {
  return std::make_unique<PeakEwmaPicker>(group.candidates(), config_);
}

}  // namespace turnout::balance
