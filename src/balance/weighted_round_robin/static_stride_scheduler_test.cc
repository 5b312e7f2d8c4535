#include "src/balance/weighted_round_robin/static_stride_scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "src/base/random.h"

namespace turnout::balance {
namespace {

using Weights = std::vector<std::uint32_t>;
using Indices = std::vector<std::size_t>;

std::uint64_t Sum(const Weights& weights) {
  return std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
}

// Picks in a row, and how many numbers they took.
struct Picks {
  Indices indices;
  std::uint64_t numbers = 0;
  std::uint64_t most_for_one = 0;
};

Picks PickMany(const StaticStrideScheduler& scheduler, std::uint64_t first, std::uint64_t count) {
  Picks picks;
  std::uint64_t next = first;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t before = next;
    picks.indices.push_back(scheduler.Pick([&next] { return next++; }));
    picks.most_for_one = std::max(picks.most_for_one, next - before);
  }
  picks.numbers = next - first;
  return picks;
}

// Every window of sum(weights) picks, from `first` on, has each index as often as its weight says.
void ExpectExactWindows(const Weights& weights, std::uint64_t first) {
  const StaticStrideScheduler scheduler(weights);
  const std::uint64_t window = Sum(weights);
  const Indices picks = PickMany(scheduler, first, 2 * window).indices;
  Weights counts(weights.size());
  std::size_t wrong = weights.size();  // how many counts differ from their weights
  wrong -= static_cast<std::size_t>(std::ranges::count(weights, 0U));
  const auto add = [&](std::size_t index, std::uint32_t change) {
    if (counts[index] == weights[index]) ++wrong;
    counts[index] += change;
    if (counts[index] == weights[index]) --wrong;
  };
  for (std::size_t i = 0; i < picks.size(); ++i) {
    add(picks[i], 1);
    if (i >= window) add(picks[i - window], static_cast<std::uint32_t>(-1));
    if (i + 1 >= window) {
      ASSERT_EQ(wrong, 0u) << "in the window that ends with pick " << i;
    }
  }
}

TEST(StaticStrideSchedulerTest, WorkedExample) {
  const StaticStrideScheduler scheduler(Weights{3, 1, 2});
  EXPECT_EQ(PickMany(scheduler, 0, 12).indices, (Indices{0, 0, 1, 2, 0, 2, 0, 0, 1, 2, 0, 2}));
}

TEST(StaticStrideSchedulerTest, EqualWeightsAreARoundRobinWithoutDetours) {
  const StaticStrideScheduler scheduler(Weights{500, 500, 500, 500, 500});
  const Picks picks = PickMany(scheduler, 0, 10);
  EXPECT_EQ(picks.indices, (Indices{0, 2, 4, 1, 3, 0, 2, 4, 1, 3}));
  EXPECT_EQ(picks.numbers, 10u);
}

TEST(StaticStrideSchedulerTest, OneIndex) {
  EXPECT_EQ(PickMany(StaticStrideScheduler(Weights{65'535}), 0, 3).indices, (Indices{0, 0, 0}));
  EXPECT_EQ(PickMany(StaticStrideScheduler(Weights{0, 1}), 0, 3).indices, (Indices{1, 1, 1}));
}

TEST(StaticStrideSchedulerTest, EveryWindowIsExact) {
  base::SeededRandom random(1);
  const std::vector<Weights> cases = {
      {1},          {1, 1},       {1, 2},       {5, 1, 1},
      {100, 1},     {7, 0, 3, 0}, {65'535, 1},  {2, 3, 5, 7, 11, 13},
      {9, 9, 9, 1}, {1, 1, 1, 9}, {0, 0, 4'000}};
  for (const Weights& weights : cases) {
    ExpectExactWindows(weights, 0);
    ExpectExactWindows(weights, random.Below(std::uint64_t{1} << 60));
  }
}

TEST(StaticStrideSchedulerTest, EveryWindowIsExactForRandomWeights) {
  base::SeededRandom random(2);
  for (int i = 0; i < 200; ++i) {
    Weights weights(1 + random.Below(40));
    const std::uint64_t limit = std::uint64_t{1} << (1 + random.Below(12));
    for (std::uint32_t& weight : weights) weight = static_cast<std::uint32_t>(random.Below(limit));
    if (Sum(weights) == 0) weights[0] = 1;
    ExpectExactWindows(weights, random.Next() >> 1);
  }
}

struct Mix {
  const char* name;
  Weights weights;
};

std::vector<Mix> Mixes() {
  std::vector<Mix> mixes = {{"one huge", Weights(1'000, 1)},
                            {"one huge among many", Weights(100'000, 1)},
                            {"half light, half heavy, in blocks", Weights(2'000, 1)},
                            {"every second light", Weights(2'000, 1)},
                            {"one light", Weights(1'000, 1'000)},
                            {"random", Weights(10'000)},
                            {"squares", Weights(200)}};
  mixes[0].weights[500] = 65'535;
  mixes[1].weights[0] = 65'535;
  std::fill_n(mixes[2].weights.begin(), 1'000, 65'535);
  for (std::size_t i = 0; i < 2'000; i += 2) mixes[3].weights[i] = 65'535;
  mixes[4].weights[7] = 1;
  base::SeededRandom random(3);
  for (auto& weight : mixes[5].weights) weight = static_cast<std::uint32_t>(random.Below(65'536));
  for (std::uint32_t i = 0; i < 200; ++i) mixes[6].weights[i] = i * i;
  return mixes;
}

TEST(StaticStrideSchedulerTest, PicksAreCheapWhateverTheWeights) {
  constexpr std::uint64_t kPicks = 200'000;
  for (const Mix& mix : Mixes()) {
    SCOPED_TRACE(mix.name);
    const StaticStrideScheduler scheduler(mix.weights);
    const Picks picks = PickMany(scheduler, 0, kPicks);
    EXPECT_LT(picks.numbers, 2 * kPicks);
    EXPECT_LT(picks.most_for_one, 20u);
  }
}

TEST(StaticStrideSchedulerTest, PicksAreEvenlySpaced) {
  // Between two picks of an index of weight w lie about sum / w picks; twice that at most.
  for (const Weights& weights : {Weights{1, 2, 3, 4, 5, 6, 7, 8}, Weights{1, 1, 1, 1, 50},
                                 Weights{10, 10, 10, 10, 1, 1, 1, 1}, Weights(30, 1)}) {
    const std::uint64_t sum = Sum(weights);
    const Indices picks = PickMany(StaticStrideScheduler(weights), 0, 3 * sum).indices;
    std::vector<std::size_t> last(weights.size(), 0);
    for (std::size_t i = 0; i < picks.size(); ++i) {
      const std::size_t index = picks[i];
      if (last[index] > 0) {
        EXPECT_LE(i + 1 - last[index], 2 * sum / weights[index] + 1);
      }
      last[index] = i + 1;
    }
  }
}

TEST(StaticStrideSchedulerTest, OneHugeWeightAmongAHundredThousand) {
  Weights weights(100'000, 1);
  weights[77'777] = 65'535;
  const StaticStrideScheduler scheduler(weights);
  const Indices picks = PickMany(scheduler, 0, Sum(weights)).indices;
  Weights counts(weights.size());
  for (const std::size_t index : picks) ++counts[index];
  EXPECT_EQ(counts, weights);
  // Also a thousandth of them has its share.
  const auto some = std::count(picks.begin(), picks.begin() + 10'000, 77'777u);
  EXPECT_NEAR(static_cast<double>(some), 10'000 * 65'535.0 / 165'534, 100);
}

}  // namespace
}  // namespace turnout::balance
