// What every leaf needs around its choice: the verdict when there is nothing to choose from,
// connections to what nobody has connected yet, and retries that go elsewhere.
#include <atomic>

#include "src/base/random.h"
#include "turnout/picker.h"

namespace turnout {
namespace {

// For a group without candidates.
class UnavailablePicker final : public Picker {
 public:
  explicit UnavailablePicker(EndpointGroup group) : group_(std::move(group)) {
    PickResult verdict = group_.Unavailable();
    if (verdict.kind() == PickResult::Kind::kFail) failure_ = verdict.status();
  }

  PickResult Pick(const PickArgs&) const override {
    // Composed once: calls to a dead service fail at the rate at which they are made.
    if (!failure_.ok()) return PickResult::Fail(failure_);
    return group_.Unavailable();
  }

 private:
  const EndpointGroup group_;
  absl::Status failure_;
};

class ChoosingPicker final : public Picker {
 public:
  using BuildChoice = std::unique_ptr<const Picker>(const EndpointGroup&);

  ChoosingPicker(EndpointGroup group, const std::function<BuildChoice>& build)
      : group_(std::move(group)), choice_(build(group_)), may_connect_(!group_.idle().empty()) {}

  PickResult Pick(const PickArgs& args) const override {
    PickResult result = args.attempt() == 0 ? choice_->Pick(args) : PickUntried(args);
    if (may_connect_.load(std::memory_order_relaxed)) [[unlikely]] {
      if (may_connect_.exchange(false, std::memory_order_relaxed)) result.Connect(group_.idle());
    }
    return result;
  }

 private:
  // One tried among many is soon avoided by asking again, which keeps the leaf's distribution. Few
  // candidates, or a leaf that maps the call to one of them, need the search.
  PickResult PickUntried(const PickArgs& args) const {
    constexpr int kAsks = 4;
    PickResult result = choice_->Pick(args);
    for (int asked = 1; asked < kAsks && WentThere(args, result); ++asked) {
      result = choice_->Pick(args);
    }
    if (!WentThere(args, result)) return result;
    const std::span<const Endpoint* const> ready = group_.candidates();
    const std::size_t start = base::ThreadRandom().Below(ready.size());
    for (std::size_t i = 0; i < ready.size(); ++i) {
      const Endpoint& endpoint = *ready[(start + i) % ready.size()];
      if (!args.Tried(endpoint)) return PickResult::To(endpoint);
    }
    return result;  // all have been tried: once more to one of them is better than not at all
  }

  static bool WentThere(const PickArgs& args, const PickResult& result) {
    return result.kind() == PickResult::Kind::kEndpoint && args.Tried(*result.endpoint());
  }

  const EndpointGroup group_;
  const std::unique_ptr<const Picker> choice_;
  mutable std::atomic<bool> may_connect_;  // until the first call has asked for it
};

}  // namespace

std::unique_ptr<const Picker> ChoosingPickerBuilder::Build(EndpointGroup group) const {
  if (group.candidates().empty()) return std::make_unique<UnavailablePicker>(std::move(group));
  return std::make_unique<ChoosingPicker>(
      std::move(group), [this](const EndpointGroup& kept) { return BuildChoice(kept); });
}

}  // namespace turnout
