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

#include "src/discovery/history.h"
#include "src/discovery/lapse.h"
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
  if (a->lapsed() != b.lapsed()) return false;
  return a->instance == b.instance ||
         (a->instance->create_revision == b.instance->create_revision &&
          a->instance->address() == b.instance->address());
}

// Would calls that still go by `before` reach something else than they asked for?
bool Misroutes(const Entry& before, const Entry& after) {
  if (before.status != after.status && after.status != InstanceStatus::kRegistered) return true;
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
      : scope_(scope),
        before_(before),
        now_(now),
        departed_(before.departed),
        rules_(before.rules),
        next_lapse_ends_(before.next_lapse_ends),
        overflow_(before.overflow) {}

  void PutRecord(std::string_view id, const etcd::KeyValue& kv);
  void DeleteRecord(std::string_view id);
  void PutState(std::string_view id, const etcd::KeyValue& kv);
  void DeleteState(std::string_view id);
  void PutRules(const etcd::KeyValue& kv);
  void DeleteRules();
  // What comes is a list, which has `more`, or is not of the history of `before`.
  void BeginList(bool more, bool new_history);
  void EndLapses();

  struct Revisions {
    etcd::Revision records;
    etcd::Revision states;
    etcd::Revision rules;
  };
  Folded Finish(const Revisions& revisions);

 private:
  using Edits = std::map<std::string, Entry, std::less<>>;

  const Entry* Find(std::string_view id) const;    // as it is by now; null: there is none
  const Entry* Before(std::string_view id) const;  // as it was
  Entry& Edit(std::string_view id);
  bool LeftOut(std::string_view id);  // for want of room, which it notes
  std::shared_ptr<InstanceStats> StatsFor(std::string_view id);
  bool VanishedUnannounced(const Entry& entry) const;

  std::unordered_set<std::string> DisputedAddresses() const;
  void SettleAddresses();
  void SettleStatus(Entry& entry) const;
  void Note(const Entry& after, Changes& changes) const;
  void NoteFaults(const Entry& after, Changes& changes) const;
  void NoteRules(Changes& changes) const;
  void Depart(const Entry& entry);
  std::vector<View::EntryPtr> Merge();

  const Scope& scope_;
  const View& before_;
  const TimePoint now_;
  Edits edits_;
  std::size_t added_ = 0;  // entries that `before` lacks
  std::vector<View::EntryPtr> departed_;
  RulesEntry rules_;
  TimePoint next_lapse_ends_;
  std::vector<std::shared_ptr<const Instance>> kept_;
  bool new_history_ = false;
  bool overflow_;
};

const Entry* Fold::Before(std::string_view id) const { return before_.Find(id); }

const Entry* Fold::Find(std::string_view id) const {
  const auto edited = edits_.find(id);
  return edited == edits_.end() ? Before(id) : &edited->second;
}

Entry& Fold::Edit(std::string_view id) {
  if (const auto edited = edits_.find(id); edited != edits_.end()) return edited->second;
  const Entry* before = Before(id);
  if (before == nullptr) ++added_;
  Entry entry = before == nullptr ? Entry{.id = std::string(id)} : *before;
  return edits_.emplace(std::string(id), std::move(entry)).first->second;
}

bool Fold::LeftOut(std::string_view id) {
  if (Find(id) != nullptr || before_.entries.size() + added_ < scope_.max_instances) return false;
  overflow_ = true;
  return true;
}

std::shared_ptr<InstanceStats> Fold::StatsFor(std::string_view id) {
  const auto found = std::find_if(departed_.begin(), departed_.end(),
                                  [&](const View::EntryPtr& entry) { return entry->id == id; });
  if (found == departed_.end()) return std::make_shared<InstanceStats>(now_);
  std::shared_ptr<InstanceStats> stats = (*found)->stats;
  departed_.erase(found);
  return stats;
}

void Fold::BeginList(bool more, bool new_history) {
  overflow_ = more;
  new_history_ = new_history;
}

void Fold::PutRecord(std::string_view id, const etcd::KeyValue& kv) {
  const std::size_t hash = std::hash<std::string_view>()(kv.value);
  const Entry* known = Find(id);
  if (known != nullptr && known->record_revision == kv.mod_revision && known->record_hash == hash) {
    return;
  }
  if (LeftOut(id)) return;
  Entry& entry = Edit(id);
  entry.record_revision = kv.mod_revision;
  entry.record_created = kv.create_revision;
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
  if (!VanishedUnannounced(entry)) {
    entry.instance = nullptr;
    return;
  }
  entry.lapse_confirmed = new_history_;
  entry.lapse_ends =
      now_ + (new_history_ ? scope_.lapsed_limit
                           : std::min(LapseWindow(*entry.instance), scope_.lapsed_limit));
}

