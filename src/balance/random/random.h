// Each call goes to any endpoint, all with the same probability.
//
// Pick: O(1), one random number, no shared state. Build: O(1).
#ifndef TURNOUT_SRC_BALANCE_RANDOM_RANDOM_H_
#define TURNOUT_SRC_BALANCE_RANDOM_RANDOM_H_

#include "turnout/picker.h"

namespace turnout::balance {

class RandomBuilder final : public ChoosingPickerBuilder {
 protected:
  std::unique_ptr<const Picker> BuildChoice(const EndpointGroup& group) const override;
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_RANDOM_RANDOM_H_
