// Each call goes to instances of the version that it asks for in its metadata, among which a child
// picker chooses.
//
//   {"version": {"key": "version", "child": [{"random": {}}], "whenAbsent": "any", "fallback":
//   "none"}}
//
// Pick: O(1), one hash of the version that is asked for. Build: O(endpoints), with one child for
// each version and, where the parameters need it, one over all.
#ifndef TURNOUT_SRC_BALANCE_VERSION_VERSION_H_
#define TURNOUT_SRC_BALANCE_VERSION_VERSION_H_

#include <memory>
#include <string>

#include "turnout/picker.h"

namespace turnout::balance {

struct VersionConfig {
  // The metadata key in which calls say what they want.
  std::string key = "version";

  // Chooses among the instances of one version, and among all where the next two say `any`.
  // Never null in a builder that Builds.
  std::shared_ptr<const PickerBuilder> child;

  // A call without the key: any instance will do, or it fails.
  enum class WhenAbsent { kAny, kFail };
  WhenAbsent when_absent = WhenAbsent::kAny;

  // A call for a version that no instance has: it fails, or any instance will do. A version whose
  // instances cannot be reached at the moment is not replaced: it may answer again.
  enum class Fallback { kNone, kAny };
  Fallback fallback = Fallback::kNone;
};

class VersionBuilder final : public PickerBuilder {
 public:
  explicit VersionBuilder(VersionConfig config = {}) : config_(std::move(config)) {}

  std::shared_ptr<const PickerBuilder> Configure(ConfigReader& config) const override;
  std::unique_ptr<const Picker> Build(EndpointGroup group) const override;
  std::optional<std::chrono::milliseconds> rebuild_period() const override;

 private:
  const VersionConfig config_;
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_VERSION_VERSION_H_
