// Maglev's table: endpoints take turns in filling it, each going through the slots in an order of
// its own, which follows from its address, and taking the first that is free. Eisenbud et al.:
// "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016. Weighted as by Envoy: an
// endpoint takes part in as many rounds as its weight is of the greatest.
//
// Example: 7 slots, A begins at 3 and steps by 4 (3 0 4 1 5 2 6), B begins at 0 and steps by 2
// (0 2 4 6 1 3 5). In turn: A 3, B 0, A 4 (0 is taken), B 2, A 1, B 6, A 5: B A B A A A B.
#ifndef TURNOUT_SRC_BALANCE_MAGLEV_MAGLEV_TABLE_H_
#define TURNOUT_SRC_BALANCE_MAGLEV_MAGLEV_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "src/balance/hashing/slot_table.h"

namespace turnout::balance {

// An endpoint's order of the slots: offset, offset + skip, offset + 2 × skip, … modulo the size.
struct Preference {
  std::uint32_t offset;
  std::uint32_t skip;  // 1 to size - 1
  std::uint32_t weight = 1;
};

// The owner of each slot. `size` is prime; `preferences`, at most `size` and not empty, take turns
// in this order. Those of weight 0 own nothing; each other owns at least one slot.
// O(size + preferences), beside the slots that are found taken: O(size × log size) of them.
std::vector<std::uint32_t> FillTable(std::span<const Preference> preferences, std::uint32_t size);

// SlotOf: O(1), no memory read. 4 bytes a slot.
class MaglevTable final : public SlotTable {
 public:
  // Equal for equal sets, in whatever order they come.
  static std::unique_ptr<const MaglevTable> Build(std::span<const WeightedAddress> addresses,
                                                  std::uint32_t size);

  using SlotTable::SlotTable;
  std::size_t SlotOf(std::uint64_t hash) const override;
};

// The least prime that is not below `number`, which is at least 2.
std::uint32_t PrimeFrom(std::uint32_t number);

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_MAGLEV_MAGLEV_TABLE_H_
