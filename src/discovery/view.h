// Everything discovery knows about a service, as a value: what etcd holds, by instance id, and what
// follows from it.
#ifndef TURNOUT_SRC_DISCOVERY_VIEW_H_
#define TURNOUT_SRC_DISCOVERY_VIEW_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "src/etcd/types.h"
#include "src/model/record.h"
#include "turnout/snapshot.h"

namespace turnout::discovery {

// One instance id: its record, what an operator decided about it, and its standing.
struct Entry {
  std::string id;

  etcd::Revision record_revision = 0;        // mod_revision of the record; 0: there is none
  std::size_t record_hash = 0;               // of its value
  std::shared_ptr<const Instance> instance;  // the newest good record; null: none was good
  std::string record_fault;                  // why the record is not good; empty: it is

  etcd::Revision state_revision = 0;  // the same of the operator's entry
  model::OperatorState state = model::OperatorState::kNone;
  std::string state_fault;

  std::string shadowed_by;  // the id that has this one's address; empty: none
  InstanceStatus status = InstanceStatus::kRegistered;
  std::chrono::steady_clock::time_point status_since{};
  std::shared_ptr<InstanceStats> stats;  // null until there is an instance

  // May it be called, as far as it alone is concerned?
  bool contends() const { return instance != nullptr && state != model::OperatorState::kRemoved; }
  bool is_member() const { return contends() && shadowed_by.empty(); }
};

// Immutable. Entries are shared by successive views as long as nothing changes about them.
struct View {
  using EntryPtr = std::shared_ptr<const Entry>;

  std::vector<EntryPtr> entries;  // sorted by id

  // Those that left last, oldest first: whoever returns (a lease that was lost) finds its
  // statistics again.
  std::vector<EntryPtr> departed;

  // Changes up to here are contained. Records and states are watched separately.
  etcd::Revision records_revision = 0;
  etcd::Revision states_revision = 0;
};

}  // namespace turnout::discovery

#endif  // TURNOUT_SRC_DISCOVERY_VIEW_H_
