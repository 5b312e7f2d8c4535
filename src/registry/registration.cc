#include "src/registry/registration.h"

#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/log.h"
#include "src/base/observe.h"

namespace turnout::registry {
namespace {

using etcd::Txn;
using enum RegistrationState;

constexpr std::chrono::milliseconds kFirstRetry{100};
constexpr std::chrono::milliseconds kLastRetry{5000};

std::string MarkedDraining(Instance instance) {
  instance.draining = true;
  return model::FormatRecord(instance);
}

using Operation = Txn::Operation;

Operation Get(const std::string& key) { return {.type = Operation::Type::kGet, .key = key}; }
Operation Delete(const std::string& key) { return {.type = Operation::Type::kDelete, .key = key}; }

void LogLine(LogSeverity severity, std::string message) {
  base::Log(severity, "registrar", std::move(message));
}

}  // namespace

Registration::Registration(Plan plan, etcd::Client& client, RunAfter run_after, Listener listener)
    : plan_(std::move(plan)),
      value_(model::FormatRecord(plan_.instance)),
      draining_value_(MarkedDraining(plan_.instance)),
      client_(client),
      run_after_(std::move(run_after)),
      listener_(std::move(listener)),
      backoff_(kFirstRetry, kLastRetry) {}

void Registration::Begin() {
  lease_hold_ = client_.HoldLease(plan_.lease_ttl, this);
  Reconcile();
}

void Registration::Drain(std::function<void(bool)> announced) {
  draining_ = true;
  announced_ = std::move(announced);
  EnterState(kDraining);
  RetryNow();
}

void Registration::End(std::function<void()> done) {
  ending_ = true;
  ended_ = std::move(done);
  self_ = shared_from_this();
  record_watch_.reset();
  state_watch_.reset();
  RetryNow();
}

void Registration::Detach() {
  listener_ = nullptr;
  announced_ = nullptr;
  ended_ = nullptr;
}

void Registration::Reconcile() {
  if (busy_ || waiting_) return;
  if (ending_) return Remove();
  if (draining_) return ReconcileDraining();
  if (!read_) return Load();
  if (operator_state_ == model::OperatorState::kRemoved) {
    if (Listed()) return Remove();
    return EnterState(kRemoved);
  }
  if (ever_put_ && record_.has_value() && !Ours()) return EnterState(kSuperseded);
  if (lease_ == 0) return EnterState(kRegistering);
  if (Listed() && record_->value == WantedValue()) return EnterState(kRegistered);
  if (!Listed()) EnterState(kRegistering, absl::NotFoundError("the record has vanished from etcd"));
  Put();
}

// What is not listed any more does not come back only to be marked.
void Registration::ReconcileDraining() {
  if (!Listed()) return Announce(false);
  if (record_->value == draining_value_) return Announce(true);
  Put();
}

void Registration::Load() {
  Txn txn;
  txn.then = {Get(plan_.key), Get(plan_.state_key)};
  Commit(std::move(txn), [this](const etcd::TxnResult& found) { OnLoaded(found); });
}

void Registration::OnLoaded(const etcd::TxnResult& found) {
  read_ = true;
  SetRecord(found);
  SetDecision(found);
  if (ending_) return;
  record_watch_ = client_.WatchPrefix(plan_.key, found.revision + 1, this);
  state_watch_ = client_.WatchPrefix(plan_.state_key, found.revision + 1, this);
}

// Puts the record only if both keys are as we know them: nobody's record is overwritten unseen, and
// what an operator has removed does not come back because the record's end was heard of first.
void Registration::Put() {
  if (record_.has_value() && !Ours()) {
    LogLine(LogSeverity::kWarning,
            absl::StrCat("taking over ", plan_.key, " from another registration (lease ",
                         record_->lease, "), presumably the one before a restart"));
  }
  Record record{.value = WantedValue(), .lease = lease_};
  Txn txn;
  txn.conditions = {{.key = plan_.key,
                     .on = Txn::Condition::On::kModRevision,
                     .equals = record_.has_value() ? record_->mod_revision : 0},
                    {.key = plan_.state_key,
                     .on = Txn::Condition::On::kModRevision,
                     .equals = decision_mod_revision_}};
  txn.then = {
      {.type = Operation::Type::kPut, .key = plan_.key, .value = record.value, .lease = lease_}};
  txn.otherwise = {Get(plan_.key), Get(plan_.state_key)};
  Commit(std::move(txn), [this, record](const etcd::TxnResult& result) { OnPut(record, result); });
}

void Registration::OnPut(Record written, const etcd::TxnResult& result) {
  if (result.revision < record_revision_) {
    // Either a newer event overtook this answer, or etcd was restored to an older state.
    read_ = false;
    record_.reset();
    return;
  }
  SetRecord(result);
  if (!result.succeeded) return SetDecision(result);
  ever_put_ = true;
  written.mod_revision = result.revision;
  record_ = std::move(written);
}

void Registration::Remove() {
  if (lease_ == 0) return LetGo();
  Txn txn;
  txn.conditions = {{.key = plan_.key, .on = Txn::Condition::On::kLease, .equals = lease_}};
  txn.then = {Delete(plan_.key)};
  txn.otherwise = {Get(plan_.key)};
  Commit(std::move(txn), [this](const etcd::TxnResult& result) { OnRemoved(result); });
}

void Registration::OnRemoved(const etcd::TxnResult& result) {
  if (ending_) return LetGo();
  SetRecord(result);
}

void Registration::LetGo() {
  busy_ = true;  // for good: nothing is sent after this
  if (lease_hold_ == nullptr) return Finish();
  lease_hold_->Release([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Finish();
  });
}

void Registration::Finish() {
  EnterState(kEnded);
  if (ended_) std::exchange(ended_, nullptr)();
  self_.reset();
}

void Registration::Commit(Txn txn, std::function<void(const etcd::TxnResult&)> then) {
  busy_ = true;
  client_.Commit(std::move(txn), [weak = weak_from_this(),
                                  then = std::move(then)](absl::StatusOr<etcd::TxnResult> result) {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->busy_ = false;
    if (result.ok()) {
      self->failures_ = 0;
      self->backoff_.Reset();
      then(*result);
    } else {
      self->RetryAfter(result.status());
    }
    self->Reconcile();
  });
}

void Registration::RetryAfter(const absl::Status& why) {
  ReportFailure(why);
  waiting_ = true;
  retry_ = run_after_(backoff_.Next(), [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr || !self->waiting_) return;
    self->waiting_ = false;
    self->Reconcile();
  });
}

