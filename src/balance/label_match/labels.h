// Instances by their labels: which have which values. Pure.
#ifndef TURNOUT_SRC_BALANCE_LABEL_MATCH_LABELS_H_
#define TURNOUT_SRC_BALANCE_LABEL_MATCH_LABELS_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "turnout/endpoint.h"

namespace turnout::balance {

// The instance's version for the label `version`; else what its metadata has under `key`.
std::optional<std::string_view> LabelOf(const Instance& instance, const std::string& key);

// One value for each of several keys, in the keys' order.
using LabelValues = std::vector<std::string_view>;
using LabelValuesView = std::span<const std::string_view>;

struct LabelValuesHash {
  using is_transparent = void;
  std::size_t operator()(LabelValuesView values) const;
};

struct LabelValuesEqual {
  using is_transparent = void;
  bool operator()(LabelValuesView a, LabelValuesView b) const;
};

// Looked up with a LabelValuesView, without an allocation.
template <typename T>
using ByLabelValues = std::unordered_map<LabelValues, T, LabelValuesHash, LabelValuesEqual>;

// The instance's values for `keys` in `values`; false if it lacks one.
bool ReadLabels(const Instance& instance, std::span<const std::string> keys, LabelValues& values);

// `members` by their values for `keys`; those that lack a key are left out. The values point into
// the instances.
ByLabelValues<std::vector<const Endpoint*>> DivideByLabels(std::span<const Endpoint* const> members,
                                                           std::span<const std::string> keys);

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_LABEL_MATCH_LABELS_H_
