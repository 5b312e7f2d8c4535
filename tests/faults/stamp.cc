#include "tests/faults/stamp.h"

#include <random>

#include "tests/faults/event.h"

namespace turnout::faults {
namespace {

class StampPicker final : public Picker {
 public:
  explicit StampPicker(const EndpointGroup& group) : group_(group) {}

  PickResult Pick(const PickArgs& /*args*/) const override {
    thread_local std::minstd_rand random;
    const auto candidates = group_.candidates();
    const Endpoint& chosen = *candidates[random() % candidates.size()];
    return PickResult::To(chosen).AddMetadata(kPickedKey, chosen.instance().id);
  }

 private:
  const EndpointGroup& group_;
};

}  // namespace

std::unique_ptr<const Picker> StampPickerBuilder::BuildChoice(const EndpointGroup& group) const {
  return std::make_unique<StampPicker>(group);
}

}  // namespace turnout::faults
