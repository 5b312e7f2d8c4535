#include "src/balance/locality/locality.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

#include "src/balance/locality/priority_load.h"
#include "src/base/random.h"
#include "turnout/config_reader.h"

namespace turnout::balance {
namespace {

constexpr std::size_t kLevels = 3;
constexpr std::array<std::string_view, kLevels> kNames = {"zone", "region", "rest"};

// How near `instance` is: an index of kNames. A zone's name may mean something else in another
// region, so it counts only where the regions are the same.
std::size_t LevelOf(const Locality& own, const Instance& instance) {
  if (instance.locality.region != own.region && !own.region.empty()) return 2;
  if (!own.zone.empty() && instance.locality.zone == own.zone) return 0;
  return own.region.empty() ? 2 : 1;
}

struct Level {
  std::unique_ptr<const Picker> child;  // null where it has no members
  LevelHealth health;
  LevelHealth hope;  // as if those that connect, or might, were healthy
  bool idle = false;
};

Level BuildLevel(const LocalityConfig& config, EndpointGroup group) {
  Level level;
  if (group.members().empty()) return level;
  const auto registered = [](const Endpoint* member) {
    return member->member.status == InstanceStatus::kRegistered;
  };
  const auto connects = [&](const Endpoint* member) {
    return registered(member) && (member->state == ConnectionState::kIdle ||
                                  member->state == ConnectionState::kConnecting);
  };
  const auto count = [](auto members, const auto& condition) {
    return static_cast<std::size_t>(std::ranges::count_if(members, condition));
  };
  level.health = {.healthy = count(group.candidates(), registered),
                  .total = count(group.members(), registered)};
  level.hope = level.health;
  level.hope.healthy += count(group.members(), connects);
  level.idle = count(group.idle(), registered) > 0;
  level.child = config.child->Build(std::move(group));
  return level;
}

class LocalityPicker final : public Picker {
 public:
  LocalityPicker(const LocalityConfig& config, const EndpointGroup& group,
                 std::array<EndpointGroup::Members, kLevels> parts)
      : own_(config.own) {
    std::array<LevelHealth, kLevels> health;
    std::array<LevelHealth, kLevels> hope;
    for (std::size_t i = 0; i < kLevels; ++i) {
      levels_[i] = BuildLevel(config, group.With(std::move(parts[i]), kNames[i]));
      health[i] = levels_[i].health;
      hope[i] = levels_[i].hope;
    }
    const auto hoped = PriorityLoads(hope, config.overprovisioning);
    loads_ = PriorityLoads(health, config.overprovisioning);
    if (Sum(loads_) == 0 && group.candidates().empty()) loads_ = hoped;
    if (Sum(loads_) == 0) {
      const auto members = group.members();
      all_ = config.child->Build(group.With({members.begin(), members.end()}, "*"));
      return;
    }
    last_ = LastWithLoad();
    for (std::size_t i = 0; i < kLevels; ++i) {
      if (hoped[i] > 0 && loads_[i] == 0 && levels_[i].idle) unasked_ |= 1u << i;
    }
  }

  PickResult Pick(const PickArgs& args) const override {
    if (all_ != nullptr) return all_->Pick(args);
    PickResult result = levels_[Draw()].child->Pick(args);
    if (unasked_.load(std::memory_order_relaxed) != 0) [[unlikely]] {
      ConnectMore(args, result);
    }
    return result;
  }

  bool Wants(const Endpoint& endpoint) const override {
    if (all_ != nullptr && all_->Wants(endpoint)) return true;
    return levels_[LevelOf(own_, endpoint.instance())].child->Wants(endpoint);
  }

 private:
  static double Sum(const std::vector<double>& loads) {
    return std::accumulate(loads.begin(), loads.end(), 0.0);
  }

  std::size_t LastWithLoad() const {
    std::size_t last = kLevels - 1;
    while (loads_[last] == 0) --last;
    return last;
  }

  // The last level takes what rounding leaves over, so the first alone needs no random number.
  std::size_t Draw() const {
    std::size_t level = 0;
    while (loads_[level] == 0) ++level;
    if (level == last_) return level;
    double at = base::ThreadRandom().Fraction();
    for (; level < last_; ++level) {
      if (at < loads_[level]) return level;
      at -= loads_[level];
    }
    return last_;
  }

  // A level that takes calls as soon as it is connected, and until then none that would connect it:
  // one call's way there is looked at for the connections it would make.
  void ConnectMore(const PickArgs& args, PickResult& result) const {
    if (!result.connect().empty()) return;  // the next call then
    for (std::size_t i = 0; i < kLevels; ++i) {
      const std::uint32_t bit = 1u << i;
      if ((unasked_.fetch_and(~bit, std::memory_order_relaxed) & bit) == 0) continue;
      result.Connect(levels_[i].child->Pick(args).connect());
      return;
    }
  }

  const Locality own_;
  std::array<Level, kLevels> levels_;
  std::vector<double> loads_;
  std::size_t last_ = 0;
  std::unique_ptr<const Picker> all_;              // where it decides: no level takes calls
  mutable std::atomic<std::uint32_t> unasked_{0};  // levels, as bits
};

std::string Environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::shared_ptr<const PickerBuilder> LocalityBuilder::Configure(ConfigReader& config) const {
  LocalityConfig result;
  result.own.region = config.String("region", "");
  result.own.zone = config.String("zone", "");
  if (result.own.region.empty()) result.own.region = Environment("TURNOUT_REGION");
  if (result.own.zone.empty()) result.own.zone = Environment("TURNOUT_ZONE");
  result.overprovisioning = config.Number(
      "overprovisioning", {.otherwise = result.overprovisioning, .least = 1, .most = 100});
  result.minimum_cluster_size = static_cast<std::size_t>(
      config.Integer("minimumClusterSize", {.otherwise = 6, .least = 0, .most = 1'000'000}));
  result.child = config.Child("child", "random");
  return std::make_shared<LocalityBuilder>(std::move(result));
}

std::unique_ptr<const Picker> LocalityBuilder::Build(EndpointGroup group) const {
  std::array<EndpointGroup::Members, kLevels> parts;
  const auto members = group.members();
  for (const Endpoint* const member : members) {
    parts[LevelOf(config_.own, member->instance())].push_back(member);
  }
  const bool near = !parts[0].empty() || !parts[1].empty();
  if (members.size() < config_.minimum_cluster_size || !near) {
    return config_.child->Build(group.With({members.begin(), members.end()}, "*"));
  }
  return std::make_unique<LocalityPicker>(config_, group, std::move(parts));
}

std::optional<std::chrono::milliseconds> LocalityBuilder::rebuild_period() const {
  return config_.child->rebuild_period();
}

}  // namespace turnout::balance
