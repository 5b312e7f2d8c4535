// Where we are in a configuration: the inside of turnout/config_reader.h.
#ifndef TURNOUT_SRC_BALANCE_CONFIG_PLACE_H_
#define TURNOUT_SRC_BALANCE_CONFIG_PLACE_H_

#include <cstddef>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "turnout/config_reader.h"

namespace turnout::balance {

// A parameter of a picker: `choiceCount`, `2`, `integer, 2 to 10`.
struct Parameter {
  std::string name;
  std::string otherwise;  // what it is when it is missing, as JSON
  std::string allowed;
};

struct Place {
  std::string path;
  int nesting = 0;                               // pickers around this place
  std::vector<std::string>* errors;              // of the whole configuration, so far
  std::vector<Parameter>* parameters = nullptr;  // filled if somebody wants a description

  Place At(std::string_view key) const;  // path.key
  Place At(std::size_t index) const;     // path[index]
  void Error(std::string_view what) const;
};

// `value` must be an object: has `read` read it, then reports the keys that it did not ask for.
void ReadObject(const nlohmann::json& value, const Place& place,
                const std::function<void(ConfigReader&)>& read);

// What `builder` would read, in this order; parameters of objects in a list as `selectors[].keys`.
std::vector<Parameter> DescribeParameters(const PickerBuilder& builder);

// All errors in one InvalidArgument; OK if there are none.
absl::Status ToStatus(const std::vector<std::string>& errors);

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_CONFIG_PLACE_H_
