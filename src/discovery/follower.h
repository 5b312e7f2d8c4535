// Follows one service: lists its records and states, watches both from there on, folds, and hands
// on the snapshots. A state machine without threads: everything happens on the event loop's thread
// (in tests, on the test's).
//
//   list ──────────────► watch ──┐ events: fold, publish
//    ▲ failed: backoff            │
//    └── compacted: backoff ◄─────┘
//
// Departures are published at once, and so is the first join after a quiet time; joins that follow
// within a window share the snapshot at its end. While they keep coming the window grows.
#ifndef TURNOUT_SRC_DISCOVERY_FOLLOWER_H_
#define TURNOUT_SRC_DISCOVERY_FOLLOWER_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/base/backoff.h"
#include "src/discovery/fold.h"
#include "src/etcd/client.h"
#include "src/etcd/event_loop.h"
#include "turnout/snapshot.h"

namespace turnout::discovery {

class Follower {
 public:
  // Called from within the follower's own callbacks; must not destroy it.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void OnSnapshot(std::shared_ptr<const Snapshot> snapshot) = 0;
    // etcd cannot be read; it is being tried again. The same error is not repeated.
    virtual void OnError(const absl::Status& error) = 0;
    virtual void OnRecovered() = 0;
  };

  struct Environment {
    using Timer = std::unique_ptr<etcd::EventLoop::Timer>;

    etcd::Client& client;
    std::function<Timer(std::chrono::milliseconds, std::function<void()>)> run_after;
    std::function<std::chrono::steady_clock::time_point()> now;
  };

  // Begins at once. `listener` outlives the follower.
  Follower(Scope scope, Environment environment, Listener& listener);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

 private:
  class PrefixWatch;
  struct Listing;

  void List();
  void Range(std::string prefix, std::optional<etcd::RangeResult> Listing::*part);
  void OnListed(const Listing& listing);
  void ListLater();

  void OnEvents(const std::vector<etcd::Event>& events);
  void OnCompacted();
  void OnInterrupted(const absl::Status& why);
  void OnResumed();

  void Take(Folded folded);
  void Publish();
  void EndWindow();

  const Scope scope_;
  const Environment environment_;
  Listener& listener_;

  base::Backoff backoff_;
  Environment::Timer retry_;
  std::shared_ptr<Listing> listing_;  // null while watching
  std::unique_ptr<PrefixWatch> records_watch_;
  std::unique_ptr<PrefixWatch> states_watch_;
  absl::Status outage_;  // OK while etcd can be read

  std::shared_ptr<const View> view_;  // null until the first list
  bool unpublished_ = false;          // `view_` has something that no snapshot had
  Environment::Timer window_;         // null in quiet times
  std::chrono::milliseconds window_length_;
};

}  // namespace turnout::discovery

#endif  // TURNOUT_SRC_DISCOVERY_FOLLOWER_H_
