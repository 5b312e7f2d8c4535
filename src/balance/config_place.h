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

struct Place {
  std::string path;
  int nesting = 0;                   // pickers around this place
  std::vector<std::string>* errors;  // of the whole configuration, so far

  Place At(std::string_view key) const;  // path.key
  Place At(std::size_t index) const;     // path[index]
  void Error(std::string_view what) const;
};

// `value` must be an object: has `read` read it, then reports the keys that it did not ask for.
void ReadObject(const nlohmann::json& value, const Place& place,
                const std::function<void(ConfigReader&)>& read);

// All errors in one InvalidArgument; OK if there are none.
absl::Status ToStatus(const std::vector<std::string>& errors);

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_CONFIG_PLACE_H_
