#include "src/balance/maglev/maglev_table.h"

#include <algorithm>
#include <numeric>

#include "src/balance/hash.h"
#include "src/base/random.h"

namespace turnout::balance {
namespace {

constexpr std::uint32_t kNone = ~std::uint32_t{0};

// Who is to take a slot in which round; within a round, in the order of their coming.
class Rounds {
 public:
  Rounds(std::size_t rounds, std::size_t players)
      : first_(rounds, kNone), last_(rounds, kNone), next_(players, kNone) {}

  void Add(std::uint64_t round, std::uint32_t player) {
    if (round >= first_.size()) return;  // the table is full by then
    next_[player] = kNone;
    if (first_[round] == kNone) {
      first_[round] = player;
    } else {
      next_[last_[round]] = player;
    }
    last_[round] = player;
  }
  std::uint32_t First(std::size_t round) const { return first_[round]; }
  std::uint32_t Next(std::uint32_t player) const { return next_[player]; }

 private:
  std::vector<std::uint32_t> first_, last_, next_;
};

bool IsPrime(std::uint32_t number) {
  if (number % 2 == 0) return number == 2;
  for (std::uint32_t divisor = 3; divisor <= number / divisor; divisor += 2) {
    if (number % divisor == 0) return false;
  }
  return number > 1;
}

}  // namespace

std::vector<std::uint32_t> FillTable(std::span<const Preference> preferences, std::uint32_t size) {
  const std::uint64_t greatest = std::ranges::max(preferences, {}, &Preference::weight).weight;
  // The heaviest take a slot in every round, so that there are at most as many rounds as slots.
  Rounds rounds(size, preferences.size());
  std::vector<std::uint32_t> position(preferences.size());
  std::vector<std::uint32_t> taken(preferences.size(), 0);
  for (std::uint32_t i = 0; i < preferences.size(); ++i) {
    position[i] = preferences[i].offset;
    if (preferences[i].weight > 0) rounds.Add(0, i);
  }
  std::vector<std::uint32_t> owners(size, kNone);
  std::uint32_t filled = 0;
  for (std::size_t round = 0;; ++round) {
    for (std::uint32_t i = rounds.First(round), next = kNone; i != kNone; i = next) {
      next = rounds.Next(i);
      const auto step = [&, skip = preferences[i].skip] {
        position[i] += skip;
        if (position[i] >= size) position[i] -= size;
      };
      while (owners[position[i]] != kNone) step();
      owners[position[i]] = i;
      if (++filled == size) return owners;
      step();
      // The k-th slot comes in round k × greatest / weight: after 1 of weight 2 beside 3, in 1.5.
      const std::uint64_t weight = preferences[i].weight;
      rounds.Add((++taken[i] * greatest + weight - 1) / weight, i);
    }
  }
}

std::unique_ptr<const MaglevTable> MaglevTable::Build(std::span<const WeightedAddress> addresses,
                                                      std::uint32_t size) {
  constexpr std::uint64_t kSkipSeed = 1;
  // Turns are taken in the order of the addresses' hashes, which does not change when an instance
  // is restarted under another id.
  std::vector<std::pair<std::uint64_t, std::uint32_t>> order;
  order.reserve(addresses.size());
  for (std::uint32_t i = 0; i < addresses.size(); ++i) {
    order.emplace_back(Hash(addresses[i].address), i);
  }
  std::ranges::sort(order);
  std::vector<Preference> preferences;
  preferences.reserve(order.size());
  for (const auto& [hash, i] : order) {
    const std::uint64_t skip = Hash(addresses[i].address, kSkipSeed) % (size - 1) + 1;
    preferences.push_back({.offset = static_cast<std::uint32_t>(hash % size),
                           .skip = static_cast<std::uint32_t>(skip),
                           .weight = addresses[i].weight});
  }
  std::vector<std::uint32_t> owners = FillTable(preferences, size);
  for (std::uint32_t& owner : owners) owner = order[owner].second;
  return std::make_unique<const MaglevTable>(std::move(owners));
}

// By multiplication, which costs less than a division.
std::size_t MaglevTable::SlotOf(std::uint64_t hash) const {
  return static_cast<std::size_t>((static_cast<base::Uint128>(hash) * owners().size()) >> 64);
}

std::uint32_t PrimeFrom(std::uint32_t number) {
  while (!IsPrime(number)) ++number;
  return number;
}

}  // namespace turnout::balance
