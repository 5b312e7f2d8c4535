#include "src/balance/round_robin/round_robin.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <thread>

#include "src/balance/testing.h"

namespace turnout::balance {
namespace {

using testing::FakePickArgs;
using testing::GroupOf;
using testing::MakeEndpoints;
using testing::ScriptedRandom;
using testing::Show;

TEST(RoundRobinTest, GoesRoundFromARandomBeginning) {
  const auto endpoints = MakeEndpoints(3, {"v1"});
  ScriptedRandom source(3, {2, 1});
  const base::ScopedRandom scope(source);
  const RoundRobinBuilder builder;
  std::string sequence;
  const auto first = builder.Build(GroupOf(endpoints));
  for (int i = 0; i < 5; ++i) sequence += Show(first->Pick(FakePickArgs())) + " ";
  EXPECT_EQ(sequence, "app-3 app-1 app-2 app-3 app-1 ");
  EXPECT_EQ(Show(builder.Build(GroupOf(endpoints))->Pick(FakePickArgs())), "app-2");
}

TEST(RoundRobinTest, PickersBeginAtDifferentEndpoints) {
  const auto endpoints = MakeEndpoints(3, {"v1"});
  std::set<std::string> beginnings;
  for (int i = 0; i < 200; ++i) {
    beginnings.insert(Show(RoundRobinBuilder().Build(GroupOf(endpoints))->Pick(FakePickArgs())));
  }
  EXPECT_EQ(beginnings.size(), 3u);
}

TEST(RoundRobinTest, ThreadsShareTheTurn) {
  constexpr int kEndpoints = 5;
  constexpr int kThreads = 4;
  constexpr int kRounds = 1'000;
  const auto endpoints = MakeEndpoints(kEndpoints, {"v1"});
  const auto picker = RoundRobinBuilder().Build(GroupOf(endpoints));
  std::vector<std::map<const Endpoint*, int>> picks(kThreads);
  {
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (auto& mine : picks) {
      threads.emplace_back([&] {
        for (int i = 0; i < kEndpoints * kRounds; ++i) {
          ++mine[picker->Pick(FakePickArgs()).endpoint()];
        }
      });
    }
  }
  for (const Endpoint& endpoint : endpoints) {
    int sum = 0;
    for (auto& mine : picks) sum += mine[&endpoint];
    EXPECT_EQ(sum, kThreads * kRounds);
  }
}

TEST(RoundRobinTest, OneEndpointTakesAll) {
  const auto endpoints = MakeEndpoints(1, {"v1"});
  const auto picker = RoundRobinBuilder().Build(GroupOf(endpoints));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Show(picker->Pick(FakePickArgs())), "app-1");
}

TEST(RoundRobinTest, ReachesAllOfAHundredThousand) {
  const auto endpoints = MakeEndpoints(100'000, {"v1"});
  const auto picker = RoundRobinBuilder().Build(GroupOf(endpoints));
  std::set<const Endpoint*> reached;
  for (int i = 0; i < 100'000; ++i) reached.insert(picker->Pick(FakePickArgs()).endpoint());
  EXPECT_EQ(reached.size(), 100'000u);
}

}  // namespace
}  // namespace turnout::balance
