#include "src/balance/random/random.h"

namespace turnout::balance {
namespace {

class RandomPicker final : public Picker {
 public:
  RandomPicker(std::span<const Endpoint* const> ready, base::RandomSource* source)
      : ready_(ready), source_(source) {}

  PickResult Pick(const PickArgs&) const override {
    base::RandomSource& source = source_ == nullptr ? base::ThreadRandom() : *source_;
    return PickResult::To(*ready_[source.Below(ready_.size())]);
  }

 private:
  const std::span<const Endpoint* const> ready_;
  base::RandomSource* const source_;
};

}  // namespace

std::unique_ptr<const Picker> RandomBuilder::BuildChoice(
    std::span<const Endpoint* const> ready) const {
  return std::make_unique<RandomPicker>(ready, source_);
}

}  // namespace turnout::balance
