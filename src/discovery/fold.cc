#include "src/discovery/fold.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "src/model/text.h"

namespace turnout::discovery {
namespace {

using model::Concat;
using model::OperatorState;
using TimePoint = std::chrono::steady_clock::time_point;

constexpr std::size_t kDepartedKept = 256;

std::string Shadowing(const Entry& entry) {
  return Concat({"shadowed by ", entry.shadowed_by, ", which has the same address ",
                 entry.instance->address(), " and is newer"});
}

// What decides which of several instances has an address.
bool ContendsAlike(const Entry* a, const Entry& b) {
  if (a == nullptr || !a->contends() || !b.contends()) {
    return (a != nullptr && a->contends()) == b.contends();
  }
  return a->instance == b.instance ||
         (a->instance->create_revision == b.instance->create_revision &&
          a->instance->address() == b.instance->address());
}

// Would calls that still go by `before` reach something else than they asked for?
bool Misroutes(const Entry& before, const Entry& after) {
  if (before.status != after.status && after.status == InstanceStatus::kDraining) return true;
  const Instance& old = *before.instance;
  const Instance& now = *after.instance;
  return old.addresses != now.addresses || old.version != now.version ||
         old.methods != now.methods || old.health_service != now.health_service ||
         old.create_revision != now.create_revision;
}

// One fold: edits entries of a copy, then settles what follows from the edits.
class Fold {
 public:
  Fold(const Scope& scope, const View& before, TimePoint now)
      : scope_(scope), before_(before), now_(now), departed_(before.departed) {}

  void PutRecord(std::string_view id, const etcd::KeyValue& kv);
  void DeleteRecord(std::string_view id);
  void PutState(std::string_view id, const etcd::KeyValue& kv);
  void DeleteState(std::string_view id);

  Folded Finish(etcd::Revision records_revision, etcd::Revision states_revision);

 private:
  using Edits = std::map<std::string, Entry, std::less<>>;

  const Entry* Find(std::string_view id) const;    // as it is by now; null: there is none
  const Entry* Before(std::string_view id) const;  // as it was
  Entry& Edit(std::string_view id);
  std::shared_ptr<InstanceStats> StatsFor(std::string_view id);

  std::unordered_set<std::string> DisputedAddresses() const;
  void SettleAddresses();
  void SettleStatus(Entry& entry) const;
  void Note(const Entry& after, Changes& changes) const;
  void NoteFaults(const Entry& after, Changes& changes) const;
  void Depart(const Entry& entry);
  std::vector<View::EntryPtr> Merge();

