#include "src/balance/ring_hash/ring.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "src/balance/hash.h"

namespace turnout::balance {
namespace {

constexpr std::uint64_t kRoundingSeed = 1;  // apart from the entries' places

// For each address a number in [0, 1): at which fraction of an entry it gets a whole one.
std::vector<double> RoundUpFrom(std::span<const WeightedAddress> addresses) {
  std::vector<double> from;
  from.reserve(addresses.size());
  for (const auto& [address, weight] : addresses) {
    from.push_back(static_cast<double>(Hash(address, kRoundingSeed) >> 11) * 0x1.0p-53);
  }
  return from;
}

std::uint64_t Entries(std::uint32_t weight, double per_unit, double round_up_from) {
  const double entries = weight * per_unit;
  return static_cast<std::uint64_t>(std::floor(entries + 1 - round_up_from - 0x1.0p-53));
}

std::uint64_t Sum(std::span<const WeightedAddress> addresses, double per_unit,
                  std::span<const double> round_up_from) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    sum += Entries(addresses[i].weight, per_unit, round_up_from[i]);
  }
  return sum;
}

// Entries for a unit of weight.
double PerUnit(std::span<const WeightedAddress> addresses, std::span<const double> round_up_from,
               RingSize size) {
  double weights = 0;
  std::uint32_t lightest = std::numeric_limits<std::uint32_t>::max();
  for (const WeightedAddress& address : addresses) {
    weights += address.weight;
    if (address.weight > 0) lightest = std::min(lightest, address.weight);
  }
  const double most = static_cast<double>(size.most) / weights;
  const double wanted = std::min(
      most, std::max(static_cast<double>(size.least) / weights, 1 / static_cast<double>(lightest)));
  const double coarse = 3 * std::exp2(2 * std::ceil(std::log2(wanted / 3) / 2));
  for (const double per_unit : {coarse, coarse / 2, coarse / 4}) {
    const std::uint64_t sum = Sum(addresses, per_unit, round_up_from);
    if (sum >= size.least && sum <= size.most) return per_unit;
  }
  double per_unit = most;
  while (Sum(addresses, per_unit, round_up_from) > size.most) per_unit *= 0.99;
  return per_unit;
}

void AppendEntries(const std::string_view address, std::uint64_t count, std::uint32_t owner,
                   std::vector<Ring::Entry>& entries) {
  std::string text(address);
  text += '_';
  const std::size_t stem = text.size();
  for (std::uint64_t i = 0; i < count; ++i) {
    text.resize(stem);
    text += std::to_string(i);
    entries.push_back({Hash(text), owner});
  }
}

std::vector<std::uint32_t> OwnersOf(std::span<const Ring::Entry> entries) {
  std::vector<std::uint32_t> owners;
  owners.reserve(entries.size());
  for (const Ring::Entry& entry : entries) owners.push_back(entry.owner);
  return owners;
}

}  // namespace

std::vector<std::uint64_t> EntryCounts(std::span<const WeightedAddress> addresses, RingSize size) {
  const std::vector<double> round_up_from = RoundUpFrom(addresses);
  const double per_unit = PerUnit(addresses, round_up_from, size);
  std::vector<std::uint64_t> counts;
  counts.reserve(addresses.size());
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    counts.push_back(Entries(addresses[i].weight, per_unit, round_up_from[i]));
  }
  return counts;
}

std::unique_ptr<const Ring> Ring::Build(std::span<const WeightedAddress> addresses, RingSize size) {
  const std::vector<std::uint64_t> counts = EntryCounts(addresses, size);
  std::vector<Entry> entries;
  entries.reserve(std::accumulate(counts.begin(), counts.end(), std::uint64_t{1}));
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    AppendEntries(addresses[i].address, counts[i], static_cast<std::uint32_t>(i), entries);
  }
  if (entries.empty()) {  // tiny rings may leave no one a whole entry
    const auto heaviest = std::ranges::max_element(addresses, {}, [](const WeightedAddress& one) {
      return std::pair(one.weight, one.address);
    });
    AppendEntries(heaviest->address, 1, static_cast<std::uint32_t>(heaviest - addresses.begin()),
                  entries);
  }
  std::ranges::sort(entries, [&](const Entry& a, const Entry& b) {
    if (a.hash != b.hash) return a.hash < b.hash;
    return addresses[a.owner].address < addresses[b.owner].address;
  });
  return std::make_unique<const Ring>(entries);
}

Ring::Ring(std::span<const Entry> sorted)
    : SlotTable(OwnersOf(sorted)), shift_(64 - std::bit_width(sorted.size())) {
  hashes_.reserve(sorted.size());
  for (const Entry& entry : sorted) {
    while (parts_.size() <= entry.hash >> shift_) {
      parts_.push_back(static_cast<std::uint32_t>(hashes_.size()));
    }
    hashes_.push_back(entry.hash);
  }
  const std::size_t parts = std::size_t{1} << (64 - shift_);
  parts_.resize(parts, static_cast<std::uint32_t>(hashes_.size()));
}

std::size_t Ring::SlotOf(std::uint64_t hash) const {
  std::size_t slot = parts_[hash >> shift_];
  while (slot < hashes_.size() && hashes_[slot] < hash) ++slot;
  return slot == hashes_.size() ? 0 : slot;
}

}  // namespace turnout::balance
