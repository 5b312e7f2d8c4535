// Read and follow the registrations without a channel: for tools, tests and dashboards.
#ifndef TURNOUT_DISCOVERY_H_
#define TURNOUT_DISCOVERY_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "turnout/registry.h"
#include "turnout/snapshot.h"

namespace turnout {

// Ends the watch when destroyed; after that the callback is not running and will not run again
// (destroying it inside its own callback is allowed).
class Subscription {
 public:
  virtual ~Subscription() = default;
};

struct WatchCallbacks {
  // Each new snapshot, the first as soon as etcd has answered (or, if it has not within 2 s, that
  // of the cache, if there is one). Departures come at once; joins that come in a burst may share a
  // snapshot. Calls do not overlap, and must not block for long: all
  // subscribers of the process share the thread.
  std::function<void(std::shared_ptr<const Snapshot>)> on_snapshot;

  // etcd cannot be read at the moment; the last snapshot stays good. Optional.
  std::function<void(const absl::Status&)> on_error;
};

// Follows `service`. All watches of a process on one cluster and service share one watch on etcd.
// Does not block. InvalidArgument for a bad service name or bad options. In a forked child nothing
// is ever delivered.
absl::StatusOr<std::unique_ptr<Subscription>> Watch(std::string_view service,
                                                    const RegistryOptions& registry,
                                                    WatchCallbacks callbacks);

// Every service that has a record under the namespace, with its instances, sorted by name. With a
// cache folder, instances that its last snapshot had and etcd has no more, though nobody announced
// that, are among them as lapsed. Blocks for at most `timeout`. Unavailable names the endpoints and
// the last error; FailedPrecondition in a forked child.
absl::StatusOr<std::vector<Snapshot>> List(const RegistryOptions& registry,
                                           std::chrono::milliseconds timeout);

}  // namespace turnout

#endif  // TURNOUT_DISCOVERY_H_