  const Scope& scope_;
  const View& before_;
  const TimePoint now_;
  Edits edits_;
  std::vector<View::EntryPtr> departed_;
};

std::vector<View::EntryPtr>::const_iterator Position(const std::vector<View::EntryPtr>& entries,
                                                     std::string_view id) {
  return std::lower_bound(
      entries.begin(), entries.end(), id,
      [](const View::EntryPtr& entry, std::string_view wanted) { return entry->id < wanted; });
}

const Entry* Fold::Before(std::string_view id) const {
  const auto position = Position(before_.entries, id);
  return position != before_.entries.end() && (*position)->id == id ? position->get() : nullptr;
}

const Entry* Fold::Find(std::string_view id) const {
  const auto edited = edits_.find(id);
  return edited == edits_.end() ? Before(id) : &edited->second;
}

Entry& Fold::Edit(std::string_view id) {
  if (const auto edited = edits_.find(id); edited != edits_.end()) return edited->second;
  const Entry* before = Before(id);
  Entry entry = before == nullptr ? Entry{.id = std::string(id)} : *before;
  return edits_.emplace(std::string(id), std::move(entry)).first->second;
}

std::shared_ptr<InstanceStats> Fold::StatsFor(std::string_view id) {
  const auto found = std::find_if(departed_.begin(), departed_.end(),
                                  [&](const View::EntryPtr& entry) { return entry->id == id; });
  if (found == departed_.end()) return std::make_shared<InstanceStats>(now_);
  std::shared_ptr<InstanceStats> stats = (*found)->stats;
  departed_.erase(found);
  return stats;
}

void Fold::PutRecord(std::string_view id, const etcd::KeyValue& kv) {
  const std::size_t hash = std::hash<std::string_view>()(kv.value);
  const Entry* known = Find(id);
  if (known != nullptr && known->record_revision == kv.mod_revision && known->record_hash == hash) {
    return;
  }
  Entry& entry = Edit(id);
  entry.record_revision = kv.mod_revision;
  entry.record_hash = hash;
  auto parsed = model::ParseRecord(scope_.service, id, kv.value, scope_.limits);
  if (!parsed.ok()) {
    entry.record_fault = model::Message(parsed.status());
    return;
  }
  entry.record_fault.clear();
  parsed->create_revision = kv.create_revision;
  parsed->mod_revision = kv.mod_revision;
  entry.instance = std::make_shared<const Instance>(*std::move(parsed));
  if (entry.stats == nullptr) entry.stats = StatsFor(id);
}

void Fold::DeleteRecord(std::string_view id) {
  const Entry* known = Find(id);
  if (known == nullptr || known->record_revision == 0) return;
  Entry& entry = Edit(id);
  entry.record_revision = 0;
  entry.record_hash = 0;
  entry.record_fault.clear();
  entry.instance = nullptr;
}

void Fold::PutState(std::string_view id, const etcd::KeyValue& kv) {
  Entry& entry = Edit(id);
  entry.state_revision = kv.mod_revision;
  const auto state = model::ParseOperatorState(kv.value);
  entry.state = state.ok() ? *state : OperatorState::kNone;
  entry.state_fault = model::Message(state.status());
}

void Fold::DeleteState(std::string_view id) {
  const Entry* known = Find(id);
  if (known == nullptr || known->state_revision == 0) return;
  Entry& entry = Edit(id);
  entry.state_revision = 0;
  entry.state = OperatorState::kNone;
  entry.state_fault.clear();
}

// Those for which the edits may have changed who has them.
std::unordered_set<std::string> Fold::DisputedAddresses() const {
  std::unordered_set<std::string> disputed;
  for (const auto& [id, entry] : edits_) {
    const Entry* before = Before(id);
    if (ContendsAlike(before, entry)) continue;
    if (before != nullptr && before->contends()) disputed.insert(before->instance->address());
    if (entry.contends()) disputed.insert(entry.instance->address());
  }
  return disputed;
}

void Fold::SettleAddresses() {
  const auto disputed = DisputedAddresses();
  if (disputed.empty()) return;

  std::unordered_map<std::string_view, std::vector<const Entry*>> contenders;
  const auto contend = [&](const Entry& entry) {
    if (!entry.contends()) return;
    const auto address = disputed.find(entry.instance->address());
    if (address != disputed.end()) contenders[*address].push_back(&entry);
  };
  for (const auto& [id, entry] : edits_) contend(entry);
  for (const auto& entry : before_.entries) {
    if (!edits_.contains(entry->id)) contend(*entry);
  }

  const auto older = [](const Entry* a, const Entry* b) {
    return std::tie(a->instance->create_revision, a->id) <
           std::tie(b->instance->create_revision, b->id);
  };
  for (const auto& [address, entries] : contenders) {
    const std::string winner = (*std::max_element(entries.begin(), entries.end(), older))->id;
    for (const Entry* entry : entries) {
      const std::string_view by = entry->id == winner ? std::string_view() : winner;
      if (entry->shadowed_by != by) Edit(entry->id).shadowed_by = by;
    }
  }
}

void Fold::SettleStatus(Entry& entry) const {
  if (!entry.contends()) entry.shadowed_by.clear();
  if (!entry.is_member()) return;
  const bool draining = entry.state == OperatorState::kDraining || entry.instance->draining;
  const InstanceStatus status = draining ? InstanceStatus::kDraining : InstanceStatus::kRegistered;
  const Entry* before = Before(entry.id);
  if (before == nullptr || !before->is_member() || before->status != status) {
    entry.status_since = now_;
  }
  entry.status = status;
}

void Fold::NoteFaults(const Entry& after, Changes& changes) const {
  static const Entry& kNew = *new Entry;
  const Entry* found = Before(after.id);
  const Entry& before = found == nullptr ? kNew : *found;
  const auto note = [&](const std::string& was, const std::string& is, const std::string& key,
                        std::vector<Snapshot::Rejected>& facts) {
    if (was != is) changes.anything = true;
    if (was.empty() && !is.empty()) facts.push_back({key, is});
  };
  note(before.record_fault, after.record_fault, scope_.keys.Record(scope_.service, after.id),
       changes.rejected);
  note(before.state_fault, after.state_fault, scope_.keys.State(scope_.service, after.id),
       changes.rejected);
  if (before.shadowed_by != after.shadowed_by && !after.shadowed_by.empty()) {
    changes.anything = true;
    changes.shadowed.push_back({scope_.keys.Record(scope_.service, after.id), Shadowing(after)});
  }
}

void Fold::Note(const Entry& after, Changes& changes) const {
  NoteFaults(after, changes);
  const Entry* before = Before(after.id);
  const bool was = before != nullptr && before->is_member();
  const bool is = after.is_member();
  if (was != is) {
    changes.anything = true;
    changes.departures |= was;
  } else if (is && (before->instance != after.instance || before->status != after.status)) {
    changes.anything = true;
    changes.departures |= Misroutes(*before, after);
  } else if (before != nullptr && before->contends() != after.contends()) {
    changes.anything = true;
  }
}

void Fold::Depart(const Entry& entry) {
  if (entry.stats == nullptr) return;
  if (departed_.size() == kDepartedKept) departed_.erase(departed_.begin());
  departed_.push_back(std::make_shared<const Entry>(Entry{.id = entry.id, .stats = entry.stats}));
}

std::vector<View::EntryPtr> Fold::Merge() {
  std::vector<View::EntryPtr> merged;
  merged.reserve(before_.entries.size() + edits_.size());
  auto next = before_.entries.begin();
  for (auto& [id, entry] : edits_) {
    const auto position = Position(before_.entries, id);
    merged.insert(merged.end(), next, position);
    const bool known = position != before_.entries.end() && (*position)->id == id;
    next = known ? position + 1 : position;
    if (entry.record_revision == 0 && entry.state_revision == 0) {
      Depart(entry);
    } else {
      merged.push_back(std::make_shared<const Entry>(std::move(entry)));
    }
  }
  merged.insert(merged.end(), next, before_.entries.end());
  return merged;
}

Folded Fold::Finish(etcd::Revision records_revision, etcd::Revision states_revision) {
  SettleAddresses();
  Folded folded;
  for (auto& [id, entry] : edits_) {
    SettleStatus(entry);
    Note(entry, folded.changes);
  }
  auto entries = Merge();
  folded.view = std::make_shared<const View>(View{.entries = std::move(entries),
                                                  .departed = std::move(departed_),
                                                  .records_revision = records_revision,
                                                  .states_revision = states_revision});
  return folded;
}

}  // namespace

Folded FoldList(const Scope& scope, const View* before, const etcd::RangeResult& records,
                const etcd::RangeResult& states, TimePoint now) {
  static const View& kNothing = *new View;
  Fold fold(scope, before == nullptr ? kNothing : *before, now);
  std::set<std::string_view> recorded, stated;
  for (const etcd::KeyValue& kv : records.kvs) {
    const auto id = scope.keys.IdOfRecord(scope.service, kv.key);
    if (id.has_value()) fold.PutRecord(*recorded.insert(*id).first, kv);
  }
  for (const etcd::KeyValue& kv : states.kvs) {
    const auto id = scope.keys.IdOfState(scope.service, kv.key);
    if (id.has_value()) fold.PutState(*stated.insert(*id).first, kv);
  }
  if (before != nullptr) {
    for (const auto& entry : before->entries) {
      if (!recorded.contains(entry->id)) fold.DeleteRecord(entry->id);
      if (!stated.contains(entry->id)) fold.DeleteState(entry->id);
    }
  }
  Folded folded = fold.Finish(records.revision, states.revision);
  if (before == nullptr) folded.changes.anything = true;
  return folded;
}

Folded FoldEvents(const Scope& scope, const View& before, std::span<const etcd::Event> events,
                  TimePoint now) {
  Fold fold(scope, before, now);
  etcd::Revision records_revision = before.records_revision;
  etcd::Revision states_revision = before.states_revision;
  for (const auto& [type, kv] : events) {
    const bool put = type == etcd::Event::Type::kPut;
    if (const auto id = scope.keys.IdOfRecord(scope.service, kv.key)) {
      if (kv.mod_revision <= before.records_revision) continue;
      records_revision = std::max(records_revision, kv.mod_revision);
      put ? fold.PutRecord(*id, kv) : fold.DeleteRecord(*id);
    } else if (const auto stated = scope.keys.IdOfState(scope.service, kv.key)) {
      if (kv.mod_revision <= before.states_revision) continue;
      states_revision = std::max(states_revision, kv.mod_revision);
      put ? fold.PutState(*stated, kv) : fold.DeleteState(*stated);
    }
  }
  return fold.Finish(records_revision, states_revision);
}

std::shared_ptr<const Snapshot> MakeSnapshot(const Scope& scope, const View& view) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->service = scope.service;
  snapshot->revision = std::max(view.records_revision, view.states_revision);
  snapshot->members.reserve(view.entries.size());
  const auto reject = [&](std::string key, std::string reason) {
    snapshot->rejected.push_back({std::move(key), std::move(reason)});
  };
  for (const auto& entry : view.entries) {
    const auto record_key = [&] { return scope.keys.Record(scope.service, entry->id); };
    if (entry->is_member()) {
      snapshot->members.push_back(
          {entry->instance, entry->status, entry->status_since, entry->stats});
    } else if (entry->contends()) {
      reject(record_key(), Shadowing(*entry));
    } else if (entry->instance != nullptr) {
      reject(record_key(), "removed by an operator");
    }
    if (!entry->record_fault.empty()) reject(record_key(), entry->record_fault);
    if (!entry->state_fault.empty()) {
      reject(scope.keys.State(scope.service, entry->id), entry->state_fault);
    }
  }
  return snapshot;
}

}  // namespace turnout::discovery
