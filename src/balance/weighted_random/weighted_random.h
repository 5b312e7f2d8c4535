// Each call goes to any endpoint, with probability in proportion to the weight that its record
// states.
//
//   {"weighted_random": {}}
//
// An endpoint of weight 0 gets no calls, unless all have weight 0: then all count alike.
//
// Pick: O(1), one random number, no shared state. Build: O(endpoints), an alias table.
#ifndef TURNOUT_SRC_BALANCE_WEIGHTED_RANDOM_WEIGHTED_RANDOM_H_
#define TURNOUT_SRC_BALANCE_WEIGHTED_RANDOM_WEIGHTED_RANDOM_H_

#include "turnout/picker.h"

namespace turnout::balance {

class WeightedRandomBuilder final : public ChoosingPickerBuilder {
 protected:
  std::unique_ptr<const Picker> BuildChoice(const EndpointGroup& group) const override;
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_WEIGHTED_RANDOM_WEIGHTED_RANDOM_H_
