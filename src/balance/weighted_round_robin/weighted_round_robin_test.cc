#include "src/balance/weighted_round_robin/weighted_round_robin.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "src/balance/testing.h"
#include "src/base/clock.h"

namespace turnout::balance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::BuilderFor;
using testing::FakePickArgs;
using testing::GroupOf;
using testing::MakeEndpoint;
using testing::ScriptedRandom;
using testing::Show;

std::vector<Endpoint> WithWeights(const std::vector<std::uint32_t>& weights) {
  std::vector<Endpoint> endpoints;
  endpoints.reserve(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    endpoints.push_back(MakeEndpoint({.id = "app-" + std::to_string(i + 1), .weight = weights[i]}));
  }
  return endpoints;
}

void Count(const Picker& picker, int picks, std::map<std::string, int>& counts) {
  for (int i = 0; i < picks; ++i) ++counts[picker.Pick(FakePickArgs()).endpoint()->instance().id];
}

std::map<std::string, int> Counts(const Picker& picker, int picks) {
  std::map<std::string, int> counts;
  Count(picker, picks, counts);
  return counts;
}

std::string Sequence(const Picker& picker, int picks) {
  std::string sequence;
  for (int i = 0; i < picks; ++i) sequence += Show(picker.Pick(FakePickArgs())) + " ";
  return sequence;
}

// Reports of 100 calls a second, which weigh as much as `utilization` is small.
void Report(const Endpoint& endpoint, double utilization, base::TimePoint now) {
  LoadReport report;
  report.cpu_utilization = utilization;
  report.request_cost = {{std::string(LoadReport::kQps), 100}};
  endpoint.stats().LoadReported(report, now);
}

constexpr std::string_view kReported = R"([{"weighted_round_robin":{"weights":"reported"}}])";

TEST(WeightedRoundRobinTest, FollowsTheScheduleFromARandomPlace) {
  const auto endpoints = WithWeights({3, 1, 2});  // worked out in static_stride_scheduler.h
  ScriptedRandom source(std::uint64_t{1} << 48, {0, 2});
  const base::ScopedRandom scope(source);
  const WeightedRoundRobinBuilder builder;
  EXPECT_EQ(Sequence(*builder.Build(GroupOf(endpoints)), 6),
            "app-1 app-1 app-2 app-3 app-1 app-3 ");
  EXPECT_EQ(Sequence(*builder.Build(GroupOf(endpoints)), 3), "app-1 app-2 app-3 ");
}

TEST(WeightedRoundRobinTest, EveryWindowIsExactThroughRebuilds) {
  const std::vector<std::uint32_t> weights = {5, 1, 0, 3, 2};
  constexpr int kWindow = 11;
  const auto endpoints = WithWeights(weights);
  const WeightedRoundRobinBuilder builder;
  base::SeededRandom random(4);
  std::vector<std::string> picks;
  auto picker = builder.Build(GroupOf(endpoints));
  while (picks.size() < 2'000) {
    for (std::uint64_t i = random.Below(20); i > 0; --i) {
      picks.push_back(Show(picker->Pick(FakePickArgs())));
    }
    picker = builder.Build(GroupOf(endpoints));
  }
  for (auto begin = picks.begin(); begin + kWindow <= picks.end(); ++begin) {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      ASSERT_EQ(std::count(begin, begin + kWindow, endpoints[i].instance().id), weights[i]);
    }
  }
}

TEST(WeightedRoundRobinTest, GroupsHaveTheirOwnTurns) {
  const auto endpoints = WithWeights({1, 1});
  const EndpointGroup all = GroupOf(endpoints);
  const EndpointGroup::Members members(all.members().begin(), all.members().end());
  const WeightedRoundRobinBuilder builder;
  const auto one = builder.Build(all.With(members, "v1"));
  const auto two = builder.Build(all.With(members, "v2"));
  std::map<std::string, int> of_one;
  for (int i = 0; i < 10; ++i) {
    Count(*one, 1, of_one);
    two->Pick(FakePickArgs());
  }
  EXPECT_EQ(of_one, (std::map<std::string, int>{{"app-1", 5}, {"app-2", 5}}));
}

TEST(WeightedRoundRobinTest, ThreadsShareTheTurns) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 1'000;
  const auto endpoints = WithWeights({3, 1, 2});
  const auto picker = WeightedRoundRobinBuilder().Build(GroupOf(endpoints));
  std::vector<std::map<std::string, int>> counts(kThreads);
  {
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (auto& mine : counts) {
      threads.emplace_back([&] { Count(*picker, 6 * kRounds, mine); });
    }
  }
  std::map<std::string, int> sum;
  for (const auto& mine : counts) {
    for (const auto& [id, count] : mine) sum[id] += count;
  }
  EXPECT_EQ(sum, (std::map<std::string, int>{{"app-1", 3 * kThreads * kRounds},
                                             {"app-2", kThreads * kRounds},
                                             {"app-3", 2 * kThreads * kRounds}}));
}

