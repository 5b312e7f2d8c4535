#include "src/balance/slow_start/growth.h"

#include <algorithm>
#include <cmath>

namespace turnout::balance {

double Growth::At(std::chrono::steady_clock::duration age) const {
  if (age >= window) return 1;
  const double grown =
      std::max(0.0, std::chrono::duration<double>(age) / std::chrono::duration<double>(window));
  return std::max(minimum, aggression == 1 ? grown : std::pow(grown, 1 / aggression));
}

}  // namespace turnout::balance
