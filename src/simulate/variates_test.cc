#include "src/simulate/variates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "src/simulate/measurement.h"

namespace turnout::simulate {
namespace {

template <typename Draw>
std::vector<double> Sorted(Draw draw) {
  base::SeededRandom source(5);
  std::vector<double> values(200'000);
  for (double& value : values) value = draw(source);
  std::ranges::sort(values);
  return values;
}

double Mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

TEST(VariatesTest, LogNormalHasMeanOneAndItsQuantiles) {
  const auto values = Sorted([](base::RandomSource& source) { return LogNormal(source, 1); });
  EXPECT_NEAR(Mean(values), 1, 0.02);
  EXPECT_NEAR(Quantile(values, 0.5), std::exp(-0.5), 0.01);
  EXPECT_NEAR(Quantile(values, 0.99), std::exp(2.3263 - 0.5), 0.15);
}

TEST(VariatesTest, LogNormalWithoutSpreadIsOne) {
  base::SeededRandom source(5);
  EXPECT_EQ(LogNormal(source, 0), 1);
}

TEST(VariatesTest, ExponentialHasItsMeanAndItsMedian) {
  const auto values = Sorted([](base::RandomSource& source) { return Exponential(source, 3); });
  EXPECT_NEAR(Mean(values), 3, 0.03);
  EXPECT_NEAR(Quantile(values, 0.5), 3 * std::log(2), 0.03);
}

TEST(VariatesTest, UniformFillsItsRange) {
  const auto values = Sorted([](base::RandomSource& source) { return Uniform(source, 2, 4); });
  EXPECT_NEAR(values.front(), 2, 0.001);
  EXPECT_NEAR(Mean(values), 3, 0.01);
  EXPECT_NEAR(values.back(), 4, 0.001);
}

}  // namespace
}  // namespace turnout::simulate
