#include "src/balance/alias_table.h"

#include <gtest/gtest.h>

#include <numeric>

#include "src/balance/chi_square.h"
#include "src/balance/testing.h"

namespace turnout::balance {
namespace {

using testing::FollowsWeights;
using testing::ScriptedRandom;

// How often each index is drawn in `parts` draws that divide the numbers evenly.
std::vector<int> DrawEvenly(const std::vector<std::uint32_t>& weights, std::uint64_t parts) {
  std::vector<std::uint64_t> script(parts);
  std::iota(script.begin(), script.end(), 0);
  ScriptedRandom random(parts, script);
  const AliasTable table(weights);
  std::vector<int> counts(weights.size());
  for (std::uint64_t i = 0; i < parts; ++i) ++counts[table.Draw(random)];
  return counts;
}

TEST(AliasTableTest, DrawsByTheScript) {
  // As in the header. Each slot has two halves.
  ScriptedRandom random(6, {0, 1, 2, 3, 4, 5});
  const AliasTable table(std::vector<std::uint32_t>{1, 2, 3});
  std::vector<std::size_t> drawn(6);
  for (std::size_t& index : drawn) index = table.Draw(random);
  EXPECT_EQ(drawn, (std::vector<std::size_t>{0, 2, 1, 1, 2, 2}));
}

TEST(AliasTableTest, SharesAreExact) {
  EXPECT_EQ(DrawEvenly({7}, 10), (std::vector<int>{10}));
  EXPECT_EQ(DrawEvenly({1, 3}, 8), (std::vector<int>{2, 6}));
  EXPECT_EQ(DrawEvenly({0, 5, 0, 5}, 8), (std::vector<int>{0, 4, 0, 4}));
  EXPECT_EQ(DrawEvenly({9, 1, 1, 1}, 48), (std::vector<int>{36, 4, 4, 4}));
  EXPECT_EQ(DrawEvenly({1, 2, 3, 4, 5}, 75), (std::vector<int>{5, 10, 15, 20, 25}));
}

TEST(AliasTableTest, OneHugeWeightAmongThousands) {
  std::vector<std::uint32_t> weights(5'000, 13);
  weights[1'234] = 65'535;
  base::SeededRandom random(3);
  const AliasTable table(weights);
  constexpr int kDraws = 1'000'000;
  std::vector<int> counts(weights.size());
  for (int i = 0; i < kDraws; ++i) ++counts[table.Draw(random)];
  EXPECT_TRUE(FollowsWeights(counts, {weights.begin(), weights.end()}));
}

TEST(AliasTableTest, MixedWeightsOfAHundredThousand) {
  constexpr std::size_t kIndices = 100'000;
  base::SeededRandom random(5);
  std::vector<std::uint32_t> weights(kIndices);
  for (std::uint32_t& weight : weights) weight = static_cast<std::uint32_t>(random.Below(65'536));
  const AliasTable table(weights);
  // By sixteenths of the range of weights, of which the first have next to nothing.
  std::vector<double> shares(16);
  for (const std::uint32_t weight : weights) shares[weight / 4'096] += weight;
  std::vector<int> counts(16);
  for (int i = 0; i < 1'000'000; ++i) ++counts[weights[table.Draw(random)] / 4'096];
  EXPECT_TRUE(FollowsWeights(counts, shares));
}

}  // namespace
}  // namespace turnout::balance
