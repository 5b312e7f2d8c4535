// Where the rules' decisions become picks: divides the endpoints by the destinations that the rules
// name, and has a child choose within each.
//
// Rules narrow first; what the channel is configured to do (the call's own version, subsets, …) it
// does inside the destination. An instance that drains, has lapsed or cannot be reached still
// belongs to its destination: only one to which no instance belongs is replaced by the fallback.
//
// Pick: O(destinations of a route) beside the child's. Build: O(endpoints × destinations that match
// their version).
#ifndef TURNOUT_SRC_ROUTE_ROUTE_BUILDER_H_
#define TURNOUT_SRC_ROUTE_ROUTE_BUILDER_H_

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "src/route/router.h"
#include "turnout/picker.h"

namespace turnout::route {

class RouteBuilder final : public PickerBuilder {
 public:
  // `router`: by which calls are decided now; null: there are no rules. `former`: others by which
  // calls that are still under way have been decided. A call that has been decided by none of these
  // waits for the next picker.
  RouteBuilder(std::shared_ptr<const PickerBuilder> configured,
               std::shared_ptr<const Router> router,
               std::vector<std::shared_ptr<const Router>> former = {})
      : configured_(std::move(configured)),
        router_(std::move(router)),
        former_(std::move(former)) {}

  std::unique_ptr<const Picker> Build(EndpointGroup group) const override;
  std::optional<std::chrono::milliseconds> rebuild_period() const override;

 private:
  const std::shared_ptr<const PickerBuilder> configured_;
  const std::shared_ptr<const Router> router_;
  const std::vector<std::shared_ptr<const Router>> former_;
};

}  // namespace turnout::route

#endif  // TURNOUT_SRC_ROUTE_ROUTE_BUILDER_H_
