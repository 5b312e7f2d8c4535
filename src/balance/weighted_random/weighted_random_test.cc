#include "src/balance/weighted_random/weighted_random.h"

#include <gtest/gtest.h>

#include "src/balance/chi_square.h"
#include "src/balance/testing.h"

namespace turnout::balance {
namespace {

using testing::BuilderFor;
using testing::FakePickArgs;
using testing::FollowsWeights;
using testing::GroupOf;
using testing::MakeEndpoint;
using testing::ScriptedRandom;
using testing::Show;

constexpr std::string_view kConfig = R"([{"weighted_random":{}}])";

std::vector<Endpoint> WithWeights(const std::vector<std::uint32_t>& weights) {
  std::vector<Endpoint> endpoints;
  endpoints.reserve(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    endpoints.push_back(MakeEndpoint({.id = "app-" + std::to_string(i + 1), .weight = weights[i]}));
  }
  return endpoints;
}

std::vector<int> CountPicks(const std::vector<Endpoint>& endpoints, int picks, std::uint64_t seed) {
  base::SeededRandom source(seed);
  const base::ScopedRandom scope(source);
  const auto picker = BuilderFor(kConfig)->Build(GroupOf(endpoints));
  std::vector<int> counts(endpoints.size());
  for (int i = 0; i < picks; ++i) {
    const Endpoint* const picked = picker->Pick(FakePickArgs()).endpoint();
    ++counts[static_cast<std::size_t>(picked - endpoints.data())];
  }
  return counts;
}

TEST(WeightedRandomTest, TakesWhatTheSourceSays) {
  const auto endpoints = WithWeights({1, 2, 3});  // the table is worked out in alias_table.h
  ScriptedRandom source(6, {0, 1, 2, 3, 4, 5});
  const base::ScopedRandom scope(source);
  const auto picker = BuilderFor(kConfig)->Build(GroupOf(endpoints));
  std::string sequence;
  for (int i = 0; i < 6; ++i) sequence += Show(picker->Pick(FakePickArgs())) + " ";
  EXPECT_EQ(sequence, "app-1 app-3 app-2 app-2 app-3 app-3 ");
}

TEST(WeightedRandomTest, SpreadsByWeight) {
  const auto endpoints = WithWeights({1, 10, 0, 5, 100, 5});
  EXPECT_TRUE(FollowsWeights(CountPicks(endpoints, 100'000, 7), {1, 10, 0, 5, 100, 5}));
}

TEST(WeightedRandomTest, AllZeroIsAllAlike) {
  EXPECT_TRUE(FollowsWeights(CountPicks(WithWeights({0, 0, 0, 0}), 10'000, 7), {1, 1, 1, 1}));
}

TEST(WeightedRandomTest, WithoutEndpointsThereIsNoMatch) {
  EXPECT_EQ(
      Show(BuilderFor(kConfig)->Build(GroupOf({}))->Pick(FakePickArgs())),
      "fail: UNAVAILABLE: no match found conn: no instance of hwholiday.srv.app is registered");
}

TEST(WeightedRandomTest, OneEndpointTakesAllWhateverItsWeight) {
  EXPECT_EQ(CountPicks(WithWeights({0}), 3, 7), (std::vector<int>{3}));
  EXPECT_EQ(CountPicks(WithWeights({65'535}), 3, 7), (std::vector<int>{3}));
}

TEST(WeightedRandomTest, OneHugeWeightAmongAHundredThousand) {
  std::vector<std::uint32_t> weights(100'000, 1);
  weights[77] = 65'535;
  const auto counts = CountPicks(WithWeights(weights), 100'000, 7);
  EXPECT_TRUE(FollowsWeights({counts[77], 100'000 - counts[77]}, {65'535, 99'999}));
}

// What is not a candidate has no part in the table, even if its weight is the largest.
TEST(WeightedRandomTest, WhatIsNotReadyLeavesItsShareToTheOthers) {
  auto endpoints = WithWeights({100, 1, 3});
  endpoints[0].state = ConnectionState::kFailing;
  EXPECT_TRUE(FollowsWeights(CountPicks(endpoints, 10'000, 7), {0, 1, 3}));
}

TEST(WeightedRandomTest, TheNextPickerFollowsChangedWeights) {
  EXPECT_TRUE(FollowsWeights(CountPicks(WithWeights({1, 1}), 10'000, 7), {1, 1}));
  EXPECT_TRUE(FollowsWeights(CountPicks(WithWeights({1, 9}), 10'000, 8), {1, 9}));
}

}  // namespace
}  // namespace turnout::balance
