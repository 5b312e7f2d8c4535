#include "src/base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <thread>

namespace turnout::base {
namespace {

TEST(Random, BelowMapsTheWholeRangeOfBits) {
  class Scripted final : public RandomSource {
   public:
    std::uint64_t bits = 0;
    std::uint64_t Next() override { return bits; }
  } random;
  EXPECT_EQ(random.Below(10), 0U);
  random.bits = 1ULL << 63;
  EXPECT_EQ(random.Below(10), 5U);
  EXPECT_EQ(random.Fraction(), 0.5);
  random.bits = ~0ULL;
  EXPECT_EQ(random.Below(10), 9U);
  EXPECT_EQ(random.Below(1), 0U);
  EXPECT_LT(random.Fraction(), 1.0);
}

TEST(Random, BelowIsUniform) {
  std::array<int, 8> counts{};
  for (int i = 0; i < 80'000; ++i) ++counts[ThreadRandom().Below(counts.size())];
  // Each is binomial with mean 10,000 and standard deviation 94.
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 600);
}

TEST(Random, NumbersDoNotRepeatAndDifferBetweenThreads) {
  std::set<std::uint64_t> seen;
  const auto draw = [&] {
    for (int i = 0; i < 1000; ++i) seen.insert(ThreadRandom().Next());
  };
  std::thread(draw).join();
  std::thread(draw).join();
  EXPECT_EQ(seen.size(), 2000U);
}

TEST(Random, MayBeKeptByAnotherThread) {
  RandomSource* kept = nullptr;
  std::thread([&] { kept = &ThreadRandom(); }).join();
  EXPECT_EQ(kept, &ThreadRandom());
}

}  // namespace
}  // namespace turnout::base
