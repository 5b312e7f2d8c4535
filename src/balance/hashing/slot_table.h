// What the hash policies build from a set of endpoints: a circle of slots, each of which belongs to
// an endpoint. The hash of a call's key leads to a slot; whoever does not want its owner goes on to
// the next slot, and from the last one to the first.
//
// Immutable, so that any number of threads may read it.
#ifndef TURNOUT_SRC_BALANCE_HASHING_SLOT_TABLE_H_
#define TURNOUT_SRC_BALANCE_HASHING_SLOT_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace turnout::balance {

struct WeightedAddress {
  std::string_view address;
  std::uint32_t weight = 1;  // at least one address of a set has another than 0
};

class SlotTable {
 public:
  // `owners`: for each slot, an index into the set of addresses.
  explicit SlotTable(std::vector<std::uint32_t> owners) : owners_(std::move(owners)) {}
  virtual ~SlotTable() = default;
  SlotTable(const SlotTable&) = delete;
  SlotTable& operator=(const SlotTable&) = delete;

  virtual std::size_t SlotOf(std::uint64_t hash) const = 0;

  // There is at least one.
  std::span<const std::uint32_t> owners() const { return owners_; }

 private:
  const std::vector<std::uint32_t> owners_;
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_HASHING_SLOT_TABLE_H_
