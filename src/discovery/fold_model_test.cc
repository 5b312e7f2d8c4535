// Random histories of a service, folded, and held against a model that knows the rules and nothing
// of how they are computed: it keeps no views, edits nothing, and settles everything from scratch.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "src/base/random.h"
#include "src/discovery/fold.h"
#include "src/discovery/lapse.h"

namespace turnout::discovery {
namespace {

using std::chrono::seconds;
using TimePoint = std::chrono::steady_clock::time_point;

constexpr char kService[] = "a.b";
constexpr seconds kLimit{60};

// What a record says; unset where it is malformed.
struct Statement {
  std::string version, address;
  bool draining = false;
};
using Record = std::optional<Statement>;

std::string ToValue(const Record& record) {
  if (!record.has_value()) return "{";
  return R"({"node":{"version":")" + record->version + R"(","address":")" + record->address +
         R"("},"metadata":{)" + (record->draining ? R"("turnout.state":"draining")" : "") + "}}";
}

// How documents of traffic rules look; this one is not right.
constexpr char kBadRules[] = "{";

// What is to be, as docs/reliability.md and design state it.
class Model {
 public:
  struct Known {
    bool recorded = false;
    bool faulty = false;
    std::optional<Statement> good;
    etcd::Revision created = 0;
    std::string state;  // an operator's
    bool lapsed = false, confirmed = false;
    TimePoint since{}, ends{};
    bool member = false;    // as of the last Settle
    bool shadowed = false;  // the same
  };

  void Put(const std::string& id, const Record& record, etcd::Revision created) {
    Known& known = ids_[id];
    known.recorded = true;
    known.lapsed = false;
    known.faulty = !record.has_value();
    if (known.faulty) return;
    known.good = record;
    known.created = created;
  }
  void Delete(const std::string& id, TimePoint now, bool new_history) {
    Known& known = ids_[id];
    if (!known.recorded) return;
    known.recorded = known.faulty = false;
    known.lapsed = known.member && known.good && !known.good->draining && known.state.empty();
    if (!known.lapsed) return known.good.reset();
    known.since = now;
    known.ends = now + (new_history ? kLimit : kLapseWindow);
    known.confirmed = new_history;
  }
  void SetState(const std::string& id, const std::string& state) { ids_[id].state = state; }

  void PutRules(const std::string& document) {
    rules_recorded_ = true;
    rules_faulty_ = document == kBadRules;
    if (!rules_faulty_) rules_ = document;
  }
  void DeleteRules() {
    rules_recorded_ = rules_faulty_ = false;
    rules_.clear();
  }
  // They are not in a list.
  void MissRules(bool new_history) {
    if (!rules_recorded_) return;  // those of an older history stay
    if (!new_history || rules_.empty()) return DeleteRules();
    rules_recorded_ = false;
    rules_faulty_ = true;  // that they stay is told
  }

  void Pass(TimePoint now) {
    int lapsed = 0, present = 0;
    std::set<std::string> versions;
    for (const auto& [id, known] : ids_) {
      if (!known.member) continue;
      ++(known.lapsed ? lapsed : present);
      if (!known.lapsed) versions.insert(known.good->version);
    }
    for (auto& [id, known] : ids_) {
      if (!known.lapsed || known.ends > now) continue;
      const bool stays = lapsed > present || !versions.contains(known.good->version);
      known.ends = known.since + kLimit;
      if (known.confirmed || known.ends <= now || !stays) End(known);
      known.confirmed = true;
    }
  }

  void Settle() {
    std::map<std::string, std::tuple<bool, etcd::Revision, std::string>> best;
    for (const auto& [id, known] : ids_) {
      if (!Contends(known)) continue;
      auto& top = best[known.good->address];
      top = std::max(top, std::tuple(known.recorded, known.created, id));
    }
    for (auto& [id, known] : ids_) {
      known.shadowed = Contends(known) && std::get<2>(best[known.good->address]) != id;
      if (known.lapsed && (known.shadowed || !known.state.empty())) End(known);
      known.member = Contends(known) && !known.shadowed;
    }
  }

  // "rules {}, a lapsed v1 10.0.0.1:1, …", then the ids of records that are not used.
  std::string Describe() const {
    std::string text = "rules " + rules_ + (rules_faulty_ ? " !, " : ", ");
    for (const auto& [id, known] : ids_) {
      if (!known.member) continue;
      const bool draining = known.good->draining || known.state == "draining";
      text += id +
              (known.lapsed ? " lapsed "
               : draining   ? " draining "
                            : " registered ") +
              known.good->version + " " + known.good->address + ", ";
    }
    for (const auto& [id, known] : ids_) {
      const bool rejected = known.shadowed || (known.good && known.state == "removed");
      for (int i = 0; i < rejected + known.faulty; ++i) text += "!" + id;
    }
    return text;
  }
  std::vector<std::string> recorded() const {
    std::vector<std::string> ids;
    for (const auto& [id, known] : ids_) {
      if (known.recorded) ids.push_back(id);
    }
    return ids;
  }

