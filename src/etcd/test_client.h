// For tests: a client that blocks, and observers that write down what happens and can be waited
// for.
#ifndef TURNOUT_SRC_ETCD_TEST_CLIENT_H_
#define TURNOUT_SRC_ETCD_TEST_CLIENT_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/mutex.h"
#include "src/etcd/client_impl.h"
#include "src/etcd/event_loop.h"

namespace turnout::etcd {

inline constexpr std::chrono::seconds kPatience{60};  // far above what any step takes

// Something that the loop's thread brings about; the test waits for it and takes it.
template <typename T>
class Slot {
 public:
  void Set(T value) {
    base::MutexLock lock(mutex_);
    value_ = std::move(value);
    set_.NotifyAll();
  }
  std::optional<T> Wait(std::chrono::milliseconds timeout = kPatience) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    base::MutexLock lock(mutex_);
    while (!value_.has_value() && set_.WaitUntil(mutex_, deadline)) {
    }
    return std::exchange(value_, std::nullopt);
  }

 private:
  base::Mutex mutex_;
  base::CondVar set_;
  std::optional<T> value_;
};

// Lines that the loop's thread writes and the test waits for.
class Journal {
 public:
  void Write(std::string line) {
    base::MutexLock lock(mutex_);
    lines_.push_back(std::move(line));
    written_.NotifyAll();
  }
  std::vector<std::string> lines() const {
    base::MutexLock lock(mutex_);
    return lines_;
  }
  // All lines once there are `count`; those that there are when the time is over.
  std::vector<std::string> Wait(std::size_t count, std::chrono::milliseconds timeout = kPatience) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    base::MutexLock lock(mutex_);
    while (lines_.size() < count && written_.WaitUntil(mutex_, deadline)) {
    }
    return lines_;
  }
  // Until this line has been written; false when the time is over.
  bool WaitFor(const std::string& line, std::chrono::milliseconds timeout = kPatience) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    base::MutexLock lock(mutex_);
    const auto is_there = [&] {
      return std::find(lines_.begin(), lines_.end(), line) != lines_.end();
    };
    while (!is_there() && written_.WaitUntil(mutex_, deadline)) {
    }
    return is_there();
  }

 private:
  mutable base::Mutex mutex_;
  base::CondVar written_;
  std::vector<std::string> lines_;
};

class LeaseJournal final : public Client::LeaseObserver, public Journal {
 public:
  void OnGranted(std::int64_t lease) override {
    Write("granted");
    id.Set(lease);
  }
  void OnLost(const absl::Status& why) override { Write(absl::StrCat("lost: ", why.message())); }
  void OnGrantFailed(const absl::Status& why) override {
    Write(absl::StrCat("failed: ", why.message()));
  }

  Slot<std::int64_t> id;  // of the newest grant, taken by waiting for it
};

// Events as "put KEY VALUE" and "delete KEY", each call ended by "to REVISION".
class WatchJournal final : public Client::WatchObserver, public Journal {
 public:
  void OnEvents(std::vector<Event> events, Revision revision) override {
    for (const Event& event : events) {
      Write(event.type == Event::Type::kPut
                ? absl::StrCat("put ", event.kv.key, " ", event.kv.value)
                : absl::StrCat("delete ", event.kv.key));
    }
    Write(absl::StrCat("to ", revision));
  }
  void OnCompacted(Revision /*revision*/) override { Write("compacted"); }
  void OnInterrupted(const absl::Status& why) override {
    why_.Set(std::string{why.message()});
    Write("interrupted");
  }
  void OnResumed() override { Write("resumed"); }

  std::string WaitForWhy() { return why_.Wait().value_or(""); }  // of the newest interruption

 private:
  Slot<std::string> why_;
};

// Made, and destroyed, on the loop.
template <typename T>
class OnLoop {
 public:
  explicit OnLoop(const std::function<std::unique_ptr<T>()>& make) {
    EventLoop::Get().RunAndWait([&] { held_ = make(); });
  }
  ~OnLoop() {
    EventLoop::Get().RunAndWait([&] { held_.reset(); });
  }
  OnLoop(const OnLoop&) = delete;
  OnLoop& operator=(const OnLoop&) = delete;

