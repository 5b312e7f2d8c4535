// Who makes this process's calls: stated by the application, or else by its registration.
#ifndef TURNOUT_SRC_ROUTE_CALLER_H_
#define TURNOUT_SRC_ROUTE_CALLER_H_

#include <functional>
#include <memory>

#include "turnout/rules.h"

namespace turnout::route {

// What counts if the application states nothing. The first call counts. Thread-safe.
void SetCallerByRegistration(Caller caller);

// Calls `changed` whenever the caller is another one, in the thread that changed it, until the
// result is destroyed; waits for one that is under way. `changed` must neither block nor subscribe.
class CallerSubscription {
 public:
  virtual ~CallerSubscription() = default;
};
std::unique_ptr<CallerSubscription> OnCallerChange(std::function<void()> changed);

}  // namespace turnout::route

#endif  // TURNOUT_SRC_ROUTE_CALLER_H_
