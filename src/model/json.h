// JSON as records use it: read with limits, written as Go writes it. Pure.
#ifndef TURNOUT_SRC_MODEL_JSON_H_
#define TURNOUT_SRC_MODEL_JSON_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "nlohmann/json.hpp"
#include "src/model/record.h"

namespace turnout::model {

// Whether `text` may be handed to the parser: its size, and how deep its brackets nest (a deep
// document would exhaust the stack of whoever walks over it).
absl::Status CheckLimits(std::string_view text, const RecordLimits& limits);

// `Json`: nlohmann::json or nlohmann::ordered_json. Of duplicate keys the last one wins, as in Go.
template <typename Json>
absl::Status ParseJson(std::string_view text, const RecordLimits& limits, Json& result) {
  if (absl::Status status = CheckLimits(text, limits); !status.ok()) return status;
  try {
    result = Json::parse(text.begin(), text.end());
    return absl::OkStatus();
  } catch (const nlohmann::json::parse_error& error) {
    return absl::InvalidArgumentError("must be UTF-8 JSON, is not at byte " +
                                      std::to_string(error.byte));
  } catch (const nlohmann::json::out_of_range&) {
    return absl::InvalidArgumentError("must hold no number beyond the range of a double");
  }
}

// Appends the JSON string that Go's encoding/json makes of `text`: <, >, &, U+2028 and U+2029 are
// escaped too, and bytes that are not UTF-8 become U+FFFD.
void AppendGoString(std::string_view text, std::string& out);

}  // namespace turnout::model

#endif  // TURNOUT_SRC_MODEL_JSON_H_