 private:
  static bool Contends(const Known& known) { return known.good && known.state != "removed"; }
  static void End(Known& known) {
    known.good.reset();
    known.lapsed = known.shadowed = false;
  }

  std::map<std::string, Known> ids_;
  bool rules_recorded_ = false, rules_faulty_ = false;
  std::string rules_;  // in force
};

// One random history: etcd, three watches that lag behind it each on its own, and the fold.
class History {
 public:
  explicit History(std::uint64_t seed, bool tells) : random_(seed), tells_(tells) {
    List(/*before=*/false);
    Check();
  }

  void Step() {
    switch (random_.Below(13)) {
      case 0:
        now_ += seconds(random_.Below(15));
        Tell("time passes");
        Take(FoldTime(scope_, *view_, now_));
        model_.Pass(now_);
        break;
      case 1:
        if (random_.Below(4) == 0) List(/*before=*/true);
        break;
      case 2:
        if (random_.Below(8) == 0) BeginAnew();
        break;
      case 3:
      case 4:
      case 5:
        Deliver(states_watch_);
        break;
      case 6:
        Deliver(records_watch_);
        break;
      case 7:
        Deliver(rules_watch_);
        break;
      default:
        Change();
        if (random_.Below(3) != 0) Deliver(records_watch_);
    }
    Check();
  }

  void Finish() {
    while (!records_watch_.empty() || !states_watch_.empty() || !rules_watch_.empty()) {
      Deliver(records_watch_);
      Deliver(states_watch_);
      Deliver(rules_watch_);
      Check();
    }
    std::vector<std::string> held;
    for (const auto& [id, kv] : records_) held.push_back(id);
    EXPECT_EQ(model_.recorded(), held);
  }

 private:
  using Watch = std::deque<etcd::Event>;

  std::string AnyId() { return std::string(1, static_cast<char>('a' + random_.Below(5))); }

  Record AnyRecord() {
    if (random_.Below(8) == 0) return std::nullopt;
    return Statement{.version = random_.Below(3) == 0 ? "v2" : "v1",
                     .address = "10.0.0." + std::to_string(1 + random_.Below(4)) + ":1",
                     .draining = random_.Below(5) == 0};
  }

  void PutRecord(const std::string& id, etcd::Revision revision) {
    const Record record = AnyRecord();
    etcd::KeyValue& kv = records_[id];
    kv.key = scope_.keys.Record(kService, id);
    kv.value = ToValue(record);
    if (kv.create_revision == 0) kv.create_revision = revision;
    kv.mod_revision = revision;
    stated_[kv.value] = record;
  }

  void PutRules(etcd::Revision revision) {
    rules_ = {{.key = scope_.keys.Rules(kService),
               .value = random_.Below(3) == 0   ? kBadRules
                        : random_.Below(2) == 0 ? "{}"
                                                : R"({"default":{"deny":{}}})",
               .mod_revision = revision}};
  }

  // Something happens in etcd.
  void Change() {
    const std::string id = AnyId();
    ++revision_;
    switch (random_.Below(8)) {
      case 7:
        PutRules(revision_);
        rules_watch_.push_back({etcd::Event::Type::kPut, rules_.front()});
        break;
      case 6:
        if (rules_.empty()) return;
        rules_.clear();
        rules_watch_.push_back({etcd::Event::Type::kDelete,
                                {.key = scope_.keys.Rules(kService), .mod_revision = revision_}});
        break;
      case 0:
        if (records_.erase(id) == 0) return;
        records_watch_.push_back(
            {etcd::Event::Type::kDelete,
             {.key = scope_.keys.Record(kService, id), .mod_revision = revision_}});
        break;
      case 1:
        states_[id] = {.key = scope_.keys.State(kService, id),
                       .value = random_.Below(2) == 0 ? "draining" : "removed",
                       .mod_revision = revision_};
        states_watch_.push_back({etcd::Event::Type::kPut, states_[id]});
        break;
      case 2:
        if (states_.erase(id) == 0) return;
        states_watch_.push_back(
            {etcd::Event::Type::kDelete,
             {.key = scope_.keys.State(kService, id), .mod_revision = revision_}});
        break;
      default:
        PutRecord(id, revision_);
        records_watch_.push_back({etcd::Event::Type::kPut, records_[id]});
    }
  }

  // Some of what waits; now and then something that has been delivered before as well.
  void Deliver(Watch& watch) {
    std::vector<etcd::Event> batch;
    Tell("batch:");
    if (!delivered_.empty() && random_.Below(6) == 0) batch.push_back(delivered_.back());
    for (std::size_t count = 1 + random_.Below(3); count > 0 && !watch.empty(); --count) {
      const etcd::Event event = watch.front();
      watch.pop_front();
      batch.push_back(event);
      delivered_.push_back(event);
      Apply(event);
    }
    Take(FoldEvents(scope_, *view_, batch, now_));
    model_.Settle();
  }
  void Apply(const etcd::Event& event) {
    const bool put = event.type == etcd::Event::Type::kPut;
    Tell((put ? "put " : "delete ") + event.kv.key + " " + event.kv.value);
    if (const auto id = scope_.keys.IdOfRecord(kService, event.kv.key)) {
      const std::string name(*id);
      put ? model_.Put(name, stated_.at(event.kv.value), event.kv.create_revision)
          : model_.Delete(name, now_, false);
    } else if (event.kv.key == scope_.keys.Rules(kService)) {
      put ? model_.PutRules(event.kv.value) : model_.DeleteRules();
    } else {
      const std::string name(*scope_.keys.IdOfState(kService, event.kv.key));
      model_.SetState(name, put ? event.kv.value : "");
    }
  }