TEST(WeightedRoundRobinTest, NoneOneAndAllZero) {
  EXPECT_EQ(
      Show(WeightedRoundRobinBuilder().Build(GroupOf({}))->Pick(FakePickArgs())),
      "fail: UNAVAILABLE: no match found conn: no instance of hwholiday.srv.app is registered");
  const auto one = WithWeights({0});
  EXPECT_EQ(Counts(*WeightedRoundRobinBuilder().Build(GroupOf(one)), 3),
            (std::map<std::string, int>{{"app-1", 3}}));
  const auto zeros = WithWeights({0, 0});
  EXPECT_EQ(Counts(*WeightedRoundRobinBuilder().Build(GroupOf(zeros)), 10),
            (std::map<std::string, int>{{"app-1", 5}, {"app-2", 5}}));
}

TEST(WeightedRoundRobinTest, OneHugeWeightAmongAHundredThousand) {
  std::vector<std::uint32_t> weights(100'000, 1);
  weights[9] = 65'535;
  const auto endpoints = WithWeights(weights);
  const auto counts = Counts(*WeightedRoundRobinBuilder().Build(GroupOf(endpoints)), 165'534);
  EXPECT_EQ(counts.size(), 100'000u);
  EXPECT_EQ(counts.at("app-10"), 65'535);
}

TEST(WeightedRoundRobinTest, ChangedWeightsAndMembersHaveTheirSharesAtOnce) {
  auto endpoints = WithWeights({1, 1, 1});
  const WeightedRoundRobinBuilder builder;
  const auto before = builder.Build(GroupOf(endpoints));
  EXPECT_EQ(Counts(*before, 30).at("app-1"), 10);
  auto changed = WithWeights({4, 1, 1});
  const auto heavier = builder.Build(GroupOf(changed));
  EXPECT_EQ(Counts(*heavier, 60),
            (std::map<std::string, int>{{"app-1", 40}, {"app-2", 10}, {"app-3", 10}}));
  changed[0].state = ConnectionState::kFailing;
  const auto without = builder.Build(GroupOf(changed));
  EXPECT_EQ(Counts(*without, 60), (std::map<std::string, int>{{"app-2", 30}, {"app-3", 30}}));
}

TEST(WeightedRoundRobinTest, FirstPickersBeginAtDifferentEndpoints) {
  const auto endpoints = WithWeights({1, 1, 1});
  std::set<std::string> beginnings;
  for (int i = 0; i < 200; ++i) {
    beginnings.insert(Sequence(*WeightedRoundRobinBuilder().Build(GroupOf(endpoints)), 1));
  }
  EXPECT_EQ(beginnings.size(), 3u);
}

TEST(WeightedRoundRobinTest, FollowsReportsAfterTheBlackout) {
  base::TimePoint now{seconds(1'000)};
  const base::ScopedClock clock(now);
  const auto endpoints = WithWeights({1, 1, 9});  // records do not count
  const auto builder = BuilderFor(kReported);
  Report(endpoints[0], 0.2, now);
  Report(endpoints[1], 0.6, now);
  const std::map<std::string, int> equal = {{"app-1", 20}, {"app-2", 20}, {"app-3", 20}};
  EXPECT_EQ(Counts(*builder->Build(GroupOf(endpoints)), 60), equal);
  now += seconds(10);
  const auto picker = builder->Build(GroupOf(endpoints));
  // As 3 to 1, and the mean, 2, for the one that reports nothing.
  const auto counts = Counts(*picker, 60'000);
  EXPECT_NEAR(counts.at("app-1"), 30'000, 5);
  EXPECT_NEAR(counts.at("app-2"), 10'000, 5);
  EXPECT_NEAR(counts.at("app-3"), 20'000, 5);
  now += seconds(180);
  EXPECT_EQ(Counts(*builder->Build(GroupOf(endpoints)), 60), equal);
}

TEST(WeightedRoundRobinTest, OnlyReportedWeightsAreComputedAgain) {
  EXPECT_EQ(BuilderFor(R"([{"weighted_round_robin":{}}])")->rebuild_period(), std::nullopt);
  EXPECT_EQ(BuilderFor(kReported)->rebuild_period(), seconds(1));
  const auto often = BuilderFor(
      R"([{"weighted_round_robin":{"weights":"reported","weightUpdatePeriod":"0.1s"}}])");
  EXPECT_EQ(often->rebuild_period(), milliseconds(100));
}

TEST(WeightedRoundRobinTest, ParametersReachTheWeights) {
  base::TimePoint now{seconds(1'000)};
  const base::ScopedClock clock(now);
  const auto endpoints = WithWeights({1, 1});
  const auto builder = BuilderFor(
      R"([{"weighted_round_robin":{"weights":"reported","blackoutPeriod":"0s",
                                   "weightExpirationPeriod":"5s","errorUtilizationPenalty":2}}])");
  Report(endpoints[0], 0.5, now);
  LoadReport failing;  // 0.5 + 2 · 25% is twice as much
  failing.cpu_utilization = 0.5;
  failing.request_cost = {{std::string(LoadReport::kQps), 100},
                          {std::string(LoadReport::kEps), 25}};
  endpoints[1].stats().LoadReported(failing, now);
  EXPECT_NEAR(Counts(*builder->Build(GroupOf(endpoints)), 30'000).at("app-1"), 20'000, 3);
  now += seconds(5);
  EXPECT_EQ(Counts(*builder->Build(GroupOf(endpoints)), 30'000).at("app-1"), 15'000);
}

}  // namespace
}  // namespace turnout::balance
