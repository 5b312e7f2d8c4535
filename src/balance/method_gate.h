// Keeps calls away from endpoints on which their method is switched off.
#ifndef TURNOUT_SRC_BALANCE_METHOD_GATE_H_
#define TURNOUT_SRC_BALANCE_METHOD_GATE_H_

#include <cstddef>
#include <memory>

#include "turnout/picker.h"

namespace turnout::balance {

// How many different sets of left-out endpoints have a picker each.
inline constexpr std::size_t kMostMethodBranches = 64;

// A picker by `builder` over all of `group`, for methods that are on everywhere, and others over
// what remains, for methods that are off somewhere: methods that are off on the same endpoints
// share one. It is all built here, so that Pick neither builds nor waits.
//
// Beyond kMostMethodBranches different sets, those methods that are off on the fewest endpoints
// share one picker, which leaves out the endpoints that have any of them off. Such a call never
// reaches an endpoint that refuses it, but may miss a few that would take it.
std::unique_ptr<const Picker> BuildMethodGate(const PickerBuilder& builder, EndpointGroup group);

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_METHOD_GATE_H_
