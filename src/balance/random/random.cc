#include "src/balance/random/random.h"

#include "src/base/random.h"

namespace turnout::balance {
namespace {

class RandomPicker final : public Picker {
 public:
  explicit RandomPicker(std::span<const Endpoint* const> ready) : ready_(ready) {}

  PickResult Pick(const PickArgs&) const override {
    return PickResult::To(*ready_[base::ThreadRandom().Below(ready_.size())]);
  }

 private:
  const std::span<const Endpoint* const> ready_;
};

}  // namespace

std::unique_ptr<const Picker> RandomBuilder::BuildChoice(const EndpointGroup& group) const {
  return std::make_unique<RandomPicker>(group.candidates());
}

}  // namespace turnout::balance
