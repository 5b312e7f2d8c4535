// The process's table of picker builders: ours and, by RegisterPickerBuilder, the user's.
#ifndef TURNOUT_SRC_BALANCE_PICKER_REGISTRY_H_
#define TURNOUT_SRC_BALANCE_PICKER_REGISTRY_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "turnout/picker.h"

namespace turnout::balance {

// As registered, without parameters; null if there is none of that name. Thread-safe.
std::shared_ptr<const PickerBuilder> FindPickerBuilder(std::string_view name);

// Sorted. Thread-safe.
std::vector<std::string> PickerNames();

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_PICKER_REGISTRY_H_
