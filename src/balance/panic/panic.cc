#include "src/balance/panic/panic.h"

#include <cstddef>
#include <string>

#include "src/base/random.h"
#include "src/model/text.h"
#include "turnout/config_reader.h"

namespace turnout::balance {
namespace {

struct Counts {
  std::size_t ready = 0;
  std::size_t unhealthy = 0;
  std::size_t failing = 0;

  std::size_t all() const { return ready + unhealthy + failing; }
  bool Below(double threshold) const {
    return static_cast<double>(ready) < threshold * static_cast<double>(all());
  }
};

Counts Count(const EndpointGroup& group) {
  Counts counts;
  for (const Endpoint* const member : group.members()) {
    if (member->member.status != InstanceStatus::kRegistered) continue;
    if (member->state == ConnectionState::kReady) ++counts.ready;
    if (member->state == ConnectionState::kUnhealthy) ++counts.unhealthy;
    if (member->state == ConnectionState::kFailing) ++counts.failing;
  }
  return counts;
}

// Lets through as many calls as those that can be reached would get if all could.
class ShareFailingPicker final : public Picker {
 public:
  ShareFailingPicker(const Counts& counts, std::string_view service,
                     std::unique_ptr<const Picker> child)
      : failing_(counts.failing),
        all_(counts.all()),
        status_(absl::UnavailableError(model::Concat(
            {"panic: of ", std::to_string(counts.all()), " instances of ", service, " ",
             std::to_string(counts.ready), " are ready, ", std::to_string(counts.unhealthy),
             " unhealthy, ", std::to_string(counts.failing),
             " cannot be reached; this call would have gone to one of the last"}))),
        child_(std::move(child)) {}

  PickResult Pick(const PickArgs& args) const override {
    if (base::ThreadRandom().Below(all_) < failing_) return PickResult::Fail(status_);
    return child_->Pick(args);
  }

  bool Wants(const Endpoint& endpoint) const override { return child_->Wants(endpoint); }

 private:
  const std::size_t failing_;  // of `all_`
  const std::size_t all_;
  const absl::Status status_;
  const std::unique_ptr<const Picker> child_;
};

}  // namespace

std::shared_ptr<const PickerBuilder> PanicBuilder::Configure(ConfigReader& config) const {
  constexpr std::string_view kUnreachable[] = {"skip", "fail"};
  PanicConfig result;
  result.threshold =
      config.Number("threshold", {.otherwise = result.threshold, .least = 0, .most = 1});
  result.unreachable =
      static_cast<PanicConfig::Unreachable>(config.Choice("unreachable", kUnreachable, 0));
  result.child = config.Child("child", "random");
  return std::make_shared<PanicBuilder>(std::move(result));
}

std::unique_ptr<const Picker> PanicBuilder::Build(EndpointGroup group) const {
  const Counts counts = Count(group);
  if (!counts.Below(config_.threshold)) return config_.child->Build(std::move(group));
  const std::string_view service = group.service();
  EndpointGroup all = std::move(group).IgnoringHealth();
  // Where none can be reached, the child says more of the reason than we could.
  const bool fails = config_.unreachable == PanicConfig::Unreachable::kFail && counts.failing > 0 &&
                     !all.candidates().empty();
  auto child = config_.child->Build(std::move(all));
  if (!fails) return child;
  return std::make_unique<ShareFailingPicker>(counts, service, std::move(child));
}

std::optional<std::chrono::milliseconds> PanicBuilder::rebuild_period() const {
  return config_.child->rebuild_period();
}

}  // namespace turnout::balance
