#include "src/balance/random/random.h"

#include <gtest/gtest.h>

#include <map>

#include "src/balance/testing.h"

namespace turnout::balance {
namespace {

using testing::FakePickArgs;
using testing::GroupOf;
using testing::MakeEndpoint;
using testing::MakeEndpoints;
using testing::ScriptedRandom;
using testing::Show;

TEST(RandomTest, TakesWhatTheSourceSays) {
  const auto endpoints = MakeEndpoints(3, {"v1"});
  ScriptedRandom source(3, {2, 0, 0, 1, 2});
  const base::ScopedRandom scope(source);
  const auto picker = RandomBuilder().Build(GroupOf(endpoints));
  std::string sequence;
  for (int i = 0; i < 5; ++i) sequence += Show(picker->Pick(FakePickArgs())) + " ";
  EXPECT_EQ(sequence, "app-3 app-1 app-1 app-2 app-3 ");
}

TEST(RandomTest, SpreadsEvenly) {
  constexpr int kEndpoints = 10;
  constexpr int kPicks = 100'000;
  const auto endpoints = MakeEndpoints(kEndpoints, {"v1"});
  base::SeededRandom source(7);
  const base::ScopedRandom scope(source);
  const auto picker = RandomBuilder().Build(GroupOf(endpoints));
  std::map<const Endpoint*, int> picks;
  for (int i = 0; i < kPicks; ++i) ++picks[picker->Pick(FakePickArgs()).endpoint()];
  ASSERT_EQ(picks.size(), kEndpoints);
  constexpr double kExpected = static_cast<double>(kPicks) / kEndpoints;
  double chi_squared = 0;
  for (const auto& [endpoint, count] : picks) {
    chi_squared += (count - kExpected) * (count - kExpected) / kExpected;
  }
  EXPECT_LT(chi_squared, 27.9);  // 9 degrees of freedom: exceeded once in 1,000 seeds
}

TEST(RandomTest, AvoidsWhatIsNotReady) {
  const std::vector<Endpoint> endpoints = {
      MakeEndpoint({.id = "app-1", .state = ConnectionState::kFailing}),
      MakeEndpoint({.id = "app-2"}),
      MakeEndpoint({.id = "app-3", .status = InstanceStatus::kDraining})};
  const auto picker = RandomBuilder().Build(GroupOf(endpoints));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Show(picker->Pick(FakePickArgs())), "app-2");
}

TEST(RandomTest, ReachesTheLastOfAHundredThousand) {
  const auto endpoints = MakeEndpoints(100'000, {"v1"});
  ScriptedRandom source(100'000, {99'999, 0});
  const base::ScopedRandom scope(source);
  const auto picker = RandomBuilder().Build(GroupOf(endpoints));
  EXPECT_EQ(Show(picker->Pick(FakePickArgs())), "app-100000");
  EXPECT_EQ(Show(picker->Pick(FakePickArgs())), "app-1");
}

}  // namespace
}  // namespace turnout::balance
