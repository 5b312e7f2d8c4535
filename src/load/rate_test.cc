#include "src/load/rate.h"

#include <gtest/gtest.h>

#include <cmath>

namespace turnout::load {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

const base::TimePoint kStart = base::TimePoint(std::chrono::hours(1));

TEST(Rate, IsNothingBeforeTheFirstEvent) { EXPECT_EQ(Rate().PerSecond(kStart), 0); }

TEST(Rate, SettlesAtTheRateOfSteadyEvents) {
  for (const int per_second : {10, 1'000, 100'000}) {
    Rate rate;
    auto now = kStart;
    for (int i = 0; i < 8 * per_second; ++i) {
      now += microseconds(1'000'000 / per_second);
      rate.Count(now);
    }
    EXPECT_NEAR(rate.PerSecond(now), per_second, 0.06 * per_second) << per_second;
  }
}

TEST(Rate, DecaysWhileNothingHappens) {
  Rate rate;
  for (int i = 0; i < 100; ++i) rate.Count(kStart);
  EXPECT_NEAR(rate.PerSecond(kStart), 100, 1e-3);
  EXPECT_NEAR(rate.PerSecond(kStart + seconds(1)), 100 * std::exp(-1.0), 0.01);
}

}  // namespace
}  // namespace turnout::load
