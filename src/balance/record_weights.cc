#include "src/balance/record_weights.h"

#include <algorithm>
#include <functional>

namespace turnout::balance {

std::vector<std::uint32_t> RecordWeights(std::span<const Endpoint* const> endpoints) {
  constexpr std::uint32_t kMost = 65'535;  // also for instances that come from elsewhere
  std::vector<std::uint32_t> weights;
  weights.reserve(endpoints.size());
  bool all_zero = true;
  for (const Endpoint* const endpoint : endpoints) {
    weights.push_back(std::min(endpoint->instance().weight, kMost));
    all_zero = all_zero && weights.back() == 0;
  }
  if (all_zero) std::ranges::fill(weights, 1);
  return weights;
}

bool AllEqual(std::span<const std::uint32_t> weights) {
  return std::ranges::adjacent_find(weights, std::ranges::not_equal_to()) == weights.end();
}

}  // namespace turnout::balance
