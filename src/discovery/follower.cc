#include "src/discovery/follower.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "src/discovery/lapse.h"
#include "src/discovery/report.h"
#include "src/model/text.h"

namespace turnout::discovery {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstRetry{100};
constexpr milliseconds kLastRetry{5000};

// Short enough that a join on its own is not felt; long enough in the end that 1,000 joins make a
// handful of snapshots.
constexpr milliseconds kShortestWindow{5};
constexpr milliseconds kLongestWindow{80};

// Departures beyond this number wait for the end of their window, as joins do, until there is a
// quiet time: a storm of them makes one snapshot for each window.
constexpr int kMostPromptDepartures = 4;

// A fold of 100 µs (4,000 instances) is followed by none for 400 µs.
constexpr int kFoldShare = 4;

constexpr milliseconds kLapseRetry{1000};

// Records that were left out for want of room are looked for again.
constexpr milliseconds kOverflowRelist{5000};

}  // namespace

struct Follower::Listing {
  std::optional<etcd::RangeResult> records;
  std::optional<etcd::RangeResult> states;
  std::optional<etcd::RangeResult> rules;
};

class Follower::PrefixWatch final : public etcd::Client::WatchObserver {
 public:
  PrefixWatch(Follower& follower, std::string prefix, etcd::Revision start)
      : follower_(follower),
        handle_(follower.environment_.client.WatchPrefix(std::move(prefix), start, this)) {}

  bool interrupted() const { return interrupted_; }

  void OnEvents(std::vector<etcd::Event> events, etcd::Revision /*revision*/) override {
    if (!events.empty()) follower_.OnEvents(std::move(events));
  }
  void OnCompacted(etcd::Revision /*compact_revision*/) override { follower_.OnCompacted(); }
  void OnInterrupted(const absl::Status& why) override {
    interrupted_ = true;
    follower_.OnInterrupted(why);
  }
  void OnResumed() override {
    if (std::exchange(interrupted_, false)) follower_.OnWatchResumed();
  }

 private:
  Follower& follower_;
  bool interrupted_ = false;
  const std::unique_ptr<etcd::Client::WatchHandle> handle_;  // last: made with `this`
};

Follower::Follower(Scope scope, Environment environment, Listener& listener)
    : scope_(std::move(scope)),
      environment_(std::move(environment)),
      listener_(listener),
      backoff_(kFirstRetry, kLastRetry),
      window_length_(kShortestWindow) {
  List();
}

Follower::~Follower() = default;

void Follower::Preload(const Lists& lists) {
  if (view_ != nullptr) return;
  Folded folded = FoldList(scope_, nullptr, lists, environment_.now());
  View cached = *folded.view;
  cached.from_cache = true;
  folded.view = std::make_shared<const View>(std::move(cached));
  Take(std::move(folded));
}

void Follower::List() {
  retry_.reset();
  records_watch_.reset();
  states_watch_.reset();
  rules_watch_.reset();
  witness_.reset();
  listing_ = std::make_shared<Listing>();
  etcd::Client& client = environment_.client;
  client.RangePrefix(scope_.keys.RecordPrefix(scope_.service), Listed(&Listing::records),
                     scope_.max_instances);
  client.RangePrefix(scope_.keys.StatePrefix(scope_.service), Listed(&Listing::states),
                     scope_.max_instances);
  client.Get(scope_.keys.Rules(scope_.service), Listed(&Listing::rules));
}

// The answer counts only while its listing does.
etcd::Callback<etcd::RangeResult> Follower::Listed(
    std::optional<etcd::RangeResult> Listing::*part) {
  return [this, part, weak = std::weak_ptr(listing_)](absl::StatusOr<etcd::RangeResult> got) {
    const auto listing = weak.lock();
    if (listing == nullptr) return;
    if (!got.ok()) {
      OnInterrupted(got.status());
      return ListLater();
    }
    listing.get()->*part = *std::move(got);
    if (!listing->records || !listing->states || !listing->rules) return;
    listing_.reset();
    OnListed({.records = *std::move(listing->records),
              .states = *std::move(listing->states),
              .rules = *std::move(listing->rules)});
  };
}

void Follower::ListLater() {
  listing_.reset();
  retry_ = environment_.run_after(backoff_.Next(), [this] { List(); });
}

// Later, too, because the watches must not end inside their own callbacks. Once, however many
// watches and answers say the same.
void Follower::Relist(std::string_view why) {
  if (retry_ != nullptr) return;
  ReportRelist(scope_.service, why);
  ListLater();
}

void Follower::OnListed(const Lists& lists) {
  backoff_.Reset();
  pending_.clear();
  fold_later_.reset();
  Folded folded = FoldList(scope_, view_.get(), lists, environment_.now());
  if (folded.changes.new_history) ReportNewHistory(scope_.service);
  Take(std::move(folded));
  records_watch_ = std::make_unique<PrefixWatch>(*this, scope_.keys.RecordPrefix(scope_.service),
                                                 lists.records.revision + 1);
  states_watch_ = std::make_unique<PrefixWatch>(*this, scope_.keys.StatePrefix(scope_.service),
                                                lists.states.revision + 1);
  // Also brings the rules of services whose names begin with this one's, which the fold ignores.
  rules_watch_ = std::make_unique<PrefixWatch>(*this, scope_.keys.Rules(scope_.service),
                                               lists.rules.revision + 1);
  OnResumed();
}

