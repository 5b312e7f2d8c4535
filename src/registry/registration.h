// The state machine that keeps one record in etcd.
//
// It compares what etcd holds with what it should hold, and sends the one request that brings them
// nearer; each answer, event or timer makes it compare again:
//
//   not read yet                      read the record and the operator's decision, watch both
//   an operator says `removed`        delete our record                          → kRemoved
//   another process's record          leave it alone                             → kSuperseded
//   no lease                          wait for one                               → kRegistering
//   no record, or one that is old     put it, if the key is as it was last seen  → kRegistered
//
// A registration that begins takes a key over from whoever holds it (mostly its own predecessor,
// killed and restarted under a fixed id); after that it never fights for it.
//
// Lives on the event loop's thread: all members are called there, and it calls back there.
#ifndef TURNOUT_SRC_REGISTRY_REGISTRATION_H_
#define TURNOUT_SRC_REGISTRY_REGISTRATION_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "src/base/backoff.h"
#include "src/etcd/client.h"
#include "src/etcd/event_loop.h"
#include "src/model/record.h"
#include "turnout/instance.h"
#include "turnout/registrar.h"

namespace turnout::registry {

class Registration final : public std::enable_shared_from_this<Registration>,
                           private etcd::Client::LeaseObserver,
                           private etcd::Client::WatchObserver {
 public:
  struct Plan {
    Instance instance;
    std::string key;        // of the record
    std::string state_key;  // of the operator's decision
    std::chrono::seconds lease_ttl;
  };
  // As EventLoop::RunAfter.
  using RunAfter = std::function<std::unique_ptr<etcd::EventLoop::Timer>(std::chrono::milliseconds,
                                                                         std::function<void()>)>;
  // Every change of the state or of the last error.
  using Listener = std::function<void(RegistrationState, const absl::Status& last_error)>;

  Registration(Plan plan, etcd::Client& client, RunAfter run_after, Listener listener);

  void Begin();

  // Marks the record as draining. `announced` is called once: with true when the mark is in etcd,
  // with false when there is no record to mark.
  void Drain(std::function<void(bool)> announced);

  // Deletes the record, if it is ours, and lets go of the lease. Keeps itself alive and tries until
  // that is done, for as long as it takes; `done` is called then, and the listener until then,
  // unless Detach came before.
  void End(std::function<void()> done);

  // Ends the calls of listener and callbacks.
  void Detach();

 private:
  // What etcd holds at `key`.
  struct Record {
    std::string value;
    std::int64_t lease = 0;
    etcd::Revision mod_revision = 0;
  };

  // etcd::Client::LeaseObserver
  void OnGranted(std::int64_t lease) override;
  void OnLost(const absl::Status& why) override;
  void OnGrantFailed(const absl::Status& why) override;
  // etcd::Client::WatchObserver
  void OnEvents(std::vector<etcd::Event> events, etcd::Revision revision) override;
  void OnCompacted(etcd::Revision compact_revision) override;
  void OnInterrupted(const absl::Status& why) override;

  void Reconcile();
  void ReconcileDraining();
  void Load();
  void OnLoaded(const etcd::TxnResult& found);
  void Put();
  void OnPut(Record written, const etcd::TxnResult& result);
  void Remove();
  void OnRemoved(const etcd::TxnResult& result);
  void LetGo();
  void Finish();
  // Commits `txn`; `then` gets its result, and Reconcile follows. An error is retried later.
  void Commit(etcd::Txn txn, std::function<void(const etcd::TxnResult&)> then);
  void RetryAfter(const absl::Status& why);
  void RetryNow();

  void SetRecord(const etcd::TxnResult& found);
  void SetDecision(const etcd::TxnResult& found);
  void SetOperatorState(const std::string* value);
  void EnterState(RegistrationState state, const absl::Status& why = absl::OkStatus());
  void LogState(RegistrationState before) const;
  void ReportFailure(const absl::Status& why);
  void Announce(bool listed);

  bool Ours() const;    // the record is one that we wrote, maybe under the lease before this one
  bool Listed() const;  // it is ours, under the lease that we hold
  const std::string& WantedValue() const;

  const Plan plan_;
  const std::string value_;           // the record
  const std::string draining_value_;  // the same, marked
  etcd::Client& client_;
  const RunAfter run_after_;
  Listener listener_;

  // What we do.
  RegistrationState state_ = RegistrationState::kRegistering;
  absl::Status last_error_;
  bool busy_ = false;      // a request is under way
  bool ever_put_ = false;  // from then on, a record of others is left alone
  bool draining_ = false;  // by our own process
  bool ending_ = false;
  std::function<void(bool)> announced_;
  std::function<void()> ended_;
  std::shared_ptr<Registration> self_;  // while ending

  // What etcd holds, each key as of its revision; meaningless until read.
  bool read_ = false;
  etcd::Revision record_revision_ = 0;
  std::optional<Record> record_;
  etcd::Revision decision_revision_ = 0;
  etcd::Revision decision_mod_revision_ = 0;  // 0: no decision
  model::OperatorState operator_state_ = model::OperatorState::kNone;

  std::int64_t lease_ = 0;  // 0: none at the moment
  std::int64_t lost_lease_ = 0;
  std::unique_ptr<etcd::Client::LeaseHold> lease_hold_;
  std::unique_ptr<etcd::Client::WatchHandle> record_watch_, state_watch_;

  base::Backoff backoff_;
  unsigned failures_ = 0;  // in a row
  bool waiting_ = false;   // for the retry
  std::unique_ptr<etcd::EventLoop::Timer> retry_;
};

}  // namespace turnout::registry

#endif  // TURNOUT_SRC_REGISTRY_REGISTRATION_H_
