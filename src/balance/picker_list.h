// Lists of pickers in a configuration: [{"version": {…}}, {"random": {}}].
#ifndef TURNOUT_SRC_BALANCE_PICKER_LIST_H_
#define TURNOUT_SRC_BALANCE_PICKER_LIST_H_

#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "src/balance/config_place.h"
#include "turnout/picker.h"

namespace turnout::balance {

// Is `element` what such lists, and gRPC's lists of policies, consist of: an object with one key?
// Reports it if not.
bool CheckNamed(const nlohmann::json& element, const Place& place);

// The first picker of `list` that is known, with its parameters. The elements after it are looked
// at no further, as in gRPC. Never null: after an error it is a picker that is never used.
std::shared_ptr<const PickerBuilder> ReadPickers(const nlohmann::json& list, const Place& place);

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_PICKER_LIST_H_
