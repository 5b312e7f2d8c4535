// Do random choices follow the shares that they should have? For tests.
#ifndef TURNOUT_SRC_BALANCE_CHI_SQUARE_H_
#define TURNOUT_SRC_BALANCE_CHI_SQUARE_H_

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

namespace turnout::balance::testing {

// Pearson's test: fails where the deviation of `counts` from shares in proportion to `weights` is
// exceeded by chance once in 1,000 seeds. A weight of 0 allows no count. Each expected count should
// be 5 or more.
inline ::testing::AssertionResult FollowsWeights(const std::vector<int>& counts,
                                                 const std::vector<double>& weights) {
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  double deviation = 0;
  int freedom = -1;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double expected = total * weights[i] / sum;
    if (expected == 0) {
      if (counts[i] == 0) continue;
      return ::testing::AssertionFailure() << counts[i] << " of weight 0, at " << i;
    }
    deviation += (counts[i] - expected) * (counts[i] - expected) / expected;
    ++freedom;
  }
  if (freedom < 1) return ::testing::AssertionSuccess();
  // The quantile by Wilson and Hilferty (1931).
  constexpr double kNormal = 3.09;
  const double spread = 2.0 / (9.0 * freedom);
  const double limit = freedom * std::pow(1 - spread + kNormal * std::sqrt(spread), 3);
  if (deviation <= limit) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << "chi-square " << deviation << " above " << limit << " at " << freedom << " degrees";
}

}  // namespace turnout::balance::testing

#endif  // TURNOUT_SRC_BALANCE_CHI_SQUARE_H_
