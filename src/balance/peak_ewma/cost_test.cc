#include "src/balance/peak_ewma/cost.h"

#include <gtest/gtest.h>

#include <vector>

namespace turnout::balance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Nanoseconds kPenalty = seconds(1);
constexpr Nanoseconds kUnknown{0};

double Ms(Nanoseconds cost) { return cost / milliseconds(1); }

double CostMs(const Load& load) { return Ms(Cost(load, milliseconds(7), kPenalty)); }

TEST(CostTest, WorkedExample) {
  const Load a{milliseconds(20), 1, 2};
  const Load b{milliseconds(50), 1, 0};
  const Load c{milliseconds(1), 0.9, 0};
  EXPECT_DOUBLE_EQ(CostMs(a), 60);
  EXPECT_DOUBLE_EQ(CostMs(b), 50);
  EXPECT_DOUBLE_EQ(CostMs(c), 100.9);
  EXPECT_EQ(Cheapest(std::vector<Load>{a, b, c}, kUnknown, kPenalty), 1u);
}

TEST(CostTest, AMissingLatencyIsAssumed) {
  EXPECT_DOUBLE_EQ(CostMs({std::nullopt, 1, 2}), 21);
  EXPECT_DOUBLE_EQ(CostMs({std::nullopt, 0.5, 0}), 503.5);
}

TEST(CostTest, FailuresNeverMakeItCheaper) {
  const Nanoseconds slow = seconds(5);
  EXPECT_GE(Cost({slow, 0.5, 0}, kUnknown, kPenalty), Cost({slow, 1, 0}, kUnknown, kPenalty));
}

TEST(CostTest, InFlightDecidesWhereLatencyHasDecayed) {
  const std::vector<Load> loads = {{Nanoseconds(0), 1, 2}, {Nanoseconds(0), 1, 1}};
  EXPECT_EQ(Cheapest(loads, kUnknown, kPenalty), 1u);
}

TEST(CheapestTest, OfEqualsTheFirst) {
  EXPECT_EQ(Cheapest(std::vector<Load>{{}, {}, {}}, kUnknown, kPenalty), 0u);
  EXPECT_EQ(Cheapest(std::vector<Load>{{milliseconds(2)}, {milliseconds(2)}}, kUnknown, kPenalty),
            0u);
}

TEST(CheapestTest, WhereNoLatencyIsKnownInFlightDecides) {
  EXPECT_EQ(Cheapest(std::vector<Load>{{.in_flight = 3}, {.in_flight = 2}}, kUnknown, kPenalty),
            1u);
  EXPECT_EQ(Cheapest(std::vector<Load>{{.success = 0.9}, {.in_flight = 9}}, kUnknown, kPenalty),
            1u);
}

TEST(CheapestTest, ANewInstanceIsNeitherFloodedNorStarved) {
  const Nanoseconds mean = milliseconds(10);
  const auto new_one_wins = [&](std::int64_t in_flight, Nanoseconds other) {
    return Cheapest(std::vector<Load>{{other, 1, 1}, {.in_flight = in_flight}}, mean, kPenalty) ==
           1;
  };
  // As one that takes 10 ms, against one that takes 5 ms and has one call in flight.
  EXPECT_FALSE(new_one_wins(0, milliseconds(5)));
  EXPECT_FALSE(new_one_wins(1, milliseconds(5)));
  EXPECT_TRUE(new_one_wins(0, milliseconds(6)));
  EXPECT_FALSE(new_one_wins(1, milliseconds(6)));
  // Against a slower one it is as slow as that.
  EXPECT_TRUE(new_one_wins(0, seconds(2)));
  EXPECT_FALSE(new_one_wins(1, seconds(2)));
}

TEST(CheapestTest, AGroupThatWasQuietDoesNotMakeANewInstanceLookFast) {
  // Its mean had decayed when the picker was built; the new one has as many calls in flight.
  const std::vector<Load> loads = {{milliseconds(10), 1, 1}, {.in_flight = 1}};
  EXPECT_EQ(Cheapest(loads, Nanoseconds(1), kPenalty), 0u);
}

}  // namespace
}  // namespace turnout::balance