void Follower::OnEvents(std::vector<etcd::Event> events) {
  std::move(events.begin(), events.end(), std::back_inserter(pending_));
  if (fold_later_ != nullptr) return;
  const auto now = environment_.now();
  if (now >= fold_again_) return FoldPending();
  fold_later_ = environment_.run_after(std::chrono::ceil<milliseconds>(fold_again_ - now),
                                       [this] { FoldPending(); });
}

void Follower::FoldPending() {
  fold_later_.reset();
  const auto begin = environment_.now();
  Folded folded = FoldEvents(scope_, *view_, std::exchange(pending_, {}), begin);
  const auto end = environment_.now();
  fold_again_ = end + (end - begin) * kFoldShare;
  Take(std::move(folded));
}

void Follower::OnCompacted() { Relist("etcd has compacted away changes, or has another history"); }

void Follower::OnInterrupted(const absl::Status& why) {
  const absl::Status error = absl::UnavailableError(
      model::Concat({"cannot read the registrations of ", scope_.service, " from etcd at ",
                     environment_.client.endpoints(), ": ", model::Message(why)}));
  if (outage_ == error) return;
  if (outage_.ok()) ReportOutage(error);
  outage_ = error;
  listener_.OnError(error);
}

void Follower::OnWatchResumed() {
  OnResumed();
  if (outage_.ok()) CheckHistory();
}

void Follower::OnResumed() {
  const auto runs = [](const auto& watch) { return watch != nullptr && !watch->interrupted(); };
  if (outage_.ok() || !runs(records_watch_) || !runs(states_watch_) || !runs(rules_watch_)) return;
  outage_ = absl::OkStatus();
  // Servers get this long to put their records back.
  no_lapse_ends_before_ =
      environment_.now() + std::min(LongestLapseWindow(*view_), scope_.lapsed_limit);
  ReportRecovery(scope_.service);
  listener_.OnRecovered();
}

// The watches resume from where they were: right in the same history, and in no other one.
void Follower::CheckHistory() {
  const auto witness = FindWitness(scope_, *view_);
  if (!witness.has_value()) return ListLater();  // costs no more
  witness_ = std::make_shared<const Witness>(*witness);
  auto done = [this, weak = std::weak_ptr(witness_)](const absl::StatusOr<etcd::RangeResult>& got) {
    const auto asked = weak.lock();
    if (asked == nullptr) return;
    witness_.reset();
    if (got.ok() && asked->Confirms(*got)) return;
    Relist(got.ok() ? "etcd has another history" : model::Message(got.status()));
  };
  environment_.client.Get(witness_->key, std::move(done), witness_->at);
}

void Follower::Take(Folded folded) {
  view_ = std::move(folded.view);
  Report(folded.changes);
  AwaitLapseEnds();
  if (view_->overflow && view_->entries.size() < scope_.max_instances &&
      overflow_relist_ == nullptr) {
    overflow_relist_ = environment_.run_after(kOverflowRelist, [this] {
      overflow_relist_.reset();
      List();
    });
  }
  if (!folded.changes.anything) return;
  unpublished_ = true;
  // Each kind has so many, so that a storm of departures does not hold up rules.
  const bool departs = folded.changes.departures && prompt_departures_ < kMostPromptDepartures;
  const bool rules = folded.changes.rules && prompt_rules_ < kMostPromptDepartures;
  if (departs && window_ != nullptr) ++prompt_departures_;
  if (rules && window_ != nullptr) ++prompt_rules_;
  const bool prompt = departs || rules;
  if (prompt || window_ == nullptr) Publish();
}

void Follower::Report(const Changes& changes) {
  ReportChanges(scope_, *view_, changes, lines_, environment_.now());
  if (lines_.left_out() == 0 || left_out_line_ != nullptr) return;
  left_out_line_ = environment_.run_after(base::LineLimit::kInterval, [this] {
    left_out_line_.reset();
    ReportLeftOut(scope_.service, lines_, environment_.now());
  });
}

void Follower::AwaitLapseEnds() {
  if (view_->next_lapse_ends == lapse_timer_due_) return;
  lapse_timer_due_ = view_->next_lapse_ends;
  lapse_timer_.reset();
  if (lapse_timer_due_ == std::chrono::steady_clock::time_point::max()) return;
  const auto wait = std::chrono::ceil<milliseconds>(lapse_timer_due_ - environment_.now());
  lapse_timer_ = environment_.run_after(std::max(wait, milliseconds(0)), [this] { EndLapses(); });
}

// Not while nobody could tell us that they are back.
void Follower::EndLapses() {
  const auto now = environment_.now();
  if (!outage_.ok() || now < no_lapse_ends_before_) {
    lapse_timer_ = environment_.run_after(kLapseRetry, [this] { EndLapses(); });
    return;
  }
  lapse_timer_due_ = std::chrono::steady_clock::time_point::max();
  Take(FoldTime(scope_, *view_, now));
}

void Follower::Publish() {
  unpublished_ = false;
  window_ = environment_.run_after(window_length_, [this] { EndWindow(); });
  auto snapshot = MakeSnapshot(scope_, *view_);
  ReportSnapshot(snapshot);
  listener_.OnSnapshot(std::move(snapshot));
}

void Follower::EndWindow() {
  if (unpublished_) {
    window_length_ = std::min(kLongestWindow, window_length_ * 2);
    Publish();
  } else {
    window_length_ = kShortestWindow;
    prompt_departures_ = 0;
    prompt_rules_ = 0;
    window_.reset();
  }
}

}  // namespace turnout::discovery
