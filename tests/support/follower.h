// Waits for what turnout::Watch tells of a service.
#ifndef TURNOUT_TESTS_SUPPORT_FOLLOWER_H_
#define TURNOUT_TESTS_SUPPORT_FOLLOWER_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "turnout/discovery.h"

namespace turnout::testing {

using SnapshotPtr = std::shared_ptr<const Snapshot>;

// Thread-safe.
class Follower {
 public:
  Follower(const std::string& etcd, const std::string& service);
  Follower(const RegistryOptions& registry, const std::string& service);

  // The first snapshot that `wanted` takes, of those that come and of the newest so far. Null, and
  // the test has failed, if none comes within kPatience.
  SnapshotPtr WaitFor(const std::function<bool(const Snapshot&)>& wanted);
  SnapshotPtr WaitForCount(std::size_t members);

  // The newest error; OK, and the test has failed, if none comes within kPatience.
  absl::Status WaitForError();

  // All that have come, oldest first.
  std::vector<SnapshotPtr> snapshots() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<SnapshotPtr> snapshots_;
  absl::Status error_;
  std::unique_ptr<Subscription> subscription_;  // the last member: its callbacks use the others
};

// "app-1 v1 127.0.0.1:80 registered, …", for messages.
std::string Describe(const Snapshot& snapshot);

// The member with this id; null if there is none.
const Member* FindMember(const Snapshot& snapshot, const std::string& id);

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_FOLLOWER_H_
