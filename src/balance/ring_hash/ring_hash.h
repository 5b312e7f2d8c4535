// Calls with the same key go to the same endpoint, and few keys move when endpoints come and go:
// consistent hashing on a ring.
//
//   {"ring_hash": {"requestHashHeader": "x-user", "minRingSize": 1024, "maxRingSize": 4096,
//   "boundedLoad": 1.25}}
//
// Pick: O(1), one hash of the key, no shared state; with `boundedLoad` see hashing/load_bound.h.
// Build: O(endpoints) if their addresses and weights are those of the last Build, else the ring is
// built anew: O(entries × log entries). gRFC A42 and A76.
#ifndef TURNOUT_SRC_BALANCE_RING_HASH_RING_HASH_H_
#define TURNOUT_SRC_BALANCE_RING_HASH_RING_HASH_H_

#include "src/balance/hashing/hashing.h"
#include "src/balance/ring_hash/ring.h"

namespace turnout::balance {

struct RingHashConfig {
  HashingConfig hashing;

  // gRPC's defaults: more entries spread the keys more evenly, and cost memory.
  RingSize size;
};

class RingHashBuilder final : public HashingBuilder {
 public:
  explicit RingHashBuilder(const RingHashConfig& config = {})
      : HashingBuilder(config.hashing), size_(config.size) {}

  std::shared_ptr<const PickerBuilder> Configure(ConfigReader& config) const override;

 private:
  absl::StatusOr<std::unique_ptr<const SlotTable>> BuildTable(
      std::span<const WeightedAddress> addresses) const override;

  const RingSize size_;
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_RING_HASH_RING_HASH_H_
