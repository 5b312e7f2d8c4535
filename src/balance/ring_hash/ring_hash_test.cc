#include "src/balance/ring_hash/ring_hash.h"

#include <gtest/gtest.h>

#include <set>

#include "src/balance/policy_config.h"
#include "src/balance/testing.h"
#include "src/model/text.h"

namespace turnout::balance {
namespace {

using testing::FakePickArgs;
using testing::GroupOf;
using testing::MakeEndpoints;

std::string ErrorOf(std::string_view parameters) {
  const auto config = ParsePolicyConfig(
      "turnout", model::Concat({R"({"picker":[{"ring_hash":)", parameters, "}]}"}));
  return std::string{config.status().message()};
}

TEST(RingHashTest, TheSizeIsChecked) {
  constexpr std::string_view kPath = "turnout.picker[0].ring_hash.";
  EXPECT_EQ(ErrorOf(R"({"minRingSize":0})"),
            model::Concat({kPath, "minRingSize: must be 1 to 8388608, got 0"}));
  EXPECT_EQ(ErrorOf(R"({"maxRingSize":8388609})"),
            model::Concat({kPath, "maxRingSize: must be 1 to 8388608, got 8388609"}));
  EXPECT_EQ(ErrorOf(R"({"minRingSize":4097})"),
            model::Concat({kPath, "minRingSize: must be at most maxRingSize, 4096, got 4097"}));
  EXPECT_EQ(ErrorOf(R"({"minRingSize":8388608,"maxRingSize":8388608})"), "");
}

// Calls without a key, each of which draws a place on the ring.
TEST(RingHashTest, ReachesAllOfAHundredThousandOnALargeRing) {
  const auto endpoints = MakeEndpoints(100'000, {"v1"});
  const RingHashBuilder builder({.size = {.least = 1'024, .most = 1'300'000}});
  const auto picker = builder.Build(GroupOf(endpoints));
  base::SeededRandom source(1);
  const base::ScopedRandom scope(source);
  std::set<const Endpoint*> reached;
  for (int i = 0; i < 300'000; ++i) reached.insert(picker->Pick(FakePickArgs()).endpoint());
  EXPECT_GT(reached.size(), 85'000u);  // three entries each, and three calls: 7 of 8
}

TEST(RingHashTest, ASmallRingReachesFew) {
  const auto endpoints = MakeEndpoints(100, {"v1"});
  const auto picker = RingHashBuilder({.size = {.least = 8, .most = 32}}).Build(GroupOf(endpoints));
  std::set<const Endpoint*> reached;
  for (int i = 0; i < 2'000; ++i) reached.insert(picker->Pick(FakePickArgs()).endpoint());
  EXPECT_LE(reached.size(), 32u);
  EXPECT_GE(reached.size(), 8u);
}

}  // namespace
}  // namespace turnout::balance
