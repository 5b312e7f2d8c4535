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
//   ending                            mark it as draining, then delete it        → kEnded
//
// A registration that begins takes a key over from whoever holds it (mostly its own predecessor,
// killed and restarted under a fixed id); after that it leaves the key alone. Once more it may do
// so when etcd turns out to have another history (restored from a backup, in which an older
// registration may stand), unless it had been superseded before: so of two living processes with
// one id the same one wins as before, and none fights for ever. A record under any lease that was
// ours is ours, wherever it comes from.
//
// Revisions are compared only within a history. An answer that is older than what is known was
// either overtaken by an event or comes from another history: both keys are read again. They are
// also read after each interruption of the watch, since a new history may by then have grown beyond
// the revision at which the watch goes on, which then notices nothing.
//
// Lives on the event loop's thread: all members are called there, and it calls back there.
#ifndef TURNOUT_SRC_REGISTRY_REGISTRATION_H_
#define TURNOUT_SRC_REGISTRY_REGISTRATION_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "src/base/backoff.h"
#include "src/base/clock.h"
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

  // Marks the record as draining and deletes it, if it is ours, and lets go of the lease. Marked
  // and deleted in two steps, because clients take a record that vanishes unannounced for a
  // failure, and go on calling the instance where they have no other. Keeps itself alive and tries
  // until that is done, for as long as it takes; `done` is called then, and the listener until
  // then, unless Detach came before.
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
  void OnResumed() override;

  void Reconcile();
  void ReconcileDraining();
  void ReconcileEnding();
  void ReadAgainSoon();
  void Load();
  void OnLoaded(const etcd::TxnResult& found);
  void Put();
  void OnPut(Record written, const etcd::TxnResult& result);
  void Remove();
  void OnRemoved(const etcd::TxnResult& result);
  // Begins to read again if `result` is older than what is known.
  bool Outdated(const etcd::TxnResult& result);
  void OnVanished();
  void LetGo();
  void Finish();
  // Commits `txn`; `then` gets its result, and Reconcile follows. An error is retried later.
  void Commit(etcd::Txn txn, std::function<void(const etcd::TxnResult&)> then);
  void RetryLater(const absl::Status& why);
  void Wait(std::chrono::milliseconds delay);
  void RetryNow();

  void SetRecord(const etcd::TxnResult& found);
  void SetDecision(const etcd::TxnResult& found);
  void SetOperatorState(const std::string* value);
  void EnterState(RegistrationState state, const absl::Status& why = absl::OkStatus());
  void LogState(RegistrationState before) const;
  void LogFailure(unsigned failures, const absl::Status& why) const;
  void SetError(const absl::Status& why);
  void Announce(bool listed);

  etcd::Revision NewestRevision() const;
  bool Removed() const;  // by an operator
  bool Ours() const;     // the record is one that we wrote, under whichever of our leases
  bool Listed() const;   // it is ours, under the lease that we hold
  bool Marked() const;   // it is listed, as draining
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
  bool busy_ = false;       // a request is under way
  bool ever_put_ = false;   // a record, or tried to
  bool takes_over_ = true;  // if not, a record of others is left alone
  bool in_doubt_ = false;   // whether the last write took effect
  bool draining_ = false;   // by our own process
  bool ending_ = false;
  std::function<void(bool)> announced_;
  std::function<void()> ended_;
  std::shared_ptr<Registration> self_;  // while ending

  // What etcd holds, each key as of its revision; meaningless until read.
  bool read_ = false;
  bool interrupted_ = false;  // the watches are
  etcd::Revision record_revision_ = 0;
  std::optional<Record> record_;
  etcd::Revision decision_revision_ = 0;
  etcd::Revision decision_mod_revision_ = 0;  // 0: no decision
  model::OperatorState operator_state_ = model::OperatorState::kNone;

  std::int64_t lease_ = 0;                  // 0: none at the moment
  std::deque<std::int64_t> former_leases_;  // the newest first
  std::unique_ptr<etcd::Client::LeaseHold> lease_hold_;
  std::unique_ptr<etcd::Client::WatchHandle> record_watch_, state_watch_;

  base::Backoff backoff_;
  base::Backoff put_back_backoff_;  // of what others delete as soon as it is there
  base::TimePoint put_at_{};        // the last time
  unsigned request_failures_ = 0;   // in a row
  unsigned grant_failures_ = 0;     // in a row
  bool waiting_ = false;            // for the retry
  std::unique_ptr<etcd::EventLoop::Timer> retry_;
};

}  // namespace turnout::registry

#endif  // TURNOUT_SRC_REGISTRY_REGISTRATION_H_
