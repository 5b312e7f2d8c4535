// What there is, for messages about what there is not.
#ifndef TURNOUT_SRC_BALANCE_CENSUS_H_
#define TURNOUT_SRC_BALANCE_CENSUS_H_

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "src/model/text.h"

namespace turnout::balance {

// "v1 ×2, v2 ×1": the first ten in order, and how many more there are. `print` makes text of a
// name.
template <typename Name, typename Print>
std::string Census(std::vector<std::pair<Name, std::size_t>> counts, const Print& print) {
  constexpr std::size_t kMostShown = 10;
  if (counts.empty()) return "none";
  const std::size_t shown = std::min(kMostShown, counts.size());
  std::partial_sort(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(shown),
                    counts.end());
  std::string list;
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) list += ", ";
    list += model::Concat({print(counts[i].first), " ×", std::to_string(counts[i].second)});
  }
  if (shown < counts.size()) list += " and " + std::to_string(counts.size() - shown) + " more";
  return list;
}

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_CENSUS_H_
