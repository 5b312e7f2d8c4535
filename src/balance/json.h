// JSON text from service configs.
#ifndef TURNOUT_SRC_BALANCE_JSON_H_
#define TURNOUT_SRC_BALANCE_JSON_H_

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace turnout::balance {

// InvalidArgument gives the position of a syntax error. Strict where nlohmann's parser is lenient:
// a key must not stand twice in an object, and values are at most 64 deep.
absl::StatusOr<nlohmann::json> ParseJson(std::string_view text);

// `value` as JSON, shortened for a message.
std::string Shown(const nlohmann::json& value);

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_JSON_H_
