// Last known good: which instances stay in use though their records have vanished unannounced.
//
// etcd does not tell an expired lease from a deleted key, so one such disappearance is ambiguous: a
// server that died, or one whose keep-alives did not get through. Every one of them lapses, which
// is harmless: channels hold on to a lapsed instance only over a connection that has lived
// throughout, and call it only where nobody who is registered can be called. What has to be decided
// is for how long. After the window it goes, unless
//   - more than half of the service has vanished so within the window: then etcd, or the way to it,
//     is the likelier culprit. 4 of 7 lapsed: they stay; 3 of 7: they go;
//   - or nobody else takes the calls that it takes (same version, same user metadata, at least
//     its methods): then dropping it could only make calls fail;
//   - or etcd's history is another one (wiped, or restored from a backup): it has not heard of them
//     yet.
// These stay until the limit.
//
// The window is one TTL of the lease, so that those that etcd loses together are seen to be lost
// together. A lease is refreshed every third of its TTL, so when all refreshes fail from one moment
// on, leases of 60 s end 40 to 60 s after it: 20 s apart. Refreshes that fail one after another, or
// leases that a new leader prolongs, end further apart, but hardly more than a TTL.
//
// Pure.
#ifndef TURNOUT_SRC_DISCOVERY_LAPSE_H_
#define TURNOUT_SRC_DISCOVERY_LAPSE_H_

#include <chrono>
#include <string>
#include <unordered_set>

#include "src/discovery/view.h"

namespace turnout::discovery {

// For records that state no TTL, and the least of all.
inline constexpr std::chrono::seconds kLapseWindow{10};

std::chrono::seconds LapseWindow(const Instance& instance);
std::chrono::seconds LongestLapseWindow(const View& view);  // of those that have lapsed

// As of one moment, for all that are due then. Costs a pass over the view, when it is first needed.
class LapseJudge {
 public:
  // The view outlives the judge.
  explicit LapseJudge(const View& view) : view_(view) {}

  // Does the lapsed `entry` stay beyond its window?
  bool Stays(const Entry& entry);

 private:
  void Look();

  const View& view_;
  bool looked_ = false;
  bool most_have_lapsed_ = false;
  std::unordered_set<std::string> calls_taken_;  // by those whose records are there
};

}  // namespace turnout::discovery

#endif  // TURNOUT_SRC_DISCOVERY_LAPSE_H_