// One that is new in this very fold was never in use.
bool Fold::VanishedUnannounced(const Entry& entry) const {
  const Entry* before = Before(entry.id);
  return scope_.lapsed_limit.count() > 0 && before != nullptr && before->is_member() &&
         entry.is_member() && entry.state == OperatorState::kNone && !entry.instance->draining;
}

void Fold::EndLapses() {
  LapseJudge judge(before_);
  next_lapse_ends_ = TimePoint::max();
  for (const auto& entry : before_.entries) {
    if (!entry->lapsed()) continue;
    if (entry->lapse_ends > now_) {
      next_lapse_ends_ = std::min(next_lapse_ends_, entry->lapse_ends);
      continue;
    }
    Entry& edited = Edit(entry->id);
    edited.lapse_ends = entry->status_since + scope_.lapsed_limit;
    if (entry->lapse_confirmed || edited.lapse_ends <= now_ || !judge.Stays(*entry)) {
      edited.instance = nullptr;
    } else {
      edited.lapse_confirmed = true;
      kept_.push_back(entry->instance);
    }
  }
}

void Fold::PutState(std::string_view id, const etcd::KeyValue& kv) {
  if (LeftOut(id)) return;
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

void Fold::PutRules(const etcd::KeyValue& kv) {
  const bool good = rules_.rules != nullptr && rules_.fault.empty();
  if (good && rules_.revision == kv.mod_revision && rules_.rules->text() == kv.value) return;
  rules_.revision = kv.mod_revision;
  auto parsed = route::RuleSet::Parse(kv.value);
  if (!parsed.ok()) {
    rules_.fault = model::Message(parsed.status());
    return;
  }
  rules_.fault.clear();
  rules_.rules = *std::move(parsed);
  rules_.rules_revision = kv.mod_revision;
}

void Fold::DeleteRules() {
  if (new_history_ && rules_.rules != nullptr) {
    rules_.revision = 0;
    rules_.fault =
        "etcd's new history has no rules; those of the old one stay in force until "
        "others are put, or they are put and deleted";
    return;
  }
  rules_ = {};
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

  // Whoever is recorded is newer than who is not: revisions of another history tell nothing.
  const auto older = [](const Entry* a, const Entry* b) {
    if (a->lapsed() != b->lapsed()) return a->lapsed();
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
  // A word about it, or a successor on its address, ends a lapse.
  if (entry.lapsed() && (entry.state != OperatorState::kNone || !entry.shadowed_by.empty())) {
    entry.instance = nullptr;
  }
  if (!entry.contends()) entry.shadowed_by.clear();
  if (!entry.is_member()) return;
  const bool draining = entry.state == OperatorState::kDraining || entry.instance->draining;
  const InstanceStatus status = entry.lapsed() ? InstanceStatus::kLapsed
                                : draining     ? InstanceStatus::kDraining
                                               : InstanceStatus::kRegistered;
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

// Calls are to go by new rules at once.
void Fold::NoteRules(Changes& changes) const {
  const RulesEntry& before = before_.rules;
  if (rules_.fault != before.fault) {
    changes.anything = true;
    if (!rules_.fault.empty()) {
      changes.rejected.push_back({scope_.keys.Rules(scope_.service), rules_.fault});
    }
  }
  if (rules_.rules != before.rules) changes.anything = changes.rules = true;
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
    if (after.lapsed() && !before->lapsed()) changes.lapsed.push_back(after.instance);
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
    const auto position = before_.Position(id);
    merged.insert(merged.end(), next, position);
    const bool known = position != before_.entries.end() && (*position)->id == id;
    next = known ? position + 1 : position;
    if (entry.record_revision == 0 && entry.state_revision == 0 && !entry.lapsed()) {
      Depart(entry);
    } else {
      merged.push_back(std::make_shared<const Entry>(std::move(entry)));
    }
  }
  merged.insert(merged.end(), next, before_.entries.end());
  return merged;
}

Folded Fold::Finish(const Revisions& revisions) {
  SettleAddresses();
  Folded folded;
  for (auto& [id, entry] : edits_) {
    SettleStatus(entry);
    Note(entry, folded.changes);
    if (entry.lapsed()) next_lapse_ends_ = std::min(next_lapse_ends_, entry.lapse_ends);
  }
  NoteRules(folded.changes);
  folded.changes.overflow = overflow_ && !before_.overflow;
  folded.changes.new_history = new_history_;
  folded.changes.kept = std::move(kept_);
  auto entries = Merge();
  folded.view = std::make_shared<const View>(View{.entries = std::move(entries),
                                                  .departed = std::move(departed_),
                                                  .rules = std::move(rules_),
                                                  .records_revision = revisions.records,
                                                  .states_revision = revisions.states,
                                                  .rules_revision = revisions.rules,
                                                  .next_lapse_ends = next_lapse_ends_,
                                                  .overflow = overflow_});
  return folded;
}

}  // namespace

Folded FoldList(const Scope& scope, const View* before, const Lists& lists, TimePoint now) {
  static const View& kNothing = *new View;
  Fold fold(scope, before == nullptr ? kNothing : *before, now);
  fold.BeginList(lists.records.more || lists.states.more,
                 before != nullptr && IsOfAnotherHistory(scope, *before, lists.records));
  std::set<std::string_view> recorded, stated;
  for (const etcd::KeyValue& kv : lists.records.kvs) {
    const auto id = scope.keys.IdOfRecord(scope.service, kv.key);
    if (id.has_value()) fold.PutRecord(*recorded.insert(*id).first, kv);
  }
  for (const etcd::KeyValue& kv : lists.states.kvs) {
    const auto id = scope.keys.IdOfState(scope.service, kv.key);
    if (id.has_value()) fold.PutState(*stated.insert(*id).first, kv);
  }
  if (before != nullptr) {
    for (const auto& entry : before->entries) {
      if (!recorded.contains(entry->id)) fold.DeleteRecord(entry->id);
      if (!stated.contains(entry->id)) fold.DeleteState(entry->id);
    }
  }
  if (!lists.rules.kvs.empty()) {
    fold.PutRules(lists.rules.kvs.front());
  } else if (before != nullptr && before->rules.revision != 0) {
    fold.DeleteRules();
  }
  Folded folded =
      fold.Finish({lists.records.revision, lists.states.revision, lists.rules.revision});
  if (before == nullptr || before->from_cache) folded.changes.anything = true;
  return folded;
}

Folded FoldTime(const Scope& scope, const View& before, TimePoint now) {
  Fold fold(scope, before, now);
  fold.EndLapses();
  return fold.Finish({before.records_revision, before.states_revision, before.rules_revision});
}

Folded FoldEvents(const Scope& scope, const View& before, std::span<const etcd::Event> events,
                  TimePoint now) {
  Fold fold(scope, before, now);
  etcd::Revision records_revision = before.records_revision;
  etcd::Revision states_revision = before.states_revision;
  etcd::Revision rules_revision = before.rules_revision;
  const std::string rules_key = scope.keys.Rules(scope.service);
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
    } else if (kv.key == rules_key) {
      if (kv.mod_revision <= before.rules_revision) continue;
      rules_revision = std::max(rules_revision, kv.mod_revision);
      put ? fold.PutRules(kv) : fold.DeleteRules();
    }
  }
  return fold.Finish({records_revision, states_revision, rules_revision});
}

std::shared_ptr<const Snapshot> MakeSnapshot(const Scope& scope, const View& view) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->service = scope.service;
  snapshot->revision = std::max({view.records_revision, view.states_revision, view.rules_revision});
  snapshot->rules = view.rules.rules;
  snapshot->rules_revision = view.rules.rules_revision;
  snapshot->from_cache = view.from_cache;
  snapshot->members.reserve(view.entries.size());
  const auto reject = [&](std::string key, std::string reason) {
    snapshot->rejected.push_back({std::move(key), std::move(reason)});
  };
  if (!view.rules.fault.empty()) reject(scope.keys.Rules(scope.service), view.rules.fault);
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
    if (entry->state == model::OperatorState::kRemoved) snapshot->removed.push_back(entry->id);
    if (!entry->record_fault.empty()) reject(record_key(), entry->record_fault);
    if (!entry->state_fault.empty()) {
      reject(scope.keys.State(scope.service, entry->id), entry->state_fault);
    }
  }
  return snapshot;
}

}  // namespace turnout::discovery
