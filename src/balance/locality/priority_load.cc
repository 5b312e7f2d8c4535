#include "src/balance/locality/priority_load.h"

#include <algorithm>
#include <numeric>

namespace turnout::balance {

std::vector<double> PriorityLoads(std::span<const LevelHealth> levels, double overprovisioning) {
  std::vector<double> loads;
  loads.reserve(levels.size());
  double left = 1;
  for (const LevelHealth& level : levels) {
    const double healthy = static_cast<double>(level.healthy);
    const double total = static_cast<double>(std::max<std::size_t>(level.total, 1));
    loads.push_back(std::min(left, overprovisioning * healthy / total));
    left -= loads.back();
  }
  const double sum = std::accumulate(loads.begin(), loads.end(), 0.0);
  if (sum > 0) {
    for (double& load : loads) load /= sum;
  }
  return loads;
}

}  // namespace turnout::balance
