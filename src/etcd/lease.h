// Leases that are kept alive: one for each TTL, shared by its holders.
#ifndef TURNOUT_SRC_ETCD_LEASE_H_
#define TURNOUT_SRC_ETCD_LEASE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "src/base/backoff.h"
#include "src/etcd/client.h"
#include "src/etcd/event_loop.h"
#include "src/etcd/keep_alive.h"
#include "src/etcd/rpc.h"

namespace turnout::etcd {

// Granted on first use; asked for again every third of its TTL. It is lost when etcd says so or
// when it was not refreshed for a full TTL; then a new one is granted, with backoff, for as long as
// it takes. What ends one lease may end those of a whole fleet (etcd was wiped or restored), so the
// new one is asked for after a random part of kSpread. Used on the event loop's thread.
class Lease final : public std::enable_shared_from_this<Lease>, private KeepAlives::Observer {
 public:
  struct Holder {
    Client::LeaseObserver* observer;  // null: has let go
  };

  // 1,000 processes that ask within this time are 4,000 requests a second, which etcd takes.
  static constexpr std::chrono::milliseconds kSpread{250};

  Lease(std::chrono::seconds ttl, Caller& caller, KeepAlives& keep_alives);

  // Begins to obtain the lease, or tells the new holder of the one that there is, soon.
  std::shared_ptr<Holder> AddHolder(Client::LeaseObserver* observer);

  // True if it was the last one: then End follows.
  bool RemoveHolder(const std::shared_ptr<Holder>& holder);
  // Calls `done` when there is nothing left to revoke. The object is not used again.
  void End(std::function<void()> done);

 private:
  using Clock = KeepAlives::Clock;

  void Grant();
  void OnGrant(Clock::time_point asked_at,
               const absl::StatusOr<etcdpb::LeaseGrantResponse>& answer);
  void OnAnswer(Clock::time_point asked_at, std::chrono::seconds ttl) override;
  void GrantAfter(std::chrono::milliseconds delay);
  void SetTtl(std::int64_t seconds);
  void KeepAliveLater();
  void ExpireAt(Clock::time_point when);
  void Lose(const absl::Status& why);
  void Revoke(std::int64_t id, std::function<void()> done);
  void Notify(const std::function<void(Client::LeaseObserver&)>& event);

  const std::chrono::seconds wanted_ttl_;
  Caller& caller_;
  KeepAlives& keep_alives_;
  std::vector<std::shared_ptr<Holder>> holders_;
  std::int64_t id_ = 0;  // 0: there is none at the moment
  bool granting_ = false;
  std::function<void()> ended_;  // End's `done`, while it waits for the end of a grant
  std::chrono::seconds ttl_{0};  // as granted
  std::unique_ptr<EventLoop::Timer> retry_, keep_alive_, expiry_;
  base::Backoff backoff_{std::chrono::milliseconds(100), std::chrono::milliseconds(5000)};
};

// All leases of a client.
class Leases {
 public:
  explicit Leases(Caller& caller) : caller_(caller), keep_alives_(caller) {}

  std::unique_ptr<Client::LeaseHold> Hold(std::chrono::seconds ttl,
                                          Client::LeaseObserver* observer);

 private:
  class HoldImpl;

  Caller& caller_;
  KeepAlives keep_alives_;
  std::map<std::chrono::seconds, std::shared_ptr<Lease>> leases_;  // that have holders
};

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_LEASE_H_
