// Follows one service: lists its records, states and rules, watches each from there on, folds, and
// hands on the snapshots. A state machine without threads: everything happens on the event loop's
// thread (in tests, on the test's).
//
//   list ──────────────► watch ──┐ events: fold, publish
//    ▲ failed: backoff            │ interrupted and resumed: is it the same history?
//    └── compacted, or another ◄──┘
//        history: backoff
//
// As long as etcd cannot be read, everything stays as it is: lapsed instances too.
//
// Departures and new rules are published at once, and so is the first join after a quiet time;
// joins that follow within a window share the snapshot at its end. While they keep coming the
// window grows. In a storm of events, those that arrive while a fold would take too large a share
// of the time are folded together.
#ifndef TURNOUT_SRC_DISCOVERY_FOLLOWER_H_
#define TURNOUT_SRC_DISCOVERY_FOLLOWER_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/base/backoff.h"
#include "src/base/line_limit.h"
#include "src/discovery/fold.h"
#include "src/discovery/history.h"
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

  // What was known in an earlier process, to go by until etcd answers; in vain if it has.
  void Preload(const Lists& lists);

 private:
  class PrefixWatch;
  struct Listing;

  void List();
  etcd::Callback<etcd::RangeResult> Listed(std::optional<etcd::RangeResult> Listing::*part);
  void OnListed(const Lists& lists);
  void ListLater();
  void Relist(std::string_view why);

  void OnEvents(std::vector<etcd::Event> events);
  void FoldPending();
  void OnCompacted();
  void OnInterrupted(const absl::Status& why);
  void OnResumed();
  void OnWatchResumed();

  void CheckHistory();
  void Take(Folded folded);
  void Report(const Changes& changes);
  void AwaitLapseEnds();
  void EndLapses();
  void Publish();
  void EndWindow();

  const Scope scope_;
  const Environment environment_;
  Listener& listener_;

  base::Backoff backoff_;
  Environment::Timer retry_;          // while everything is to be listed anew
  std::shared_ptr<Listing> listing_;  // null while watching
  std::unique_ptr<PrefixWatch> records_watch_;
  std::unique_ptr<PrefixWatch> states_watch_;
  std::unique_ptr<PrefixWatch> rules_watch_;
  absl::Status outage_;                     // OK while etcd can be read
  std::shared_ptr<const Witness> witness_;  // while the history is being checked

  std::vector<etcd::Event> pending_;                    // not folded yet
  Environment::Timer fold_later_;                       // while there are any
  std::chrono::steady_clock::time_point fold_again_{};  // no fold before

  std::shared_ptr<const View> view_;  // null until the first list
  bool unpublished_ = false;          // `view_` has something that no snapshot had
  Environment::Timer window_;         // null in quiet times
  std::chrono::milliseconds window_length_;
  int prompt_departures_ = 0;  // published within a window since the last quiet time
  int prompt_rules_ = 0;       // the same of changes of rules

  base::LineLimit lines_;             // about records
  Environment::Timer left_out_line_;  // while there are lines to tell of

  Environment::Timer overflow_relist_;  // while records are left out though there is room
  Environment::Timer lapse_timer_;
  std::chrono::steady_clock::time_point lapse_timer_due_ =
      std::chrono::steady_clock::time_point::max();
  std::chrono::steady_clock::time_point no_lapse_ends_before_{};
};

}  // namespace turnout::discovery

#endif  // TURNOUT_SRC_DISCOVERY_FOLLOWER_H_
