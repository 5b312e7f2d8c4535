// An etcd in memory, and timers that the test moves: for tests of the registration.
#ifndef TURNOUT_SRC_REGISTRY_FAKE_ETCD_H_
#define TURNOUT_SRC_REGISTRY_FAKE_ETCD_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/etcd/client.h"
#include "src/etcd/event_loop.h"

namespace turnout::registry {

// Requests take effect when they are made, as if they had reached etcd at once; answers and events
// wait until Settle.
class FakeEtcd final : public etcd::Client {
 public:
  // What others do.
  void PutAs(const std::string& key, const std::string& value, std::int64_t lease);
  void DeleteKey(const std::string& key);
  void GrantLease(std::int64_t lease);
  void LoseLease();  // its keys go with it
  void FailGrant(const absl::Status& why);
  void Compact();    // every watch has to list again
  void Wipe();       // another etcd, empty, stands in its place
  void Interrupt();  // the watches' stream breaks; events wait
  void Resume();     // from the revisions where they stopped

  // From now on requests fail with this, without effect; OK: they work again.
  void set_failure(absl::Status failure) { failure_ = std::move(failure); }
  // The next request takes effect, but its answer is this.
  void LoseNextAnswer(absl::Status answer) { lost_answer_ = std::move(answer); }
  // Delivers everything, and what follows from that.
  void Settle();
  // The same of answers alone: they overtake the events.
  void SettleAnswers();
  void SettleEvents();

  const etcd::KeyValue* Find(const std::string& key) const;
  int commits() const { return commits_; }
  int watches() const { return static_cast<int>(watches_.size()); }
  bool lease_held() const { return lease_observer_ != nullptr; }
  bool lease_released() const { return lease_released_; }

  // etcd::Client
  void RangePrefix(std::string, etcd::Callback<etcd::RangeResult>, std::size_t) override {}
  void Get(std::string, etcd::Callback<etcd::RangeResult>, etcd::Revision) override {}
  void Put(std::string, std::string, std::int64_t, etcd::Callback<etcd::Revision>) override {}
  void Delete(std::string, etcd::Callback<etcd::DeleteResult>) override {}
  void Commit(etcd::Txn txn, etcd::Callback<etcd::TxnResult> done) override;
  void GrantLease(std::chrono::seconds, etcd::Callback<std::int64_t>) override {}
  void RevokeLease(std::int64_t, etcd::Callback<etcd::Revision>) override {}
  void LookUpLease(std::int64_t, etcd::Callback<etcd::LeaseLife>) override {}
  std::unique_ptr<LeaseHold> HoldLease(std::chrono::seconds ttl, LeaseObserver* observer) override;
  std::unique_ptr<WatchHandle> WatchPrefix(std::string prefix, std::int64_t start_revision,
                                           WatchObserver* observer) override;
  const std::string& endpoints() const override { return endpoints_; }

 private:
  class Hold;
  class Handle;
  struct Watch {
    std::string prefix;
    WatchObserver* observer;
  };

  bool Holds(const etcd::Txn::Condition& condition) const;
  void Apply(const etcd::Txn::Operation& operation, etcd::TxnResult& result);
  void Publish(const etcd::Event& event);
  void Send(int watch, const etcd::Event& event);
  static void DeliverFirst(std::deque<std::function<void()>>& queue);

  const std::string endpoints_ = "fake:1";
  std::map<std::string, etcd::KeyValue> keys_;
  std::vector<etcd::Event> history_;
  etcd::Revision revision_ = 100;
  int commits_ = 0;
  absl::Status failure_;
  std::optional<absl::Status> lost_answer_;
  std::map<int, Watch> watches_;
  int next_watch_ = 0;
  std::int64_t lease_ = 0;
  LeaseObserver* lease_observer_ = nullptr;
  bool lease_released_ = false;
  std::deque<std::function<void()>> answers_, events_;
};

// Hands out timers that run when the test says so.
class FakeTimers {
 public:
  std::unique_ptr<etcd::EventLoop::Timer> RunAfter(std::chrono::milliseconds delay,
                                                   std::function<void()> task);
  // Runs the timers that wait now; how long the first of them was to wait.
  std::chrono::milliseconds RunAll();
  std::size_t waiting() const { return tasks_.size(); }

 private:
  class Timer;
  std::map<int, std::pair<std::chrono::milliseconds, std::function<void()>>> tasks_;
  int next_ = 0;
};

}  // namespace turnout::registry

#endif  // TURNOUT_SRC_REGISTRY_FAKE_ETCD_H_
