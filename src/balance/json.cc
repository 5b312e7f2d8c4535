#include "src/balance/json.h"

#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "src/model/json.h"

namespace turnout::balance {
namespace {

using nlohmann::json;

// Values are printed and walked by recursion.
constexpr model::RecordLimits kLimits = {.size_bytes = 1024 * 1024, .depth = 64};

// Watches a parse for keys that stand twice in an object, which nlohmann's parser lets through.
class DuplicateKeys {
 public:
  bool operator()(int /*depth*/, json::parse_event_t event, const json& parsed) {
    switch (event) {
      case json::parse_event_t::object_start:
        keys_.emplace_back();
        break;
      case json::parse_event_t::key:
        if (!keys_.back().insert(parsed.get<std::string>()).second) {
          fault_ = "the key " + Shown(parsed) + " stands twice in one object";
        }
        break;
      case json::parse_event_t::object_end:
        keys_.pop_back();
        break;
      default:
        break;
    }
    return true;
  }
  const std::string& fault() const { return fault_; }

 private:
  std::vector<std::set<std::string>> keys_;  // of the objects that are open
  std::string fault_;
};

// "[json.exception.parse_error.101] parse error at line 1, column 2: … - …; last read: '…'":
// without the prefix, and without the quotation, which may be any bytes.
std::string Explain(const json::exception& error) {
  const std::string_view whole = error.what();
  const auto prefix_end = whole.find("] ");
  const std::string_view text =
      prefix_end == std::string_view::npos ? whole : whole.substr(prefix_end + 2);
  return std::string(text.substr(0, text.find("; last read")));
}

}  // namespace

absl::StatusOr<json> ParseJson(std::string_view text) {
  if (absl::Status status = model::CheckLimits(text, kLimits); !status.ok()) return status;
  DuplicateKeys duplicates;
  try {
    json value = json::parse(text.begin(), text.end(), std::ref(duplicates));
    if (duplicates.fault().empty()) return value;
    return absl::InvalidArgumentError(duplicates.fault());
  } catch (const json::exception& error) {
    return absl::InvalidArgumentError("not valid JSON: " + Explain(error));
  }
}

std::string Shown(const json& value) {
  constexpr std::size_t kMostBytes = 64;
  std::string text = value.dump(-1, ' ', /*ensure_ascii=*/true, json::error_handler_t::replace);
  if (text.size() > kMostBytes) text.replace(kMostBytes, std::string::npos, "…");
  return text;
}

}  // namespace turnout::balance