  void List(bool before, bool new_history = false) {
    Lists lists{{.revision = revision_}, {.revision = revision_}, {.revision = revision_}};
    for (const auto& [id, kv] : records_) lists.records.kvs.push_back(kv);
    for (const auto& [id, kv] : states_) lists.states.kvs.push_back(kv);
    lists.rules.kvs = rules_;
    Tell("list");
    Folded folded = FoldList(scope_, before ? view_.get() : nullptr, lists, now_);
    EXPECT_EQ(folded.changes.new_history, new_history);
    Take(std::move(folded));
    records_watch_.clear();
    states_watch_.clear();
    rules_watch_.clear();

    rules_.empty() ? model_.MissRules(new_history) : model_.PutRules(rules_.front().value);
    for (const auto& [id, kv] : records_) model_.Put(id, stated_.at(kv.value), kv.create_revision);
    for (const auto& [id, kv] : states_) model_.SetState(id, kv.value);
    for (const std::string& id : model_.recorded()) {
      if (!records_.contains(id)) model_.Delete(id, now_, new_history);
    }
    // Last: what was draining by an operator's word has left by it.
    for (const char id : std::string("abcde")) {
      const std::string name(1, id);
      if (!states_.contains(name)) model_.SetState(name, "");
    }
  }

  // etcd is wiped; at times it is past where it was when we hear of it.
  void BeginAnew() {
    const etcd::Revision before = view_->records_revision;
    records_.clear();
    states_.clear();
    delivered_.clear();
    // Each history begins before the last one ended, at revisions of its own.
    beginning_ -= 6;
    const std::size_t count = 1 + random_.Below(3);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string id = AnyId();
      records_.erase(id);
      PutRecord(id, beginning_ + static_cast<etcd::Revision>(i));
    }
    rules_.clear();
    if (random_.Below(2) == 0) PutRules(beginning_ + 3);
    revision_ = random_.Below(2) == 0 ? beginning_ + 3 : before + 50;
    List(/*before=*/true, /*new_history=*/true);
  }

  void Take(Folded folded) { view_ = std::move(folded.view); }

  void Tell(std::string_view what) const {
    if (tells_) std::cout << what << "\n";
  }

  void Check() {
    model_.Settle();
    const auto snapshot = MakeSnapshot(scope_, *view_);
    std::string text = "rules ";
    if (snapshot->rules != nullptr) text += snapshot->rules->text();
    const auto rules_rejected = [this](const Snapshot::Rejected& rejected) {
      return rejected.key == scope_.keys.Rules(kService);
    };
    const auto& all_rejected = snapshot->rejected;
    text += std::any_of(all_rejected.begin(), all_rejected.end(), rules_rejected) ? " !, " : ", ";
    for (const Member& member : snapshot->members) {
      text += member.instance->id + " " + std::string(ToString(member.status)) + " " +
              member.instance->version + " " + member.instance->address() + ", ";
    }
    for (const auto& rejected : snapshot->rejected) {
      if (rules_rejected(rejected)) continue;
      const auto id = scope_.keys.IdOfRecord(kService, rejected.key);
      text += "!" + std::string(id.value_or("?"));
    }
    Tell("  " + text);
    ASSERT_EQ(text, model_.Describe());
  }

  base::SeededRandom random_;
  const bool tells_;  // what happens
  const Scope scope_{.service = kService, .keys = model::Keys(""), .lapsed_limit = kLimit};
  TimePoint now_{seconds(1000)};
  etcd::Revision revision_ = 100;
  etcd::Revision beginning_ = 100;  // of this history
  std::map<std::string, etcd::KeyValue> records_, states_;
  std::map<std::string, Record> stated_;              // by the record's value
  std::vector<etcd::KeyValue> rules_;                 // at most one document
  Watch records_watch_, states_watch_, rules_watch_;  // not delivered yet
  Watch delivered_;
  std::shared_ptr<const View> view_;
  Model model_;
};

// TURNOUT_TEST_SEED repeats one sequence.
TEST(FoldModelTest, AHundredThousandRandomHistories) {
  const char* only = std::getenv("TURNOUT_TEST_SEED");
  const std::uint64_t first = only == nullptr ? 1 : std::strtoull(only, nullptr, 10);
  const std::uint64_t last = only == nullptr ? 100'000 : first;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE("TURNOUT_TEST_SEED=" + std::to_string(seed));
    History history(seed, only != nullptr);
    for (int step = 0; step < 8 && !testing::Test::HasFailure(); ++step) history.Step();
    if (!testing::Test::HasFailure()) history.Finish();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace turnout::discovery
