// fold(View, events) → View: everything discovery knows about a service, as a value. Pure.
//
// A View is what etcd holds (records and operators' states by key); its `snapshot` is what follows
// from that for those who balance. Unchanged members keep their `shared_ptr<const Instance>`, so
// that two snapshots are compared by pointers.
#ifndef TURNOUT_SRC_DISCOVERY_FOLD_H_
#define TURNOUT_SRC_DISCOVERY_FOLD_H_

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

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
};

class View;  // immutable

// Facts for the caller to report.
struct Changes {
  std::vector<Snapshot::Rejected> rejected;  // newly; each key once until it is good again
  std::vector<std::string> shadowed;         // newly; one line each
  bool departures = false;  // an instance left, began to drain, or changed so that calls must know
  bool anything = false;    // the snapshot's members differ
};

struct Folded {
  std::shared_ptr<const View> view;
  std::shared_ptr<const Snapshot> snapshot;
  Changes changes;
};

// From a list of all keys (records and states) at `revision`. `before`, if not null, is what was
// known until now: statistics, unchanged instances, and good values of keys that are malformed now
// are kept; what is missing has left.
Folded FoldList(const Scope& scope, const View* before, std::span<const etcd::KeyValue> records,
                std::span<const etcd::KeyValue> states, etcd::Revision revision,
                std::chrono::steady_clock::time_point now);

// After `events` (of records and states mixed), which may contain ones from before a key's known
// mod_revision: those are dropped.
Folded FoldEvents(const Scope& scope, const View& before, std::span<const etcd::Event> events,
                  etcd::Revision revision, std::chrono::steady_clock::time_point now);

}  // namespace turnout::discovery

#endif  // TURNOUT_SRC_DISCOVERY_FOLD_H_
