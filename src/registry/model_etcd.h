// A simple model of etcd, and of clients' ways to it, in which whatever may go wrong does, one step
// at a time and at the test's command: for random tests of the registration. Single-threaded.
#ifndef TURNOUT_SRC_REGISTRY_MODEL_ETCD_H_
#define TURNOUT_SRC_REGISTRY_MODEL_ETCD_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "src/base/random.h"
#include "src/etcd/client.h"

namespace turnout::registry {

// What the members of a cluster agree on.
class ModelEtcd {
 public:
  explicit ModelEtcd(base::RandomSource& random) : random_(random) {}

  const etcd::KeyValue* Find(const std::string& key) const;
  bool WouldSucceed(const etcd::Txn& txn) const;
  // NotFound, without any effect, if something is to be put under a lease that has ended.
  absl::StatusOr<etcd::TxnResult> Commit(const etcd::Txn& txn);
  void Put(const std::string& key, const std::string& value, std::int64_t lease);
  void Delete(const std::string& key);

  std::int64_t Grant();
  void EndLease(std::int64_t lease);  // its keys go
  bool Lives(std::int64_t lease) const { return now_.leases.contains(lease); }
  std::vector<std::int64_t> leases() const { return {now_.leases.begin(), now_.leases.end()}; }

  // The changes from `since` on are there, or (false) some are gone or are yet to come.
  bool CanWatchFrom(etcd::Revision since) const {
    return since > now_.compacted && since <= now_.revision + 1;
  }
  // The first event since then of a key with this prefix; null if there is none.
  const etcd::Event* FirstSince(etcd::Revision since, const std::string& prefix) const;
  void Compact() { now_.compacted = now_.revision; }

  void Backup() { backup_ = now_; }
  // Another history begins, from the last backup or from nothing.
  void Restore() { now_ = backup_; }

 private:
  struct State {
    std::map<std::string, etcd::KeyValue> keys;
    std::set<std::int64_t> leases;
    std::vector<etcd::Event> history;
    etcd::Revision revision = 1;
    etcd::Revision compacted = 0;
  };

  bool Holds(const etcd::Txn::Condition& condition) const;
  void Apply(const etcd::Txn::Operation& operation, etcd::TxnResult& result);
  void NextRevision();

  base::RandomSource& random_;
  State now_, backup_;
  std::int64_t last_lease_ = 0;
};

// One process's way to it. Nothing moves by itself.
class ModelClient final : public etcd::Client {
 public:
  // Puts under `state_key` = `removed` are violations.
  ModelClient(ModelEtcd& etcd, base::RandomSource& random, std::string state_key)
      : etcd_(etcd), random_(random), state_key_(std::move(state_key)) {}

  // The request under way: reaches etcd, is answered, fails on its way there or back. Nothing
  // happens if there is none.
  void RequestArrives();
  void AnswerArrives();
  void RequestFails();
  void AnswerIsLost();
  // The client gives up the request, which arrives later all the same, or never.
  void RequestTimesOut();
  void LateRequestArrives();

  // Of one of the watches.
  void EventArrives();
  void EventArrivesTwice();
  void StreamBreaks();
  // Watches go on where they stopped, or end because that is not possible (`other_cluster`: because
  // the history has another name).
  void StreamResumes(bool other_cluster);

  void LeaseIsGranted();
  void GrantFails();
  void LeaseIsLost();    // by the client's clock; etcd may have it a little longer
  void LossIsHeardOf();  // if etcd does not have the lease

  // Etcd has been restored: what was under way is lost.
  void ConnectionBreaks();

  // Does what is left to do without any fault; false if there was nothing.
  bool Settle();

  std::int64_t lease() const { return lease_; }
  bool released() const { return released_; }
  // What went against the rules; empty: nothing.
  const std::string& violation() const { return violation_; }

  // etcd::Client
  void Commit(etcd::Txn txn, etcd::Callback<etcd::TxnResult> done) override;
  std::unique_ptr<LeaseHold> HoldLease(std::chrono::seconds ttl, LeaseObserver* observer) override;
  std::unique_ptr<WatchHandle> WatchPrefix(std::string prefix, etcd::Revision start,
                                           WatchObserver* observer) override;
  const std::string& endpoints() const override { return endpoints_; }
  void RangePrefix(std::string, etcd::Callback<etcd::RangeResult>, std::size_t) override {}
  void Get(std::string, etcd::Callback<etcd::RangeResult>, etcd::Revision) override {}
  void Put(std::string, std::string, std::int64_t, etcd::Callback<etcd::Revision>) override {}
  void Delete(std::string, etcd::Callback<etcd::DeleteResult>) override {}
  void GrantLease(std::chrono::seconds, etcd::Callback<std::int64_t>) override {}
  void RevokeLease(std::int64_t, etcd::Callback<etcd::Revision>) override {}
  void LookUpLease(std::int64_t, etcd::Callback<etcd::LeaseLife>) override {}

 private:
  class Hold;
  class Handle;
  struct Watch {
    std::string prefix;
    etcd::Revision next;
    WatchObserver* observer;
    bool interrupted = false;
  };
  struct Request {
    etcd::Txn txn;
    etcd::Callback<etcd::TxnResult> done;
    std::optional<absl::StatusOr<etcd::TxnResult>> answer;
  };

  void Answer(absl::StatusOr<etcd::TxnResult> answer);
  void CheckPut(const etcd::Txn& txn);
  bool Deliver(int id);

  ModelEtcd& etcd_;
  base::RandomSource& random_;
  const std::string state_key_;
  const std::string endpoints_ = "model:1";
  std::optional<Request> request_;
  std::optional<etcd::Txn> late_;
  std::map<int, Watch> watches_;
  int last_watch_ = 0;
  bool broken_ = false;
  std::int64_t lease_ = 0;
  LeaseObserver* lease_observer_ = nullptr;
  bool released_ = false;
  std::function<void()> on_released_;
  std::string violation_;
};

}  // namespace turnout::registry

#endif  // TURNOUT_SRC_REGISTRY_MODEL_ETCD_H_
