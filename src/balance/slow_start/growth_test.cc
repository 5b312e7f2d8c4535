#include "src/balance/slow_start/growth.h"

#include <gtest/gtest.h>

namespace turnout::balance {
namespace {

using namespace std::chrono_literals;

TEST(GrowthTest, IsLinearByDefault) {
  const Growth growth;
  EXPECT_DOUBLE_EQ(growth.At(15s), 0.25);
  EXPECT_DOUBLE_EQ(growth.At(30s), 0.5);
  EXPECT_DOUBLE_EQ(growth.At(59'999ms), 59.999 / 60);
}

TEST(GrowthTest, AggressionBendsIt) {
  const Growth late{.aggression = 0.5};
  EXPECT_DOUBLE_EQ(late.At(30s), 0.25);
  EXPECT_DOUBLE_EQ(late.At(45s), 0.5625);
  const Growth early{.aggression = 2};
  EXPECT_DOUBLE_EQ(early.At(15s), 0.5);
  EXPECT_NEAR(early.At(1s), 0.129, 0.0005);
}

TEST(GrowthTest, NeverBelowTheMinimum) {
  EXPECT_DOUBLE_EQ(Growth().At(0s), 0.1);
  EXPECT_DOUBLE_EQ(Growth().At(5s), 0.1);
  EXPECT_DOUBLE_EQ(Growth{.aggression = 0.5}.At(15s), 0.1);
  EXPECT_DOUBLE_EQ(Growth{.minimum = 1}.At(0s), 1);
}

TEST(GrowthTest, IsFullAtTheEndAndAfter) {
  for (const double aggression : {0.01, 0.5, 1.0, 3.0, 100.0}) {
    const Growth growth{.aggression = aggression};
    EXPECT_EQ(growth.At(60s), 1);
    EXPECT_EQ(growth.At(24h), 1);
  }
}

TEST(GrowthTest, WhatIsYetToServeHasTheMinimum) {
  EXPECT_DOUBLE_EQ(Growth{.aggression = 2}.At(-5s), 0.1);
}

}  // namespace
}  // namespace turnout::balance
