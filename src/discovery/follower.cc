#include "src/discovery/follower.h"

#include <algorithm>
#include <utility>

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

}  // namespace

struct Follower::Listing {
  std::optional<etcd::RangeResult> records;
  std::optional<etcd::RangeResult> states;
};

class Follower::PrefixWatch final : public etcd::Client::WatchObserver {
 public:
  PrefixWatch(Follower& follower, std::string prefix, etcd::Revision start)
      : follower_(follower),
        handle_(follower.environment_.client.WatchPrefix(std::move(prefix), start, this)) {}

  bool interrupted() const { return interrupted_; }

  void OnEvents(std::vector<etcd::Event> events, etcd::Revision /*revision*/) override {
    if (!events.empty()) follower_.OnEvents(events);
  }
  void OnCompacted(etcd::Revision /*compact_revision*/) override { follower_.OnCompacted(); }
  void OnInterrupted(const absl::Status& why) override {
    interrupted_ = true;
    follower_.OnInterrupted(why);
  }
  void OnResumed() override {
    interrupted_ = false;
    follower_.OnResumed();
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

void Follower::List() {
  records_watch_.reset();
  states_watch_.reset();
  listing_ = std::make_shared<Listing>();
  Range(scope_.keys.RecordPrefix(scope_.service), &Listing::records);
  Range(scope_.keys.StatePrefix(scope_.service), &Listing::states);
}

void Follower::Range(std::string prefix, std::optional<etcd::RangeResult> Listing::*part) {
  // The answer counts only while its listing does.
  auto done = [this, part, weak = std::weak_ptr(listing_)](absl::StatusOr<etcd::RangeResult> got) {
    const auto listing = weak.lock();
    if (listing == nullptr) return;
    if (!got.ok()) {
      OnInterrupted(got.status());
      return ListLater();
    }
    listing.get()->*part = *std::move(got);
    if (listing->records.has_value() && listing->states.has_value()) OnListed(*listing);
  };
  environment_.client.RangePrefix(std::move(prefix), std::move(done));
}

void Follower::ListLater() {
  listing_.reset();
  retry_ = environment_.run_after(backoff_.Next(), [this] { List(); });
}

void Follower::OnListed(const Listing& listing) {
  listing_.reset();
  backoff_.Reset();
  Take(FoldList(scope_, view_.get(), *listing.records, *listing.states, environment_.now()));
  records_watch_ = std::make_unique<PrefixWatch>(*this, scope_.keys.RecordPrefix(scope_.service),
                                                 listing.records->revision + 1);
  states_watch_ = std::make_unique<PrefixWatch>(*this, scope_.keys.StatePrefix(scope_.service),
                                                listing.states->revision + 1);
  OnResumed();
}

void Follower::OnEvents(const std::vector<etcd::Event>& events) {
  Take(FoldEvents(scope_, *view_, events, environment_.now()));
}

void Follower::OnCompacted() {
  ReportRelist(scope_.service);
  // Later, too, because the watches must not end inside their own callbacks.
  ListLater();
}

void Follower::OnInterrupted(const absl::Status& why) {
  const absl::Status error = absl::UnavailableError(
      model::Concat({"cannot read the registrations of ", scope_.service, " from etcd at ",
                     environment_.client.endpoints(), ": ", model::Message(why)}));
  if (outage_ == error) return;
  if (outage_.ok()) ReportOutage(error);
  outage_ = error;
  listener_.OnError(error);
}

void Follower::OnResumed() {
  const auto runs = [](const auto& watch) { return watch != nullptr && !watch->interrupted(); };
  if (outage_.ok() || !runs(records_watch_) || !runs(states_watch_)) return;
  outage_ = absl::OkStatus();
  ReportRecovery(scope_.service);
  listener_.OnRecovered();
}

void Follower::Take(Folded folded) {
  ReportChanges(folded.changes);
  view_ = std::move(folded.view);
  if (!folded.changes.anything) return;
  unpublished_ = true;
  if (folded.changes.departures || window_ == nullptr) Publish();
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
    window_.reset();
  }
}

}  // namespace turnout::discovery
