#include "src/balance/subset/ranking.h"

#include <algorithm>

#include "src/balance/hash.h"

namespace turnout::balance {

std::vector<const Endpoint*> LowestRanked(std::span<const Endpoint* const> members,
                                          std::size_t size, std::uint64_t seed) {
  if (members.size() <= size) return {members.begin(), members.end()};
  struct Ranked {
    std::uint64_t hash;
    std::size_t at;
  };
  std::vector<Ranked> ranked;
  ranked.reserve(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    ranked.push_back({Hash(members[i]->instance().address(), seed), i});
  }
  // Instances may share an address; ids tell them apart.
  const auto below = [&](const Ranked& a, const Ranked& b) {
    if (a.hash != b.hash) return a.hash < b.hash;
    return members[a.at]->instance().id < members[b.at]->instance().id;
  };
  const auto end = ranked.begin() + static_cast<std::ptrdiff_t>(size);
  std::nth_element(ranked.begin(), end, ranked.end(), below);
  ranked.erase(end, ranked.end());
  std::ranges::sort(ranked, {}, &Ranked::at);
  std::vector<const Endpoint*> lowest;
  lowest.reserve(size);
  for (const Ranked& each : ranked) lowest.push_back(members[each.at]);
  return lowest;
}

}  // namespace turnout::balance
