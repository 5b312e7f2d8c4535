// The newest snapshot, and those who want it.
//
// Thread-safe. Callbacks run on the process's delivery thread. A subscriber that is slow misses
// snapshots in between, never the newest; it delays the other subscribers, and never who publishes.
#ifndef TURNOUT_SRC_DISCOVERY_BROADCAST_H_
#define TURNOUT_SRC_DISCOVERY_BROADCAST_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "src/base/mutex.h"
#include "turnout/discovery.h"

namespace turnout::discovery {

class Broadcast {
 public:
  void Publish(const std::shared_ptr<const Snapshot>& snapshot);
  // Stands until it is replaced by another one, or by OK, which is not delivered.
  void PublishError(const absl::Status& error);

  // Delivers what there is at once. The subscription may outlive the broadcast.
  std::unique_ptr<Subscription> Subscribe(WatchCallbacks callbacks);

  // Subscribers that are remembered: those that there are, and about as many that have gone.
  std::size_t remembered();

 private:
  class Subscriber;
  class Handle;

  // Calls `deliver` with all subscribers that are left.
  template <typename Deliver>
  void ForEach(const Deliver& deliver) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  base::Mutex mutex_;
  std::shared_ptr<const Snapshot> newest_ ABSL_GUARDED_BY(mutex_);
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::weak_ptr<Subscriber>> subscribers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace turnout::discovery

#endif  // TURNOUT_SRC_DISCOVERY_BROADCAST_H_
