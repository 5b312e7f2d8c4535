// Balancing policies of one's own; docs/writing-a-policy.md shows how.
//
//   Endpoint        one instance as a channel sees it: its record, connection state, statistics
//   EndpointGroup   the endpoints a picker may choose among
//   PickerBuilder   makes a Picker from an EndpointGroup; made once for each configuration
//   Picker          sends each call to an endpoint; immutable, replaced whenever something changes
//   PickResult      an endpoint, or a verdict: queue, fail, drop
//
// Builders nest: one that selects (`version`) divides its group and builds a child for each part;
// one that chooses (`random`) is a leaf. Most leaves derive from ChoosingPickerBuilder, which deals
// with everything but the choice itself.
//
// Threads: Build runs on one thread at a time for each channel, and must not block. Pick runs on
// the threads of the calls, many at once. Objects handed to them live at least as long as the
// Picker.
#ifndef TURNOUT_PICKER_H_
#define TURNOUT_PICKER_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "turnout/endpoint.h"
#include "turnout/endpoint_group.h"
#include "turnout/pick.h"

namespace turnout {

class ConfigReader;

class Picker {
 public:
  virtual ~Picker() = default;
  virtual PickResult Pick(const PickArgs& args) const = 0;

  // Could it ever send a call to `endpoint`, one of its group's? Those that no picker wants are not
  // connected. A parent asks the children that have the endpoint.
  virtual bool Wants(const Endpoint& endpoint) const;  // true
};

class PickerBuilder {
 public:
  virtual ~PickerBuilder() = default;

  // A builder with the parameters that `config` holds. Report what is wrong through `config`, which
  // also refuses every key that was not asked for. The default takes no parameters.
  // Runs when a service config is parsed. Null means "this one".
  virtual std::shared_ptr<const PickerBuilder> Configure(ConfigReader& config) const;

  // Never null. The group's endpoints outlive the picker.
  virtual std::unique_ptr<const Picker> Build(EndpointGroup group) const = 0;

  // For pickers that depend on what time or statistics bring: how often to build anew even if
  // nothing else changes. A parent gives its child's. At least 100 ms.
  virtual std::optional<std::chrono::milliseconds> rebuild_period() const;  // never
};

// For leaves: chooses among endpoints that can take the call now. Calls for which there is none are
// queued or failed by the rules; idle members of the group are connected as soon as a call asks for
// the group; and a retry goes to an endpoint that its call has not tried, if one is left: the
// choice is asked again a few times, then an untried one is taken without it (and without the
// metadata and finish callback that it would have given).
class ChoosingPickerBuilder : public PickerBuilder {
 public:
  std::unique_ptr<const Picker> Build(EndpointGroup group) const final;

 protected:
  // Among `group.candidates()`, of which there is at least one. The group outlives the picker,
  // which must return one of its candidates or a verdict.
  virtual std::unique_ptr<const Picker> BuildChoice(const EndpointGroup& group) const = 0;
};

// Makes `builder` available as `{"name": {…}}` inside `{"turnout":{"picker":[…]}}`. Call it before
// the first channel that names it. Thread-safe. InvalidArgument for a name that is not snake_case,
// AlreadyExists for one that is taken.
absl::Status RegisterPickerBuilder(std::string_view name,
                                   std::shared_ptr<const PickerBuilder> builder);

}  // namespace turnout

#endif  // TURNOUT_PICKER_H_
