#include "tests/faults/stamp.h"

#include <random>
#include <utility>

#include "tests/faults/event.h"

namespace turnout::faults {
namespace {

class StampPicker final : public Picker {
 public:
  StampPicker(const EndpointGroup& group, PickLog& log) : group_(group), log_(log) {}

  PickResult Pick(const PickArgs& args) const override {
    thread_local std::minstd_rand random;
    const auto candidates = group_.candidates();
    const Endpoint& chosen = *candidates[random() % candidates.size()];
    if (const auto number = args.Metadata(kNumberKey)) {
      log_.Note(std::string(*number), chosen.instance().address());
    }
    return PickResult::To(chosen).AddMetadata(kPickedKey, chosen.instance().id);
  }

 private:
  const EndpointGroup& group_;
  PickLog& log_;
};

}  // namespace

void PickLog::Note(std::string call, std::string address) {
  const std::lock_guard<std::mutex> lock(mutex_);
  addresses_.insert_or_assign(std::move(call), std::move(address));
}

std::string PickLog::Take(const std::string& call) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto node = addresses_.extract(call);
  return node.empty() ? "" : std::move(node.mapped());
}

std::unique_ptr<const Picker> StampPickerBuilder::BuildChoice(const EndpointGroup& group) const {
  return std::make_unique<StampPicker>(group, log_);
}

}  // namespace turnout::faults
