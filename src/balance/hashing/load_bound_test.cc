#include "src/balance/hashing/load_bound.h"

#include <gtest/gtest.h>

#include "src/balance/testing.h"

namespace turnout::balance {
namespace {

using testing::GroupOf;
using testing::MakeEndpoint;
using testing::MakeEndpoints;

void Start(const Endpoint& endpoint, int calls) {
  for (int i = 0; i < calls; ++i) endpoint.stats().CallStarted();
}

// The header's example.
TEST(LoadBoundTest, AnEndpointTakesUpToItsBound) {
  const auto endpoints = MakeEndpoints(4, {"v1"});
  Start(endpoints[0], 4);
  Start(endpoints[1], 5);
  Start(endpoints[2], 6);
  const auto group = GroupOf(endpoints);
  const LoadBound bound(1.25, group.candidates());
  EXPECT_EQ(bound.Total(), 15);
  EXPECT_TRUE(bound.Takes(0, 15));
  EXPECT_FALSE(bound.Takes(1, 15));
  EXPECT_FALSE(bound.Takes(2, 15));
  EXPECT_TRUE(bound.Takes(3, 15));
}

TEST(LoadBoundTest, TheBoundFollowsTheWeight) {
  const std::vector<Endpoint> endpoints = {MakeEndpoint({.id = "app-1", .weight = 3}),
                                           MakeEndpoint({.id = "app-2", .weight = 1}),
                                           MakeEndpoint({.id = "app-3", .weight = 0})};
  Start(endpoints[0], 6);
  Start(endpoints[1], 2);
  const auto group = GroupOf(endpoints);
  const LoadBound bound(1.01, group.candidates());
  // ceil(1.01 × 9 × 3 / 4) = 7, ceil(1.01 × 9 / 4) = 3, 0.
  EXPECT_TRUE(bound.Takes(0, 8));
  EXPECT_TRUE(bound.Takes(1, 8));
  EXPECT_FALSE(bound.Takes(2, 8));
  Start(endpoints[0], 1);
  Start(endpoints[1], 1);
  EXPECT_FALSE(bound.Takes(0, 8));
  EXPECT_FALSE(bound.Takes(1, 8));
  EXPECT_LT(bound.Load(0), bound.Load(1));
  EXPECT_GT(bound.Load(2), bound.Load(1));
}

TEST(LoadBoundTest, WeightsThatAreAllZeroAreEqual) {
  const std::vector<Endpoint> endpoints = {MakeEndpoint({.id = "app-1", .weight = 0}),
                                           MakeEndpoint({.id = "app-2", .weight = 0})};
  const auto group = GroupOf(endpoints);
  const LoadBound bound(1.25, group.candidates());
  EXPECT_TRUE(bound.Takes(0, 0));
  Start(endpoints[0], 1);
  EXPECT_TRUE(bound.Takes(0, 1));  // ceil(1.25 × 2 / 2) = 2
  Start(endpoints[0], 1);
  EXPECT_FALSE(bound.Takes(0, 2));
}

TEST(LoadBoundTest, FewEndpointsAreSummedForEachPick) {
  const auto endpoints = MakeEndpoints(LoadBound::kSummed, {"v1"});
  const auto group = GroupOf(endpoints);
  const LoadBound bound(1.25, group.candidates());
  for (int calls = 0; calls < 10; ++calls) {
    EXPECT_EQ(bound.Total(), calls);
    Start(endpoints[7], 1);
  }
}

TEST(LoadBoundTest, ManyAreSummedOnceInAQuarterAsManyPicks) {
  const auto endpoints = MakeEndpoints(100, {"v1"});
  const auto group = GroupOf(endpoints);
  const LoadBound bound(1.25, group.candidates());
  Start(endpoints[0], 3);
  for (int pick = 0; pick < 25; ++pick) {
    EXPECT_EQ(bound.Total(), 3);
    Start(endpoints[1], 1);
  }
  EXPECT_EQ(bound.Total(), 28);
}

}  // namespace
}  // namespace turnout::balance