void Registration::RetryNow() {
  waiting_ = false;
  retry_.reset();
  backoff_.Reset();
  Reconcile();
}

void Registration::OnGranted(std::int64_t lease) {
  lease_ = lease;
  failures_ = 0;
  RetryNow();
}

void Registration::OnLost(const absl::Status& why) {
  lost_lease_ = std::exchange(lease_, 0);
  if (state_ == kRegistered) EnterState(kRegistering, why);
  Reconcile();
}

void Registration::OnGrantFailed(const absl::Status& why) { ReportFailure(why); }

void Registration::OnEvents(std::vector<etcd::Event> events, etcd::Revision /*revision*/) {
  if (!read_) return;
  for (etcd::Event& event : events) {
    const bool exists = event.type == etcd::Event::Type::kPut;
    if (event.kv.key == plan_.key && event.kv.mod_revision > record_revision_) {
      etcd::TxnResult found{.revision = event.kv.mod_revision};
      if (exists) found.read.push_back(std::move(event.kv));
      SetRecord(found);
    } else if (event.kv.key == plan_.state_key && event.kv.mod_revision > decision_revision_) {
      etcd::TxnResult found{.revision = event.kv.mod_revision};
      if (exists) found.read.push_back(std::move(event.kv));
      SetDecision(found);
    }
  }
  Reconcile();
}

void Registration::OnCompacted(etcd::Revision /*compact_revision*/) {
  read_ = false;
  Reconcile();
}

// The lease tells whether the registration stands; the watch resumes where it stopped.
void Registration::OnInterrupted(const absl::Status& /*why*/) {}

void Registration::SetRecord(const etcd::TxnResult& found) {
  record_revision_ = found.revision;
  record_.reset();
  for (const etcd::KeyValue& kv : found.read) {
    if (kv.key == plan_.key) record_ = Record{kv.value, kv.lease, kv.mod_revision};
  }
}

