#include "src/balance/maglev/maglev_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>

namespace turnout::balance {
namespace {

constexpr std::uint32_t kSize = 65'537;

std::vector<std::string> Texts(std::size_t count) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    texts.push_back("10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ":80");
  }
  return texts;
}

std::vector<WeightedAddress> Addresses(const std::vector<std::string>& texts) {
  std::vector<WeightedAddress> addresses;
  addresses.reserve(texts.size());
  for (const std::string& text : texts) addresses.push_back({text});
  return addresses;
}

std::vector<int> Counts(std::span<const std::uint32_t> owners, std::size_t endpoints) {
  std::vector<int> counts(endpoints);
  for (const std::uint32_t owner : owners) ++counts[owner];
  return counts;
}

// The header's example.
TEST(MaglevTableTest, EndpointsTakeTurns) {
  const std::vector<Preference> preferences = {{.offset = 3, .skip = 4}, {.offset = 0, .skip = 2}};
  EXPECT_EQ(FillTable(preferences, 7), (std::vector<std::uint32_t>{1, 0, 1, 0, 0, 0, 1}));
}

// A and C take a slot in rounds 0, 1 and 2, B in 0 and 2, where it has waited longest: A 0, B 1, C
// 2, A 3, C 4, B 5, A 6.
TEST(MaglevTableTest, HalfTheWeightIsHalfTheTurns) {
  const std::vector<Preference> preferences = {{.offset = 0, .skip = 1, .weight = 2},
                                               {.offset = 1, .skip = 1, .weight = 1},
                                               {.offset = 2, .skip = 1, .weight = 2}};
  EXPECT_EQ(FillTable(preferences, 7), (std::vector<std::uint32_t>{0, 1, 2, 0, 2, 1, 0}));
}

TEST(MaglevTableTest, WeightZeroOwnsNothing) {
  const std::vector<Preference> preferences = {{.offset = 0, .skip = 1, .weight = 0},
                                               {.offset = 0, .skip = 1, .weight = 1}};
  EXPECT_EQ(FillTable(preferences, 5), (std::vector<std::uint32_t>{1, 1, 1, 1, 1}));
}

TEST(MaglevTableTest, SharesAreEqualToASlot) {
  for (const std::size_t count : {1u, 2u, 10u, 1'000u, 10'000u}) {
    const auto texts = Texts(count);
    const auto table = MaglevTable::Build(Addresses(texts), kSize);
    const auto [least, most] = std::ranges::minmax(Counts(table->owners(), count));
    EXPECT_LE(most - least, 1) << count;
  }
}

TEST(MaglevTableTest, SharesFollowTheWeights) {
  const auto texts = Texts(4);
  auto addresses = Addresses(texts);
  const std::uint32_t weights[] = {1, 2, 500, 65'535};
  for (std::size_t i = 0; i < 4; ++i) addresses[i].weight = weights[i];
  const auto counts = Counts(MaglevTable::Build(addresses, kSize)->owners(), 4);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(counts[i], kSize * static_cast<double>(weights[i]) / 66'038, 2) << i;
  }
}

TEST(MaglevTableTest, EachHasASlotHoweverHeavyAnotherIs) {
  const auto texts = Texts(60'000);
  auto addresses = Addresses(texts);
  addresses[0].weight = 65'535;
  const auto counts = Counts(MaglevTable::Build(addresses, kSize)->owners(), addresses.size());
  EXPECT_EQ(std::ranges::count(counts, 0), 0);
  EXPECT_EQ(counts[0], 65'537 - 59'999);
}

TEST(MaglevTableTest, AsManyEndpointsAsSlots) {
  const auto texts = Texts(kSize);
  const auto counts = Counts(MaglevTable::Build(Addresses(texts), kSize)->owners(), kSize);
  EXPECT_TRUE(std::ranges::all_of(counts, [](int count) { return count == 1; }));
}

// The paper's figure 11 has at most a few percent of slots that move without need.
TEST(MaglevTableTest, FewKeysMoveWhenOneLeaves) {
  for (const std::size_t count : {3u, 10u, 100u, 1'000u}) {
    const auto texts = Texts(count);
    const auto addresses = Addresses(texts);
    const auto before = MaglevTable::Build(addresses, kSize);
    double moved = 0;
    for (std::size_t leaver = 0; leaver < 3; ++leaver) {
      auto rest = addresses;
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(leaver));
      const auto after = MaglevTable::Build(rest, kSize);
      for (std::size_t slot = 0; slot < kSize; ++slot) {
        moved += addresses[before->owners()[slot]].address != rest[after->owners()[slot]].address;
      }
    }
    moved /= 3 * kSize;
    EXPECT_GE(moved, 0.98 / static_cast<double>(count)) << count;
    EXPECT_LE(moved, 1 / static_cast<double>(count) + 0.03) << count;
  }
}

TEST(MaglevTableTest, HashesReachAllSlotsEvenly) {
  const MaglevTable table({0, 1, 2});
  constexpr std::uint64_t kThird = std::numeric_limits<std::uint64_t>::max() / 3;
  EXPECT_EQ(table.SlotOf(0), 0u);
  EXPECT_EQ(table.SlotOf(kThird), 0u);
  EXPECT_EQ(table.SlotOf(kThird + 1), 1u);
  EXPECT_EQ(table.SlotOf(2 * kThird + 2), 2u);
  EXPECT_EQ(table.SlotOf(std::numeric_limits<std::uint64_t>::max()), 2u);
}

TEST(PrimeFromTest, TheNextPrime) {
  EXPECT_EQ(PrimeFrom(2), 2u);
  EXPECT_EQ(PrimeFrom(4), 5u);
  EXPECT_EQ(PrimeFrom(9), 11u);
  EXPECT_EQ(PrimeFrom(65'536), 65'537u);
  EXPECT_EQ(PrimeFrom(65'537), 65'537u);
  EXPECT_EQ(PrimeFrom(65'538), 65'539u);
  EXPECT_EQ(PrimeFrom(5'000'010), 5'000'011u);
  EXPECT_EQ(PrimeFrom(5'000'011), 5'000'011u);
}

}  // namespace
}  // namespace turnout::balance
