#include "src/balance/weighted_random/weighted_random.h"

#include "src/balance/alias_table.h"
#include "src/balance/record_weights.h"
#include "src/base/random.h"

namespace turnout::balance {
namespace {

class WeightedRandomPicker final : public Picker {
 public:
  explicit WeightedRandomPicker(std::span<const Endpoint* const> ready)
      : ready_(ready), table_(RecordWeights(ready)) {}

  PickResult Pick(const PickArgs&) const override {
    return PickResult::To(*ready_[table_.Draw(base::ThreadRandom())]);
  }

 private:
  const std::span<const Endpoint* const> ready_;
  const AliasTable table_;
};

}  // namespace

std::unique_ptr<const Picker> WeightedRandomBuilder::BuildChoice(const EndpointGroup& group) const {
  return std::make_unique<WeightedRandomPicker>(group.candidates());
}

}  // namespace turnout::balance
