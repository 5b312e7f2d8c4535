// Keeps the tables of the last Builds, so that a picker that is built anew for another reason than
// a change of addresses or weights costs no new table.
#ifndef TURNOUT_SRC_BALANCE_HASHING_TABLE_CACHE_H_
#define TURNOUT_SRC_BALANCE_HASHING_TABLE_CACHE_H_

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/balance/hashing/slot_table.h"
#include "src/base/mutex.h"
#include "turnout/endpoint_group.h"

namespace turnout::balance {

// Thread-safe. Holds no table: one lives as long as a picker uses it, and the picker of the last
// Build does until the next one has been built.
class TableCache {
 public:
  using BuildTable = std::function<absl::StatusOr<std::unique_ptr<const SlotTable>>(
      std::span<const WeightedAddress>)>;

  // The table over the group's candidates, in their order: that of the last Get for `group.key()`
  // if it had the same addresses and weights, else what `build` makes of them. Weights that are all
  // 0 count as 1.
  absl::StatusOr<std::shared_ptr<const SlotTable>> Get(const EndpointGroup& group,
                                                       const BuildTable& build);

 private:
  struct Kept {
    std::vector<std::shared_ptr<const Instance>> instances;
    std::unique_ptr<const SlotTable> table;
  };
  static bool Fits(const Kept& kept, std::span<const Endpoint* const> candidates);
  void Remember(const std::string& key, const std::shared_ptr<const Kept>& kept);

  base::Mutex mutex_;
  std::map<std::string, std::weak_ptr<const Kept>, std::less<>> by_key_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_HASHING_TABLE_CACHE_H_
