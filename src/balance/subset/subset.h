// Each client uses only some of the instances, chosen by a hash of their addresses, so that
// thousands of clients and servers do not hold millions of connections.
//
//   {"subset": {"subsetSize": 20, "child": [{"round_robin": {}}]}}
//
// The choice does not look at health: it changes only with what is registered, by one instance for
// each that joins or leaves. Instances that were not chosen are not connected.
//
// Pick: the child's. Build: O(endpoints), a hash for each. Source: gRFC A68, random subsetting.
#ifndef TURNOUT_SRC_BALANCE_SUBSET_SUBSET_H_
#define TURNOUT_SRC_BALANCE_SUBSET_SUBSET_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "turnout/picker.h"

namespace turnout::balance {

// The same for the whole life of the process, and for no other.
std::uint64_t SubsetSeedOfProcess();

struct SubsetConfig {
  // Many enough that the rest can do without the few that fail at once.
  std::size_t size = 20;

  // Chooses among the subset. Never null in a builder that Builds.
  std::shared_ptr<const PickerBuilder> child;

  // Tells this client's choice from others'.
  std::uint64_t seed = SubsetSeedOfProcess();
};

class SubsetBuilder final : public PickerBuilder {
 public:
  explicit SubsetBuilder(SubsetConfig config = {}) : config_(std::move(config)) {}

  std::shared_ptr<const PickerBuilder> Configure(ConfigReader& config) const override;
  std::unique_ptr<const Picker> Build(EndpointGroup group) const override;
  std::optional<std::chrono::milliseconds> rebuild_period() const override;

 private:
  const SubsetConfig config_;
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_SUBSET_SUBSET_H_
