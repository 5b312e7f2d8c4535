// fold(View, events) → View. Pure.
//
// What is malformed never hurts the rest: a record that cannot be used leaves the last good one of
// its key in force. Of two records with one address the one with the highest create_revision wins
// (a restart), the others are shadowed until it goes. A record that vanishes without having been
// marked as draining, by its owner or an operator, leaves its instance lapsed (lapse.h). Rules that
// cannot be used leave the last good ones in force, and so does a new history that has none: what
// was forbidden must not become allowed because etcd was wiped.
//
// An event costs a copy of the view's pointers and a pass over them (about 0.1 ms at 4,000
// instances), and parses nothing but the record that it brings.
#ifndef TURNOUT_SRC_DISCOVERY_FOLD_H_
#define TURNOUT_SRC_DISCOVERY_FOLD_H_

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "src/discovery/lists.h"
#include "src/discovery/view.h"
#include "src/etcd/types.h"
#include "src/model/names.h"
#include "src/model/record.h"
#include "turnout/snapshot.h"

namespace turnout::discovery {

// What does not change while a service is followed.
struct Scope {
  std::string service;
  model::Keys keys;
  model::RecordLimits limits;
  std::size_t max_instances = 20'000;  // those that only an operator's decision names count, too

  // See lapse.h. 0: whoever vanishes is gone.
  std::chrono::seconds lapsed_limit{0};
};

// Facts for the caller to report.
struct Changes {
  // Newly; each key once until it is good again, rules once for each thing that is wrong.
  std::vector<Snapshot::Rejected> rejected;
  std::vector<Snapshot::Rejected> shadowed;             // newly; each pair once
  std::vector<std::shared_ptr<const Instance>> lapsed;  // newly
  std::vector<std::shared_ptr<const Instance>> kept;    // newly, beyond the window
  bool overflow = false;                                // newly
  bool new_history = false;  // the list is not of the history that was known
  bool departures = false;  // an instance left, began to drain, or changed so that calls that go by
                            // an older snapshot could reach the wrong one
  bool rules = false;       // others are in force
  bool anything = false;    // the snapshot differs
};

struct Folded {
  std::shared_ptr<const View> view;
  Changes changes;
};

// From a list of everything. `before`, if not null, is what was known until now:
// statistics, unchanged instances, and good values of keys that are malformed now are kept; what is
// missing has left, or lapses. A record that was created before `before` ended, and is not in it,
// betrays another history, as a lower revision does.
Folded FoldList(const Scope& scope, const View* before, const Lists& lists,
                std::chrono::steady_clock::time_point now);

// After `events`, of all kinds mixed; those that `before` contains already are dropped.
Folded FoldEvents(const Scope& scope, const View& before, std::span<const etcd::Event> events,
                  std::chrono::steady_clock::time_point now);

// What becomes of lapsed instances by `now`.
Folded FoldTime(const Scope& scope, const View& before, std::chrono::steady_clock::time_point now);

// What a view means for those who balance. Members that did not change have the same instance,
// statistics and status_since as in the snapshots of earlier views.
std::shared_ptr<const Snapshot> MakeSnapshot(const Scope& scope, const View& view);

}  // namespace turnout::discovery

#endif  // TURNOUT_SRC_DISCOVERY_FOLD_H_
