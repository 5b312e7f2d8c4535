// Draws an index with probability in proportion to its weight, in constant time (Walker's alias
// method, tables as Vose builds them, 1991).
//
// Each of the n slots holds up to two indices: its own, and an alias that fills what its own weight
// leaves free. With weights 1, 2, 3, each slot is worth the mean, 2:
//
//   slot 0: itself up to 1/2, above it 2     so index 0 has 1/2 of 1/3 = 1/6
//   slot 1: itself alone                     so index 1 has 1/3
//   slot 2: itself alone                     so index 2 has 1/3 + 1/2 of 1/3 = 1/2
//
// Draw: one random number, one memory access. Making: O(n), in whole numbers, so that nothing but
// the last rounding of each slot (to 2^-32) is inexact. Memory: 8 bytes an index. Immutable.
#ifndef TURNOUT_SRC_BALANCE_ALIAS_TABLE_H_
#define TURNOUT_SRC_BALANCE_ALIAS_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "src/base/random.h"

namespace turnout::balance {

class AliasTable {
 public:
  // At least one weight is above 0; there are fewer than 2^32. An index of weight 0 is never drawn.
  explicit AliasTable(std::span<const std::uint32_t> weights);

  std::size_t Draw(base::RandomSource& random) const {
    // The upper half of the product is the slot, its lower half the place inside it.
    const auto product = static_cast<base::Uint128>(random.Next()) * slots_.size();
    const auto slot = static_cast<std::size_t>(product >> 64);
    const auto place = static_cast<std::uint32_t>(product >> 32);
    return place < slots_[slot].own ? slot : slots_[slot].alias;
  }

 private:
  struct Slot {
    std::uint32_t own;    // up to where the slot is its own, in 2^-32
    std::uint32_t alias;  // itself if nothing else is in it
  };
  std::vector<Slot> slots_;
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_ALIAS_TABLE_H_
