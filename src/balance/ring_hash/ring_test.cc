#include "src/balance/ring_hash/ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "src/balance/hash.h"

namespace turnout::balance {
namespace {

constexpr RingSize kDefault;

// Addresses "10.0.0.0:80", … of the given weights; the texts live as long as this.
class Addresses {
 public:
  explicit Addresses(const std::vector<std::uint32_t>& weights) {
    texts_.reserve(weights.size());
    for (std::size_t i = 0; i < weights.size(); ++i) {
      texts_.push_back("10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ":80");
      all_.push_back({texts_.back(), weights[i]});
    }
  }
  std::span<const WeightedAddress> all() const { return all_; }
  std::vector<WeightedAddress> Without(std::size_t i) const {
    std::vector<WeightedAddress> rest = all_;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
    return rest;
  }

 private:
  std::vector<std::string> texts_;
  std::vector<WeightedAddress> all_;
};

Addresses Equal(std::size_t count) { return Addresses(std::vector<std::uint32_t>(count, 1)); }

std::uint64_t Sum(const std::vector<std::uint64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

std::uint32_t OwnerOf(const Ring& ring, std::uint64_t hash) {
  return ring.owners()[ring.SlotOf(hash)];
}

// Keys of which another address is the owner when address `i` has left.
double MovedWithout(const Addresses& addresses, std::size_t i) {
  constexpr int kKeys = 20'000;
  const auto before = Ring::Build(addresses.all(), kDefault);
  const std::vector<WeightedAddress> rest = addresses.Without(i);
  const auto after = Ring::Build(rest, kDefault);
  int moved = 0;
  for (int key = 0; key < kKeys; ++key) {
    const std::uint64_t hash = Hash(std::to_string(key));
    moved += addresses.all()[OwnerOf(*before, hash)].address != rest[OwnerOf(*after, hash)].address;
  }
  return static_cast<double>(moved) / kKeys;
}

// The header's example, on the scale of 64 bits.
TEST(RingTest, AKeyBelongsToTheNextEntry) {
  constexpr std::uint64_t kTenth = std::numeric_limits<std::uint64_t>::max() / 40;
  const std::vector<Ring::Entry> entries = {{10 * kTenth, 0}, {20 * kTenth, 1}, {30 * kTenth, 0}};
  const Ring ring(entries);
  for (const auto& [hash, slot] : std::vector<std::pair<std::uint64_t, std::size_t>>{
           {0, 0},
           {10 * kTenth, 0},
           {10 * kTenth + 1, 1},
           {20 * kTenth, 1},
           {20 * kTenth + 1, 2},
           {30 * kTenth, 2},
           {30 * kTenth + 1, 0},
           {std::numeric_limits<std::uint64_t>::max(), 0}}) {
    EXPECT_EQ(ring.SlotOf(hash), slot) << hash;
  }
}

TEST(RingTest, LookUpFindsWhatASearchFinds) {
  for (const std::uint64_t size : {1u, 2u, 3u, 1'000u, 4'096u}) {
    std::vector<Ring::Entry> entries;
    for (std::uint64_t i = 0; i < size; ++i) entries.push_back({Hash(std::to_string(i)), 0});
    std::ranges::sort(entries, {}, &Ring::Entry::hash);
    const Ring ring(entries);
    for (int key = 0; key < 2'000; ++key) {
      const std::uint64_t hash = Hash(std::to_string(key), 5);
      const auto found = std::ranges::lower_bound(entries, hash, {}, &Ring::Entry::hash);
      ASSERT_EQ(ring.SlotOf(hash), static_cast<std::size_t>(found - entries.begin()) % size);
    }
  }
}

TEST(RingTest, PlacesAreThoseOfGrpc) {
  const std::vector<WeightedAddress> one = {{"10.0.0.1:80", 1}};
  const auto ring = Ring::Build(one, {.least = 1, .most = 3});
  ASSERT_EQ(ring->owners().size(), 3u);
  std::vector<std::uint64_t> places;
  for (const char* const text : {"10.0.0.1:80_0", "10.0.0.1:80_1", "10.0.0.1:80_2"}) {
    places.push_back(Hash(text));
  }
  std::ranges::sort(places);
  for (std::size_t i = 0; i < places.size(); ++i) EXPECT_EQ(ring->SlotOf(places[i]), i);
  EXPECT_EQ(ring->SlotOf(places.back() + 1), 0u);
}

TEST(RingTest, EntriesAreInProportionToWeights) {
  // The header's example.
  EXPECT_EQ(EntryCounts(Addresses({1, 1, 2}).all(), kDefault),
            (std::vector<std::uint64_t>{768, 768, 1'536}));
  EXPECT_EQ(EntryCounts(Addresses({1, 2}).all(), kDefault),
            (std::vector<std::uint64_t>{768, 1'536}));
  EXPECT_EQ(EntryCounts(Addresses({0, 5}).all(), {.least = 10, .most = 20}),
            (std::vector<std::uint64_t>{0, 15}));
}

TEST(RingTest, TheRingKeepsWithinItsLimits) {
  for (std::size_t count : {1, 2, 3, 5, 10, 85, 86, 100, 1'000, 1'365, 1'366, 5'000, 10'000}) {
    const std::uint64_t sum = Sum(EntryCounts(Equal(count).all(), kDefault));
    EXPECT_GE(sum, kDefault.least) << count;
    EXPECT_LE(sum, kDefault.most) << count;
  }
  for (const RingSize size : {RingSize{1'000, 1'000}, {64, 100}, {1, 1}, {1, 8'388'608}}) {
    const std::uint64_t sum = Sum(EntryCounts(Addresses({7, 11, 65'535}).all(), size));
    EXPECT_LE(sum, size.most);
    EXPECT_GE(static_cast<double>(sum), static_cast<double>(size.least) * 0.97 - 3) << size.least;
  }
}

// Of equal endpoints too many for the ring, three in eight have an entry; which, does not depend on
// the others.
TEST(RingTest, FractionsOfAnEntryAreGivenByTheAddress) {
  const Addresses addresses = Equal(10'000);
  const auto counts = EntryCounts(addresses.all(), kDefault);
  EXPECT_NEAR(static_cast<double>(Sum(counts)), 3'750, 4 * 48);
  EXPECT_EQ(std::ranges::max(counts), 1u);
  const auto rest = EntryCounts(addresses.Without(0), kDefault);
  EXPECT_TRUE(std::equal(rest.begin(), rest.end(), counts.begin() + 1));
}

TEST(RingTest, EvenTheSmallestRingHasAnEntry) {
  for (int shift = 0; shift < 50; ++shift) {
    const Addresses addresses = Equal(static_cast<std::size_t>(shift) + 2);
    EXPECT_EQ(Ring::Build(addresses.all(), {.least = 1, .most = 1})->owners().size(), 1u);
  }
}

TEST(RingTest, EachOfAHundredThousandHasAnEntryIfThereIsRoom) {
  const Addresses addresses = Equal(100'000);
  const auto ring = Ring::Build(addresses.all(), {.least = 1'024, .most = 8'388'608});
  EXPECT_EQ(ring->owners().size(), 300'000u);
  std::vector<bool> owns(100'000);
  for (const std::uint32_t owner : ring->owners()) owns[owner] = true;
  EXPECT_EQ(std::ranges::count(owns, false), 0);
}

// Whoever leaves, on the average: only the keys that were its own.
TEST(RingTest, FewKeysMoveWhenOneLeaves) {
  for (const std::size_t count : {5u, 10u, 20u, 50u, 64u, 100u}) {
    const Addresses addresses = Equal(count);
    double moved = 0;
    constexpr std::size_t kLeavers = 5;
    for (std::size_t i = 0; i < kLeavers; ++i) moved += MovedWithout(addresses, i) / kLeavers;
    EXPECT_LE(moved, 1.2 / static_cast<double>(count)) << count;
    EXPECT_GE(moved, 0.8 / static_cast<double>(count)) << count;
  }
}

// An endpoint's k entries give it a share that varies by about 1 / sqrt(k) of itself.
TEST(RingTest, SharesVaryAsTheEntriesPromise) {
  constexpr std::size_t kCount = 20;
  constexpr int kKeys = 200'000;
  const Addresses addresses = Equal(kCount);
  const double entries = static_cast<double>(EntryCounts(addresses.all(), kDefault).front());
  const auto ring = Ring::Build(addresses.all(), kDefault);
  std::vector<int> counts(kCount);
  for (int key = 0; key < kKeys; ++key) ++counts[OwnerOf(*ring, Hash(std::to_string(key)))];
  double squares = 0;
  for (const int count : counts) squares += std::pow(count * kCount / double{kKeys} - 1, 2);
  const double deviation = std::sqrt(squares / kCount);
  EXPECT_LT(deviation, 1.5 / std::sqrt(entries));
  EXPECT_GT(deviation, 0.5 / std::sqrt(entries));
}

}  // namespace
}  // namespace turnout::balance
