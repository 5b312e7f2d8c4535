#include "src/balance/least_request/least_request.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

#include "src/balance/alias_table.h"
#include "src/balance/choices.h"
#include "src/balance/record_weights.h"
#include "src/base/random.h"
#include "turnout/config_reader.h"

namespace turnout::balance {
namespace {

// Side by side, so that a pick goes to the statistics without the endpoint between.
std::vector<const InstanceStats*> StatsOf(std::span<const Endpoint* const> endpoints) {
  std::vector<const InstanceStats*> stats;
  stats.reserve(endpoints.size());
  std::ranges::transform(endpoints, std::back_inserter(stats),
                         [](const Endpoint* endpoint) { return &endpoint->stats(); });
  return stats;
}

class LeastRequestPicker final : public Picker {
 public:
  LeastRequestPicker(std::span<const Endpoint* const> ready, std::size_t choice_count)
      : ready_(ready), stats_(StatsOf(ready)), choice_count_(choice_count) {}

  PickResult Pick(const PickArgs&) const override {
    const Choices choices(ready_.size(), choice_count_, base::ThreadRandom());
    const std::size_t chosen = *std::ranges::min_element(
        choices.indices(), {}, [this](std::size_t index) { return stats_[index]->in_flight(); });
    return PickResult::To(*ready_[chosen]);
  }

 private:
  const std::span<const Endpoint* const> ready_;
  const std::vector<const InstanceStats*> stats_;
  const std::size_t choice_count_;
};

// Where weights differ.
class WeightedPicker final : public Picker {
 public:
  WeightedPicker(std::span<const Endpoint* const> ready, std::vector<std::uint32_t> weights,
                 const LeastRequestConfig& config)
      : ready_(ready),
        stats_(StatsOf(ready)),
        weights_(std::move(weights)),
        table_(weights_),
        config_(config) {}

  PickResult Pick(const PickArgs&) const override {
    std::array<Drawn, Choices::kMost> space;
    const std::span<Drawn> drawn = Draw(space);
    double sum = 0;
    for (const Drawn& one : drawn) sum += one.share;
    double left = base::ThreadRandom().Fraction() * sum;
    const Drawn* chosen = nullptr;
    for (const Drawn& one : drawn) {
      if (one.share == 0) continue;
      chosen = &one;  // the last one, too, if rounding leaves something
      left -= one.share;
      if (left < 0) break;
    }
    return PickResult::To(*ready_[chosen->index]);
  }

 private:
  struct Drawn {
    std::size_t index;
    double share;
  };

  std::span<Drawn> Draw(std::span<Drawn> space) const {
    const bool all = ready_.size() <= config_.choice_count;
    const std::span<Drawn> drawn = space.first(all ? ready_.size() : config_.choice_count);
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      drawn[i].index = all ? i : table_.Draw(base::ThreadRandom());
      __builtin_prefetch(stats_[drawn[i].index]);
    }
    for (auto& [index, share] : drawn) {
      // Weight counts once: in the draw or, where there is none, here.
      share = (all ? weights_[index] : 1) / Discount(*stats_[index]);
    }
    return drawn;
  }

  double Discount(const InstanceStats& stats) const {
    const auto load = static_cast<double>(stats.in_flight() + 1);
    return config_.active_request_bias == 1 ? load : std::pow(load, config_.active_request_bias);
  }

  const std::span<const Endpoint* const> ready_;
  const std::vector<const InstanceStats*> stats_;
  const std::vector<std::uint32_t> weights_;
  const AliasTable table_;
  const LeastRequestConfig config_;
};

}  // namespace

std::shared_ptr<const PickerBuilder> LeastRequestBuilder::Configure(ConfigReader& config) const {
  LeastRequestConfig result;
  result.choice_count =
      static_cast<std::size_t>(config.Integer("choiceCount", {2, 2, Choices::kMost}));
  result.active_request_bias =
      config.Number("activeRequestBias", {result.active_request_bias, 0, 10});
  return std::make_shared<LeastRequestBuilder>(result);
}

std::unique_ptr<const Picker> LeastRequestBuilder::BuildChoice(const EndpointGroup& group) const {
  const auto ready = group.candidates();
  std::vector<std::uint32_t> weights = RecordWeights(ready);
  if (AllEqual(weights)) return std::make_unique<LeastRequestPicker>(ready, config_.choice_count);
  return std::make_unique<WeightedPicker>(ready, std::move(weights), config_);
}

}  // namespace turnout::balance
