// Everything discovery knows about a service, as a value: what etcd holds, by instance id, and what
// follows from it.
#ifndef TURNOUT_SRC_DISCOVERY_VIEW_H_
#define TURNOUT_SRC_DISCOVERY_VIEW_H_

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/etcd/types.h"
#include "src/model/record.h"
#include "src/route/rule_set.h"
#include "turnout/snapshot.h"

namespace turnout::discovery {

// One instance id: its record, what an operator decided about it, and its standing.
struct Entry {
  std::string id;

  etcd::Revision record_revision = 0;        // mod_revision of the record; 0: there is none
  etcd::Revision record_created = 0;         // its create_revision
  std::size_t record_hash = 0;               // of its value
  std::shared_ptr<const Instance> instance;  // the newest good record; null: none was good
  std::string record_fault;                  // why the record is not good; empty: it is

  etcd::Revision state_revision = 0;  // the same of the operator's entry
  model::OperatorState state = model::OperatorState::kNone;
  std::string state_fault;

  std::string shadowed_by;  // the id that has this one's address; empty: none
  InstanceStatus status = InstanceStatus::kRegistered;

  // Of a lapsed one: until when it stays as it is, and whether that has been looked into.
  std::chrono::steady_clock::time_point lapse_ends{};
  bool lapse_confirmed = false;

  std::chrono::steady_clock::time_point status_since{};
  std::shared_ptr<InstanceStats> stats;  // null until there is an instance

  // May it be called, as far as it alone is concerned?
  bool contends() const { return instance != nullptr && state != model::OperatorState::kRemoved; }
  bool is_member() const { return contends() && shadowed_by.empty(); }
  // Is its record missing, though nobody has announced that?
  bool lapsed() const { return instance != nullptr && record_revision == 0; }
};

// The document with the service's traffic rules.
struct RulesEntry {
  etcd::Revision revision = 0;                  // its mod_revision; 0: there is none
  std::shared_ptr<const route::RuleSet> rules;  // the newest good one; null: none was good
  etcd::Revision rules_revision = 0;            // of that one
  std::string fault;                            // why the newest is not good; empty: it is
};

// Immutable. Entries are shared by successive views as long as nothing changes about them.
struct View {
  using EntryPtr = std::shared_ptr<const Entry>;

  std::vector<EntryPtr> entries;  // sorted by id

  // Those that left last, oldest first: whoever returns (a lease that was lost) finds its
  // statistics again.
  std::vector<EntryPtr> departed;

  RulesEntry rules;

  // Changes up to here are contained. Each is watched separately.
  etcd::Revision records_revision = 0;
  etcd::Revision states_revision = 0;
  etcd::Revision rules_revision = 0;

  // FoldTime has nothing to do before; max: never.
  std::chrono::steady_clock::time_point next_lapse_ends =
      std::chrono::steady_clock::time_point::max();

  bool from_cache = false;  // not etcd's word
  bool overflow = false;    // there are more ids than `Scope::max_instances`

  // Where the entry of `id` is, or would be.
  std::vector<EntryPtr>::const_iterator Position(std::string_view id) const {
    return std::lower_bound(
        entries.begin(), entries.end(), id,
        [](const EntryPtr& entry, std::string_view wanted) { return entry->id < wanted; });
  }
  const Entry* Find(std::string_view id) const {  // null: there is none
    const auto position = Position(id);
    return position != entries.end() && (*position)->id == id ? position->get() : nullptr;
  }
};

}  // namespace turnout::discovery

#endif  // TURNOUT_SRC_DISCOVERY_VIEW_H_
