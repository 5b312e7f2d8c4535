// An etcd client whose answers the test gives by hand, and timers that it runs by hand: for what a
// real etcd cannot be told to do. Single-threaded.
#ifndef TURNOUT_SRC_DISCOVERY_FAKE_CLIENT_H_
#define TURNOUT_SRC_DISCOVERY_FAKE_CLIENT_H_

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "src/etcd/client.h"
#include "src/etcd/event_loop.h"

namespace turnout::discovery {

class FakeClient final : public etcd::Client {
 public:
  struct Watch {
    std::string prefix;
    etcd::Revision start;
    WatchObserver* observer;
  };

  struct OpenGet {
    std::string key;
    etcd::Revision at;
    etcd::Callback<etcd::RangeResult> done;
  };

  void RangePrefix(std::string prefix, etcd::Callback<etcd::RangeResult> done,
                   std::size_t /*most*/) override {
    ranges.emplace_back(std::move(prefix), std::move(done));
  }
  std::unique_ptr<WatchHandle> WatchPrefix(std::string prefix, std::int64_t start,
                                           WatchObserver* observer) override {
    watches.push_back({std::move(prefix), start, observer});
    return std::make_unique<Handle>(*this, observer);
  }
  const std::string& endpoints() const override { return endpoints_; }

  void Get(std::string key, etcd::Callback<etcd::RangeResult> done, etcd::Revision at) override {
    gets.push_back({std::move(key), at, std::move(done)});
  }

  // Discovery only reads.
  void Put(std::string, std::string, std::int64_t, etcd::Callback<etcd::Revision>) override {}
  void Delete(std::string, etcd::Callback<etcd::DeleteResult>) override {}
  void Commit(etcd::Txn, etcd::Callback<etcd::TxnResult>) override {}
  void GrantLease(std::chrono::seconds, etcd::Callback<std::int64_t>) override {}
  void RevokeLease(std::int64_t, etcd::Callback<etcd::Revision>) override {}
  void LookUpLease(std::int64_t, etcd::Callback<etcd::LeaseLife>) override {}
  std::unique_ptr<LeaseHold> HoldLease(std::chrono::seconds, LeaseObserver*) override {
    return nullptr;
  }

  // Answers the oldest open request for `prefix`; false if there is none.
  bool Answer(const std::string& prefix, absl::StatusOr<etcd::RangeResult> result) {
    const auto range = std::find_if(ranges.begin(), ranges.end(),
                                    [&](const auto& open) { return open.first == prefix; });
    if (range == ranges.end()) return false;
    const auto done = std::move(range->second);
    ranges.erase(range);
    done(std::move(result));
    return true;
  }
  // The same for a request for exactly `key`.
  bool AnswerGet(const std::string& key, absl::StatusOr<etcd::RangeResult> result) {
    const auto get = std::find_if(gets.begin(), gets.end(),
                                  [&](const OpenGet& open) { return open.key == key; });
    if (get == gets.end()) return false;
    const auto done = std::move(get->done);
    gets.erase(get);
    done(std::move(result));
    return true;
  }
  // The watch on `prefix`, or null.
  const Watch* WatchOn(const std::string& prefix) const {
    const auto found = std::find_if(watches.begin(), watches.end(),
                                    [&](const Watch& watch) { return watch.prefix == prefix; });
    return found == watches.end() ? nullptr : &*found;
  }

  std::vector<std::pair<std::string, etcd::Callback<etcd::RangeResult>>> ranges;  // unanswered
  std::vector<Watch> watches;                                                     // open
  std::vector<OpenGet> gets;                                                      // unanswered

 private:
  class Handle final : public WatchHandle {
   public:
    Handle(FakeClient& client, WatchObserver* observer) : client_(client), observer_(observer) {}
    ~Handle() override {
      std::erase_if(client_.watches,
                    [this](const Watch& watch) { return watch.observer == observer_; });
    }

   private:
    FakeClient& client_;
    WatchObserver* const observer_;
  };

  const std::string endpoints_ = "10.9.9.9:2379, 10.9.9.8:2379";
};

class FakeTimers {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  std::unique_ptr<etcd::EventLoop::Timer> RunAfter(std::chrono::milliseconds delay,
                                                   std::function<void()> task) {
    const Place place{now_ + delay, ++made_};
    waiting_.emplace(place, std::move(task));
    return std::make_unique<Timer>(*this, place);
  }

  void Advance(std::chrono::milliseconds by) {
    const TimePoint until = now_ + by;
    while (!waiting_.empty() && waiting_.begin()->first.first <= until) {
      auto next = waiting_.extract(waiting_.begin());
      now_ = next.key().first;
      next.mapped()();
    }
    now_ = until;
  }

  TimePoint now() const { return now_; }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  using Place = std::pair<TimePoint, int>;  // when, and which one

  class Timer final : public etcd::EventLoop::Timer {
   public:
    Timer(FakeTimers& timers, Place place) : timers_(timers), place_(place) {}
    ~Timer() override { timers_.waiting_.erase(place_); }

   private:
    FakeTimers& timers_;
    const Place place_;
  };

  TimePoint now_{std::chrono::hours(1)};
  int made_ = 0;
  std::map<Place, std::function<void()>> waiting_;
};

}  // namespace turnout::discovery

#endif  // TURNOUT_SRC_DISCOVERY_FAKE_CLIENT_H_
