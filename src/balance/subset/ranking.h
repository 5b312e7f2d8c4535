// Which k of many a client uses, so that clients choose differently and change little. Pure.
#ifndef TURNOUT_SRC_BALANCE_SUBSET_RANKING_H_
#define TURNOUT_SRC_BALANCE_SUBSET_RANKING_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "turnout/endpoint.h"

namespace turnout::balance {

// The `size` members whose addresses have the lowest XXH64 with `seed`, in the order in which they
// were; all, if there are no more. O(members).
//
// A member's rank depends on nobody else, so one that joins or leaves moves at most one other into
// or out of the subset:
//
//   size 2:  a 17, b 42, c 58, d 91  → a b
//   e 30 joins                       → a e   (b is pushed out)
//   a leaves                         → e b   (b comes back)
//   d leaves                         → e b
std::vector<const Endpoint*> LowestRanked(std::span<const Endpoint* const> members,
                                          std::size_t size, std::uint64_t seed);

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_SUBSET_RANKING_H_
