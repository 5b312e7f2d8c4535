#include "bench/support/statistics.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace turnout::bench {
namespace {

// 1, 2, …, n, largest first.
std::vector<double> Countdown(int n) {
  std::vector<double> values(static_cast<std::size_t>(n));
  std::iota(values.rbegin(), values.rend(), 1.0);
  return values;
}

TEST(StatisticsTest, MedianOfOddAndEvenCounts) {
  EXPECT_EQ(Median({5}), 5);
  EXPECT_EQ(Median({9, 1, 4}), 4);
  EXPECT_EQ(Median({9, 1, 4, 5}), 4.5);
}

TEST(StatisticsTest, PercentileByNearestRank) {
  EXPECT_EQ(Percentile(Countdown(200), 99), 198);
  EXPECT_EQ(Percentile(Countdown(200), 50), 100);
  EXPECT_EQ(Percentile(Countdown(200), 0), 1);
  EXPECT_EQ(Percentile(Countdown(200), 100), 200);
}

// The ranks are those of the tables for distribution-free intervals.
TEST(StatisticsTest, MedianIntervalFromTheBinomialDistribution) {
  const Interval of_30 = MedianInterval95(Countdown(30));
  EXPECT_EQ(of_30.low, 10);
  EXPECT_EQ(of_30.high, 21);
  const Interval of_100 = MedianInterval95(Countdown(100));
  EXPECT_EQ(of_100.low, 40);
  EXPECT_EQ(of_100.high, 61);
  const Interval of_6 = MedianInterval95(Countdown(6));
  EXPECT_EQ(of_6.low, 1);
  EXPECT_EQ(of_6.high, 6);
}

TEST(StatisticsTest, IntervalOfFewValuesIsTheirRange) {
  const Interval of_3 = MedianInterval95(Countdown(3));
  EXPECT_EQ(of_3.low, 1);
  EXPECT_EQ(of_3.high, 3);
}

}  // namespace
}  // namespace turnout::bench
