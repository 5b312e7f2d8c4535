#include "src/balance/alias_table.h"

#include <numeric>

namespace turnout::balance {

AliasTable::AliasTable(std::span<const std::uint32_t> weights) : slots_(weights.size()) {
  const std::uint64_t n = weights.size();
  // Times n, so that the mean, which is what fills a slot, is the whole number `full`.
  const auto full = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
  std::vector<std::uint64_t> rest(n);
  std::vector<std::uint32_t> order(n);  // first those below `full`, then the others
  std::size_t below = 0;                // where the others begin
  for (std::uint32_t i = 0, above = static_cast<std::uint32_t>(n); i < n; ++i) {
    slots_[i] = {0, i};
    rest[i] = weights[i] * n;
    order[rest[i] < full ? below++ : --above] = i;
  }
  // What is below `full` has the rest of its slot filled by one that is not. That one may fall
  // below `full` itself, and is filled in its turn; what remains always sums to `full` for each
  // slot.
  for (std::size_t i = 0; i < below; ++i) {
    const std::uint32_t small = order[i];
    const std::uint32_t large = order[below];
    const double share = static_cast<double>(rest[small]) / static_cast<double>(full);
    slots_[small] = {static_cast<std::uint32_t>(share * 0x1p32), large};
    rest[large] -= full - rest[small];
    if (rest[large] < full) ++below;
  }
}

}  // namespace turnout::balance