  T& operator*() { return *held_; }

 private:
  std::unique_ptr<T> held_;
};

inline OnLoop<Client::WatchHandle> Watch(Client& client, const std::string& prefix, Revision start,
                                         WatchJournal& journal) {
  return OnLoop<Client::WatchHandle>([&] { return client.WatchPrefix(prefix, start, &journal); });
}

inline OnLoop<Client::LeaseHold> Hold(Client& client, int seconds, LeaseJournal& journal) {
  return OnLoop<Client::LeaseHold>(
      [&] { return client.HoldLease(std::chrono::seconds(seconds), &journal); });
}

// Begins with the first endpoint.
class FirstMember final : public base::RandomSource {
 public:
  std::uint64_t Next() override { return 0; }
};

// Clients are never destroyed; leak checkers are content as long as they can be reached.
inline ClientImpl& NewClientWith(const RegistryOptions& options) {
  static FirstMember& first = *new FirstMember;
  static auto& clients = *new std::list<ClientImpl>;
  return clients.emplace_back(options, first);
}
inline ClientImpl& NewClient(std::vector<std::string> endpoints,
                             std::chrono::milliseconds timeout = std::chrono::seconds(15)) {
  return NewClientWith(
      {.endpoints = std::move(endpoints), .prefix = {}, .request_timeout = timeout});
}

// Each request, made on the loop and waited for.
class BlockingClient {
 public:
  explicit BlockingClient(Client& client) : client_(client) {}

  absl::StatusOr<RangeResult> RangePrefix(std::string prefix, std::size_t most = 0) {
    return Await<RangeResult>([&](auto done) { client_.RangePrefix(prefix, done, most); });
  }
  absl::StatusOr<RangeResult> Get(std::string key, Revision at = 0) {
    return Await<RangeResult>([&](auto done) { client_.Get(key, done, at); });
  }
  absl::StatusOr<Revision> Put(std::string key, std::string value, std::int64_t lease = 0) {
    return Await<Revision>([&](auto done) { client_.Put(key, value, lease, done); });
  }
  absl::StatusOr<DeleteResult> Delete(std::string key) {
    return Await<DeleteResult>([&](auto done) { client_.Delete(key, done); });
  }
  absl::StatusOr<TxnResult> Commit(Txn txn) {
    return Await<TxnResult>([&](auto done) { client_.Commit(txn, done); });
  }
  absl::StatusOr<std::int64_t> GrantLease(std::chrono::seconds ttl) {
    return Await<std::int64_t>([&](auto done) { client_.GrantLease(ttl, done); });
  }
  absl::StatusOr<Revision> RevokeLease(std::int64_t lease) {
    return Await<Revision>([&](auto done) { client_.RevokeLease(lease, done); });
  }
  absl::StatusOr<LeaseLife> LookUpLease(std::int64_t lease) {
    return Await<LeaseLife>([&](auto done) { client_.LookUpLease(lease, done); });
  }

 private:
  template <typename T>
  absl::StatusOr<T> Await(const std::function<void(Callback<T>)>& start) {
    auto slot = std::make_shared<Slot<absl::StatusOr<T>>>();
    EventLoop::Get().RunAndWait(
        [&] { start([slot](absl::StatusOr<T> result) { slot->Set(std::move(result)); }); });
    auto result = slot->Wait();
    return result.has_value() ? *std::move(result) : absl::InternalError("never called back");
  }

  Client& client_;
};

// A request of somebody else's.
template <typename Response, typename Request>
void CallEtcd(const std::string& endpoint, const std::string& method, const Request& request) {
  static auto& clusters = *new std::list<Cluster>;
  static auto& callers = *new std::list<Caller>;
  Caller& caller =
      callers.emplace_back(clusters.emplace_back(std::vector{endpoint}), std::chrono::seconds(15));
  Slot<absl::Status> done;
  EventLoop::Get().RunAndWait([&] {
    caller.Call<Response>(method, request, [&](const absl::StatusOr<Response>& answer) {
      done.Set(answer.status());
    });
  });
  EXPECT_EQ(done.Wait(), absl::OkStatus());
}

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_TEST_CLIENT_H_
