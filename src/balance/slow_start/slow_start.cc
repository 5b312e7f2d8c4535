#include "src/balance/slow_start/slow_start.h"

#include <algorithm>
#include <atomic>

#include "src/base/clock.h"
#include "src/base/random.h"
#include "turnout/config_reader.h"

namespace turnout::balance {
namespace {

using base::TimePoint;

// The clock's beginning: always. Who has no time does not wait for one.
constexpr TimePoint kAlways = TimePoint::min();

TimePoint ServingSince(const Endpoint& endpoint) {
  return endpoint.serving_since.value_or(kAlways);
}

class SlowStartPicker final : public Picker {
 public:
  // `oldest` and `youngest`: since when those serve, of the candidates.
  SlowStartPicker(const Growth& growth, TimePoint oldest, TimePoint youngest,
                  std::unique_ptr<const Picker> child)
      : growth_(growth),
        oldest_(oldest),
        end_(youngest + growth.window),
        child_(std::move(child)) {}

  PickResult Pick(const PickArgs& args) const override {
    if (!slows_.load(std::memory_order_relaxed)) return child_->Pick(args);
    const TimePoint now = base::CoarseNow();
    if (now >= end_) {
      slows_.store(false, std::memory_order_relaxed);
      return child_->Pick(args);
    }
    return PickSlowly(args, now);
  }

  bool Wants(const Endpoint& endpoint) const override { return child_->Wants(endpoint); }

 private:
  PickResult PickSlowly(const PickArgs& args, TimePoint now) const {
    constexpr int kRefusals = 8;
    PickResult result = child_->Pick(args);
    for (int refused = 0; refused < kRefusals && !Accept(result, now); ++refused) {
      // Its connections are asked for once, and so must not get lost.
      const auto connect = result.connect();
      result = child_->Pick(args);
      if (result.connect().empty()) result.Connect(connect);
    }
    return result;
  }

  bool Accept(const PickResult& result, TimePoint now) const {
    if (result.kind() != PickResult::Kind::kEndpoint) return true;
    const TimePoint since = ServingSince(*result.endpoint());
    if (since <= oldest_) return true;
    const double grown = growth_.At(Age(since, now));
    if (grown == 1) return true;
    return base::ThreadRandom().Fraction() * growth_.At(Age(oldest_, now)) < grown;
  }

  static TimePoint::duration Age(TimePoint since, TimePoint now) {
    return since == kAlways ? TimePoint::duration::max() : now - since;
  }

  const Growth growth_;
  const TimePoint oldest_;
  const TimePoint end_;  // when the youngest has grown up
  const std::unique_ptr<const Picker> child_;
  mutable std::atomic<bool> slows_{true};  // until end_
};

}  // namespace

std::shared_ptr<const PickerBuilder> SlowStartBuilder::Configure(ConfigReader& config) const {
  using std::chrono::milliseconds;
  constexpr double kPercent = 100;
  SlowStartConfig result;
  Growth& growth = result.growth;
  growth.window = config.Duration(
      "window",
      {.otherwise = growth.window, .least = milliseconds(1), .most = std::chrono::hours(24)});
  growth.aggression =
      config.Number("aggression", {.otherwise = growth.aggression, .least = 0.01, .most = 100});
  growth.minimum =
      config.Number("minWeightPercent",
                    {.otherwise = growth.minimum * kPercent, .least = 1, .most = 100}) /
      kPercent;
  result.child = config.Child("child", "random");
  return std::make_shared<SlowStartBuilder>(std::move(result));
}

std::unique_ptr<const Picker> SlowStartBuilder::Build(EndpointGroup group) const {
  TimePoint oldest = TimePoint::max();
  TimePoint youngest = kAlways;
  for (const Endpoint* const candidate : group.candidates()) {
    const TimePoint since = ServingSince(*candidate);
    oldest = std::min(oldest, since);
    youngest = std::max(youngest, since);
  }
  auto child = config_.child->Build(std::move(group));
  // Those of one age need no difference made between them.
  if (oldest >= youngest || base::Now() >= youngest + config_.growth.window) return child;
  return std::make_unique<SlowStartPicker>(config_.growth, oldest, youngest, std::move(child));
}

std::optional<std::chrono::milliseconds> SlowStartBuilder::rebuild_period() const {
  return config_.child->rebuild_period();
}

}  // namespace turnout::balance
