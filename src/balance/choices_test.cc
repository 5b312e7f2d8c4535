#include "src/balance/choices.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "src/balance/chi_square.h"
#include "src/balance/testing.h"

namespace turnout::balance {
namespace {

using Indices = std::vector<std::size_t>;

Indices Draw(std::size_t n, std::size_t count, base::RandomSource& random) {
  const Choices choices(n, count, random);
  return {choices.indices().begin(), choices.indices().end()};
}

TEST(ChoicesTest, ATakenIndexIsPassedOver) {
  // Of 10, 9 and 8 that are left, these are numbers 4, 4 and 4, or 9, 8 and 7.
  testing::ScriptedRandom random(10, {4, 4, 5, 9, 9, 9});
  EXPECT_EQ(Draw(10, 3, random), (Indices{4, 5, 6}));
  EXPECT_EQ(Draw(10, 3, random), (Indices{9, 8, 7}));
}

TEST(ChoicesTest, ThereAreNoMoreThanThereAre) {
  testing::ScriptedRandom random(2, {1, 1, 0, 0, 0});
  EXPECT_EQ(Draw(2, 5, random), (Indices{1, 0}));
  EXPECT_EQ(Draw(2, 5, random), (Indices{0, 1}));
  EXPECT_EQ(Draw(1, 2, random), (Indices{0}));
}

TEST(ChoicesTest, AllOrdersAreAlike) {
  base::SeededRandom random(11);
  std::map<Indices, int> by_order;
  for (int i = 0; i < 24'000; ++i) ++by_order[Draw(4, 3, random)];
  std::vector<int> counts;
  for (const auto& [order, count] : by_order) {
    EXPECT_EQ(std::set<std::size_t>(order.begin(), order.end()).size(), 3u);
    counts.push_back(count);
  }
  EXPECT_TRUE(testing::FollowsWeights(counts, std::vector<double>(24, 1)));
}

TEST(ChoicesTest, TenOfAHundredThousand) {
  base::SeededRandom random(12);
  std::vector<int> tenths(10);
  for (int i = 0; i < 10'000; ++i) {
    const Indices drawn = Draw(100'000, Choices::kMost, random);
    ASSERT_EQ(std::set<std::size_t>(drawn.begin(), drawn.end()).size(), Choices::kMost);
    for (const std::size_t index : drawn) ++tenths.at(index / 10'000);
  }
  EXPECT_TRUE(testing::FollowsWeights(tenths, std::vector<double>(10, 1)));
}

}  // namespace
}  // namespace turnout::balance
