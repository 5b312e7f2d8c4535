// Calls with the same key go to the same endpoint, and few keys move when endpoints come and go:
// consistent hashing by Maglev's table. Beside ring_hash: every endpoint has its exact share of the
// keys, for a few more that move.
//
//   {"maglev": {"requestHashHeader": "x-user", "tableSize": 65537, "boundedLoad": 1.25}}
//
// Pick: O(1), one hash of the key, no shared state; with `boundedLoad` see hashing/load_bound.h.
// Build: O(endpoints) if their addresses and weights are those of the last Build, else the table is
// filled anew: O(tableSize × log tableSize).
#ifndef TURNOUT_SRC_BALANCE_MAGLEV_MAGLEV_H_
#define TURNOUT_SRC_BALANCE_MAGLEV_MAGLEV_H_

#include "src/balance/hashing/hashing.h"

namespace turnout::balance {

struct MaglevConfig {
  HashingConfig hashing;

  // Slots; a prime. The paper's choice: large enough for 655 endpoints to differ by at most 1% in
  // their numbers of slots. More endpoints than slots are an error.
  std::uint32_t table_size = 65537;
};

class MaglevBuilder final : public HashingBuilder {
 public:
  explicit MaglevBuilder(const MaglevConfig& config = {})
      : HashingBuilder(config.hashing), table_size_(config.table_size) {}

  std::shared_ptr<const PickerBuilder> Configure(ConfigReader& config) const override;

 private:
  absl::StatusOr<std::unique_ptr<const SlotTable>> BuildTable(
      std::span<const WeightedAddress> addresses) const override;

  const std::uint32_t table_size_;
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_MAGLEV_MAGLEV_H_
