#include "src/balance/subset/subset.h"

#include <algorithm>
#include <functional>
#include <random>
#include <vector>

#include "src/balance/subset/ranking.h"
#include "turnout/config_reader.h"

namespace turnout::balance {
namespace {

class SubsetPicker final : public Picker {
 public:
  SubsetPicker(const SubsetConfig& config, const EndpointGroup& group)
      : chosen_(LowestRanked(group.members(), config.size, config.seed)),
        child_(config.child->Build(group.With(chosen_, "subset"))) {
    std::ranges::sort(chosen_, std::less());
  }

  PickResult Pick(const PickArgs& args) const override { return child_->Pick(args); }

  bool Wants(const Endpoint& endpoint) const override {
    return std::ranges::binary_search(chosen_, &endpoint, std::less()) && child_->Wants(endpoint);
  }

 private:
  std::vector<const Endpoint*> chosen_;  // sorted
  const std::unique_ptr<const Picker> child_;
};

}  // namespace

std::uint64_t SubsetSeedOfProcess() {
  static const std::uint64_t seed = [] {
    std::random_device system;
    return (static_cast<std::uint64_t>(system()) << 32) | system();
  }();
  return seed;
}

std::shared_ptr<const PickerBuilder> SubsetBuilder::Configure(ConfigReader& config) const {
  SubsetConfig result = config_;
  result.size = static_cast<std::size_t>(
      config.Integer("subsetSize", {.otherwise = 20, .least = 1, .most = 100'000}));
  result.child = config.Child("child", "random");
  return std::make_shared<SubsetBuilder>(std::move(result));
}

std::unique_ptr<const Picker> SubsetBuilder::Build(EndpointGroup group) const {
  return std::make_unique<SubsetPicker>(config_, group);
}

std::optional<std::chrono::milliseconds> SubsetBuilder::rebuild_period() const {
  return config_.child->rebuild_period();
}

}  // namespace turnout::balance
