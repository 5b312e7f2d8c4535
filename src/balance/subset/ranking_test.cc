#include "src/balance/subset/ranking.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "src/balance/testing.h"

namespace turnout::balance {
namespace {

using testing::MakeEndpoint;
using testing::MakeEndpoints;

using Members = std::vector<const Endpoint*>;

Members AllOf(const std::vector<Endpoint>& endpoints) {
  Members members;
  for (const Endpoint& endpoint : endpoints) members.push_back(&endpoint);
  return members;
}

std::string Ids(const Members& members) {
  std::string ids;
  for (const Endpoint* const member : members) ids += member->instance().id + " ";
  return ids;
}

std::size_t Joined(const Members& before, const Members& after) {
  const std::set<const Endpoint*> known(before.begin(), before.end());
  std::size_t joined = 0;
  for (const Endpoint* const member : after) joined += known.contains(member) ? 0 : 1;
  return joined;
}

TEST(RankingTest, TakesTheLowestInTheirOrder) {
  const auto endpoints = MakeEndpoints(5, {"v1"});
  const Members all = AllOf(endpoints);
  EXPECT_EQ(Ids(LowestRanked(all, 1, 1)), "app-5 ");
  EXPECT_EQ(Ids(LowestRanked(all, 3, 1)), "app-2 app-4 app-5 ");
  EXPECT_EQ(Ids(LowestRanked(all, 3, 2)), "app-1 app-4 app-5 ");
}

TEST(RankingTest, FewerThanAskedForAreAllTaken) {
  const auto endpoints = MakeEndpoints(3, {"v1"});
  EXPECT_EQ(Ids(LowestRanked(AllOf(endpoints), 3, 1)), "app-1 app-2 app-3 ");
  EXPECT_EQ(Ids(LowestRanked(AllOf(endpoints), 4, 1)), "app-1 app-2 app-3 ");
  EXPECT_EQ(Ids(LowestRanked({}, 4, 1)), "");
}

TEST(RankingTest, OneChangeAltersAtMostOneEntry) {
  constexpr std::size_t kSize = 20;
  const auto endpoints = MakeEndpoints(200, {"v1"});
  const Members all = AllOf(endpoints);
  int altered = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Members with = LowestRanked(all, kSize, seed);
    for (std::size_t i = 0; i < all.size(); ++i) {
      Members others = all;
      others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
      const Members without = LowestRanked(others, kSize, seed);
      EXPECT_EQ(without.size(), kSize);
      EXPECT_LE(Joined(with, without), 1u);  // as it leaves
      EXPECT_LE(Joined(without, with), 1u);  // as it joins
      altered += Joined(with, without) > 0 ? 1 : 0;
    }
  }
  EXPECT_EQ(altered, 20 * static_cast<int>(kSize));  // when one of the subset leaves, and only then
}

TEST(RankingTest, HealthDoesNotCount) {
  auto endpoints = MakeEndpoints(50, {"v1"});
  const std::string before = Ids(LowestRanked(AllOf(endpoints), 5, 9));
  for (std::size_t i = 0; i < endpoints.size(); i += 2) {
    endpoints[i].state = ConnectionState::kFailing;
    endpoints[i].member.status = InstanceStatus::kDraining;
  }
  EXPECT_EQ(Ids(LowestRanked(AllOf(endpoints), 5, 9)), before);
}

TEST(RankingTest, ASharedAddressIsDecidedByTheId) {
  const std::vector<Endpoint> endpoints = {MakeEndpoint({.id = "b-1"}), MakeEndpoint({.id = "a-1"}),
                                           MakeEndpoint({.id = "c-1"})};
  EXPECT_EQ(Ids(LowestRanked(AllOf(endpoints), 1, 4)), "a-1 ");
  EXPECT_EQ(Ids(LowestRanked(AllOf(endpoints), 2, 4)), "b-1 a-1 ");
}

// 1,000 clients with 20 connections each to 100 servers: 200 to each, give or take.
TEST(RankingTest, ClientsTogetherSpreadEvenly) {
  constexpr std::size_t kSize = 20;
  constexpr int kClients = 1'000;
  const auto endpoints = MakeEndpoints(100, {"v1"});
  const Members all = AllOf(endpoints);
  std::map<const Endpoint*, int> connections;
  base::SeededRandom seeds(5);
  for (int i = 0; i < kClients; ++i) {
    for (const Endpoint* const chosen : LowestRanked(all, kSize, seeds.Next())) {
      ++connections[chosen];
    }
  }
  ASSERT_EQ(connections.size(), all.size());
  constexpr double kExpected = 200;
  double chi_squared = 0;
  for (const auto& [endpoint, count] : connections) {
    chi_squared += (count - kExpected) * (count - kExpected) / kExpected;
  }
  // 99 degrees of freedom. Drawing without replacement makes it smaller, by (100 - 20) / 99.
  EXPECT_LT(chi_squared, 148.2 * 80 / 99);
}

}  // namespace
}  // namespace turnout::balance
