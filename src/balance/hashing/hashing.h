// What ring_hash and maglev share: the key that a call is placed by, the table kept from Build to
// Build, and the walk past endpoints that are not to get the call.
//
// A call's key is the value of a metadata header; of a header that is repeated, the values joined
// by commas. Endpoints are placed by their first address, not their id, so that an instance that is
// restarted keeps its keys. The table is over the endpoints that can take calls now (READY, and of
// the best status): keys of one that breaks move at once, and back when it has returned.
#ifndef TURNOUT_SRC_BALANCE_HASHING_HASHING_H_
#define TURNOUT_SRC_BALANCE_HASHING_HASHING_H_

#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "src/balance/hashing/slot_table.h"
#include "src/balance/hashing/table_cache.h"
#include "turnout/picker.h"

namespace turnout::balance {

struct HashingConfig {
  // The metadata key by which calls are placed. A call without it goes anywhere; if this is empty,
  // all do.
  std::string request_hash_header;

  // No endpoint has more than this times its share of the calls in flight; 0: no bound.
  double bounded_load = 0;
};

// Reports what is wrong through `config`.
HashingConfig ReadHashing(ConfigReader& config);

class HashingBuilder : public ChoosingPickerBuilder {
 protected:
  explicit HashingBuilder(HashingConfig config) : config_(std::move(config)) {}

  // `addresses`: not empty. Pure; an error becomes the status of all calls.
  virtual absl::StatusOr<std::unique_ptr<const SlotTable>> BuildTable(
      std::span<const WeightedAddress> addresses) const = 0;

  std::unique_ptr<const Picker> BuildChoice(const EndpointGroup& group) const final;

 private:
  const HashingConfig config_;
  mutable TableCache cache_;
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_HASHING_HASHING_H_