void Registration::SetDecision(const etcd::TxnResult& found) {
  decision_revision_ = found.revision;
  decision_mod_revision_ = 0;
  const std::string* value = nullptr;
  for (const etcd::KeyValue& kv : found.read) {
    if (kv.key != plan_.state_key) continue;
    decision_mod_revision_ = kv.mod_revision;
    value = &kv.value;
  }
  SetOperatorState(value);
}

void Registration::SetOperatorState(const std::string* value) {
  const model::OperatorState before = operator_state_;
  operator_state_ = model::OperatorState::kNone;
  if (value != nullptr) {
    const auto state = model::ParseOperatorState(*value);
    if (state.ok())
      operator_state_ = *state;
    else
      LogLine(LogSeverity::kWarning,
              absl::StrCat("ignoring ", plan_.state_key, ": ", state.status().message()));
  }
  if (operator_state_ == before) return;
  if (operator_state_ == model::OperatorState::kDraining) {
    LogLine(LogSeverity::kInfo, absl::StrCat("an operator drains ", plan_.key));
  } else if (before == model::OperatorState::kDraining) {
    LogLine(LogSeverity::kInfo, absl::StrCat("an operator no longer drains ", plan_.key));
  }
}

bool Registration::Ours() const {
  return record_.has_value() && (record_->value == value_ || record_->value == draining_value_) &&
         record_->lease != 0 && (record_->lease == lease_ || record_->lease == lost_lease_);
}

bool Registration::Listed() const { return Ours() && record_->lease == lease_; }

const std::string& Registration::WantedValue() const {
  const bool draining = draining_ || operator_state_ == model::OperatorState::kDraining;
  return draining ? draining_value_ : value_;
}

void Registration::Announce(bool listed) {
  if (announced_) std::exchange(announced_, nullptr)(listed);
}

void Registration::EnterState(RegistrationState state, const absl::Status& why) {
  const RegistrationState before = std::exchange(state_, state);
  if (before == state) return;
  last_error_ = why;
  if (state == kRegistered) base::Count(base::GlobalCounters().registrations);
  if (before == kRegistered && (state == kRegistering || state == kSuperseded)) {
    base::Count(base::GlobalCounters().registrations_lost);
  }
  LogState(before);
  if (listener_) listener_(state_, last_error_);
  base::Observe([key = plan_.key, state, why](Observer& observer) {
    observer.OnRegistration(key, state, why);
  });
}

void Registration::LogState(RegistrationState before) const {
  switch (state_) {
    case kRegistered:
      return LogLine(LogSeverity::kInfo,
                     absl::StrCat("registered ", plan_.key, " at ", plan_.instance.address()));
    case kRegistering:
      if (before != kRegistered) return;
      return LogLine(
          LogSeverity::kWarning,
          absl::StrCat("lost ", plan_.key, ": ", last_error_.message(), "; registering again"));
    case kRemoved:
      return LogLine(LogSeverity::kWarning,
                     absl::StrCat("an operator has removed ", plan_.key, "; it stays away until ",
                                  plan_.state_key, " goes"));
    case kSuperseded:
      return LogLine(LogSeverity::kWarning,
                     absl::StrCat("another process has registered ", plan_.key, " (lease ",
                                  record_.has_value() ? record_->lease : 0,
                                  "); ours stays away until that record goes"));
    case kDraining:
      return LogLine(LogSeverity::kInfo, absl::StrCat("draining ", plan_.key));
    case kEnded:
      return LogLine(LogSeverity::kInfo, absl::StrCat("deregistered ", plan_.key));
  }
}

// Says so at the 1st, 2nd, 4th, 8th … failure in a row: an outage of hours is a dozen lines.
void Registration::ReportFailure(const absl::Status& why) {
  last_error_ = why;
  if (std::has_single_bit(++failures_)) {
    LogLine(LogSeverity::kWarning, absl::StrCat("cannot register ", plan_.key, " (attempt ",
                                                failures_, "): ", why.message(), "; trying again"));
  }
  if (listener_) listener_(state_, last_error_);
}

}  // namespace turnout::registry
