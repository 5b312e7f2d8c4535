// The pickers that come with the library.
//
// To add one: a folder beside `random/` with the builder and its tests, listed in CMakeLists.txt,
// and one line in builtins.cc. Nothing else knows the pickers by name.
#ifndef TURNOUT_SRC_BALANCE_BUILTINS_H_
#define TURNOUT_SRC_BALANCE_BUILTINS_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "turnout/picker.h"

namespace turnout::balance {

using BuildersByName = std::map<std::string, std::shared_ptr<const PickerBuilder>, std::less<>>;

BuildersByName BuiltinPickerBuilders();

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_BUILTINS_H_
