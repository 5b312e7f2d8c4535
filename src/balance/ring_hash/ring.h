// The ring of consistent hashing: each endpoint has entries at pseudo-random places of the circle
// of 64-bit numbers, as many as its weight asks for; a key belongs to the first entry at or after
// its hash. Karger et al., 1997; the places, XXH64 of "<address>_<i>", are those of gRFC A42 and
// Envoy.
//
// How many entries a unit of weight has is where this differs from A42, which computes the least
// number that fills the ring: that changes whenever an endpoint comes or goes, for all endpoints,
// so that with 10 of them about 2/10 of the keys move instead of 1/10. Here it is a number of a
// coarse scale, 3 × 4^j: the least with which the ring is full and the lightest endpoint has an
// entry. It stays as it is while the sum of weights varies within a factor of four.
//
// Example: weights 1, 1 and 2, ring of 1,024 to 4,096 entries. 3 × 4^3 = 192 entries for a unit
// make 768, which is too few; 3 × 4^4 = 768 make 768 + 768 + 1,536 = 3,072. If an endpoint of
// weight 1 leaves, 2,304 remain where they were.
//
// Where that exceeds the greatest size, it is halved up to twice, and if the limits leave no room
// for any of these, the ring gets as many entries as it may have. Fractions of an entry are given
// to some endpoints and not to others, by the hash of their address, so that the expected number is
// exact: of 10,000 endpoints of weight 1 on a ring of at most 4,096, where a unit has 3 / 8 of an
// entry, about 3,750 have one. The others get no calls.
#ifndef TURNOUT_SRC_BALANCE_RING_HASH_RING_H_
#define TURNOUT_SRC_BALANCE_RING_HASH_RING_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "src/balance/hashing/slot_table.h"

namespace turnout::balance {

struct RingSize {
  std::uint64_t least = 1024;
  std::uint64_t most = 4096;
};

// Example: entries of A at 10 and 30 and of B at 20: hashes 11 to 20 belong to B, 21 to 30 to A,
// and those above 30 or up to 10 to A, too.
//
// SlotOf: O(1) on the average, two cache misses. At most 20 bytes an entry.
class Ring final : public SlotTable {
 public:
  struct Entry {
    std::uint64_t hash;
    std::uint32_t owner;
  };

  // O(entries × log). Equal for equal sets, in whatever order they come. At least one entry.
  static std::unique_ptr<const Ring> Build(std::span<const WeightedAddress> addresses,
                                           RingSize size);

  // Sorted by hash; not empty.
  explicit Ring(std::span<const Entry> sorted);

  std::size_t SlotOf(std::uint64_t hash) const override;

 private:
  std::vector<std::uint64_t> hashes_;
  int shift_;  // a hash's upper bits are the number of its part of the circle
  std::vector<std::uint32_t> parts_;  // first slot of each, so that no search is needed
};

// Entries for each address; their sum is at most `size.most`, and at least `size.least` as far as
// whole entries allow. A weight of 0 has none.
std::vector<std::uint64_t> EntryCounts(std::span<const WeightedAddress> addresses, RingSize size);

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_RING_HASH_RING_H_
