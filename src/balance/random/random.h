// Each call goes to any endpoint, all with the same probability.
//
// Pick: O(1), one random number, no shared state. Build: O(1).
#ifndef TURNOUT_SRC_BALANCE_RANDOM_RANDOM_H_
#define TURNOUT_SRC_BALANCE_RANDOM_RANDOM_H_

#include "src/base/random.h"
#include "turnout/picker.h"

namespace turnout::balance {

class RandomBuilder final : public ChoosingPickerBuilder {
 public:
  // Null: the calling thread's own. Another one must outlive the pickers and bear their threads.
  explicit RandomBuilder(base::RandomSource* source = nullptr) : source_(source) {}

 protected:
  std::unique_ptr<const Picker> BuildChoice(std::span<const Endpoint* const> ready) const override;

 private:
  base::RandomSource* const source_;
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_RANDOM_RANDOM_H_
