#include "src/registry/rules_history.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/time/time.h"
#include "src/model/json.h"
#include "src/model/text.h"

namespace turnout::registry {
namespace {

using nlohmann::json;

constexpr std::size_t kDigits = 10;
constexpr int kMostNumber = 1'000'000'000;
constexpr model::RecordLimits kLimits = {.size_bytes = 2 * 1024 * 1024, .depth = 2};
constexpr char kTime[] = "%Y-%m-%dT%H:%M:%E6SZ";

std::optional<int> ParseNumber(std::string_view text) {
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  const bool right = text.size() == kDigits && error == std::errc() && stop == end && number > 0 &&
                     number <= kMostNumber;
  return right ? std::optional(number) : std::nullopt;
}

// Empty if it is not there, or no text.
std::string Text(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return "";
  return found->get<std::string>();
}

}  // namespace

std::string HistoryKey(std::string_view prefix, int number) {
  const std::string digits = std::to_string(number);
  return model::Concat({prefix, std::string(kDigits - digits.size(), '0'), digits});
}

std::string HistoryValue(const RulesVersion& version) {
  const json value = {
      {"document", version.document},
      {"comment", version.comment},
      {"time", absl::FormatTime(kTime, absl::FromChrono(version.time), absl::UTCTimeZone())}};
  // A document that others wrote may be any bytes.
  return value.dump(-1, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace);
}

std::vector<HistoryEntry> ParseHistory(std::string_view prefix, std::vector<etcd::KeyValue> kvs) {
  std::vector<HistoryEntry> entries;
  for (etcd::KeyValue& kv : kvs) {
    const auto number = ParseNumber(std::string_view{kv.key}.substr(prefix.size()));
    json value;
    if (!number.has_value() || !model::ParseJson(kv.value, kLimits, value).ok() ||
        !value.is_object()) {
      continue;
    }
    absl::Time time;
    std::string why_not;
    if (!absl::ParseTime(kTime, Text(value, "time"), &time, &why_not)) time = absl::UnixEpoch();
    entries.push_back({.version = {.number = *number,
                                   .document = Text(value, "document"),
                                   .comment = Text(value, "comment"),
                                   .time = absl::ToChronoTime(time)},
                       .kv = std::move(kv)});
  }
  std::ranges::sort(entries, std::ranges::greater(),
                    [](const HistoryEntry& entry) { return entry.version.number; });
  return entries;
}

}  // namespace turnout::registry
