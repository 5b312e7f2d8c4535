#include "src/balance/label_match/labels.h"

#include <algorithm>
#include <utility>

#include "src/balance/hash.h"

namespace turnout::balance {

std::optional<std::string_view> LabelOf(const Instance& instance, const std::string& key) {
  if (key == "version") return instance.version;
  const auto found = instance.metadata.find(key);
  if (found == instance.metadata.end()) return std::nullopt;
  return found->second;
}

// Each value's hash is the next one's seed, so that ("ab", "c") and ("a", "bc") differ.
std::size_t LabelValuesHash::operator()(LabelValuesView values) const {
  std::uint64_t hash = 0;
  for (const std::string_view value : values) hash = Hash(value, hash);
  return hash;
}

bool LabelValuesEqual::operator()(LabelValuesView a, LabelValuesView b) const {
  return std::ranges::equal(a, b);
}

bool ReadLabels(const Instance& instance, std::span<const std::string> keys, LabelValues& values) {
  values.clear();
  for (const std::string& key : keys) {
    const std::optional<std::string_view> value = LabelOf(instance, key);
    if (!value.has_value()) return false;
    values.push_back(*value);
  }
  return true;
}

ByLabelValues<std::vector<const Endpoint*>> DivideByLabels(std::span<const Endpoint* const> members,
                                                           std::span<const std::string> keys) {
  ByLabelValues<std::vector<const Endpoint*>> parts;
  // Neighbours mostly share their labels, so the last part is tried before the table.
  decltype(parts)::value_type* last = nullptr;
  LabelValues values;
  for (const Endpoint* const member : members) {
    if (!ReadLabels(member->instance(), keys, values)) continue;
    if (last == nullptr || last->first != values) last = &*parts.try_emplace(values).first;
    last->second.push_back(member);
  }
  return parts;
}

}  // namespace turnout::balance
