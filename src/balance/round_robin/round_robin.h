// Calls go to the endpoints in turn: any n calls in a row at n endpoints reach each of them once,
// whatever threads they come from.
//
// The turn begins at a random endpoint, since pickers are rebuilt often, and a fleet of clients
// that all began with the first would overload it. Pick: O(1), one atomic increment. Build: O(1).
#ifndef TURNOUT_SRC_BALANCE_ROUND_ROBIN_ROUND_ROBIN_H_
#define TURNOUT_SRC_BALANCE_ROUND_ROBIN_ROUND_ROBIN_H_

#include "turnout/picker.h"

namespace turnout::balance {

class RoundRobinBuilder final : public ChoosingPickerBuilder {
 protected:
  std::unique_ptr<const Picker> BuildChoice(const EndpointGroup& group) const override;
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_ROUND_ROBIN_ROUND_ROBIN_H_
