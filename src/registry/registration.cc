#include "src/registry/registration.h"

#include <algorithm>
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

// What makes us read again (etcd is back) reaches a whole fleet at once.
constexpr std::chrono::milliseconds kReadSpread{200};

// A record that vanishes sooner than this after it was put is put back with backoff: whoever
// deletes it does so again and again.
constexpr std::chrono::seconds kSettled{5};

// Any backup that is still of use has a lease among so many.
constexpr std::size_t kLeasesRemembered = 64;

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
      backoff_(kFirstRetry, kLastRetry),
      put_back_backoff_(kFirstRetry, kLastRetry) {}

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
  if (ending_) return ReconcileEnding();
  if (draining_) return ReconcileDraining();
  if (!read_) return Load();
  if (Removed()) {
    if (Ours()) return Remove();
    return EnterState(kRemoved);
  }
  if (!takes_over_ && record_.has_value() && !Ours()) return EnterState(kSuperseded);
  if (lease_ == 0) return EnterState(kRegistering);
  if (Listed() && record_->value == WantedValue()) {
    takes_over_ = false;
    return EnterState(kRegistered);
  }
  if (!Listed()) EnterState(kRegistering, absl::NotFoundError("the record has vanished from etcd"));
  Put();
}

// What is not listed any more does not come back only to be marked.
void Registration::ReconcileDraining() {
  if (ever_put_ && !read_) return Load();
  if (!Listed() || Removed()) return Announce(false);
  if (Marked()) return Announce(true);
  Put();
}

void Registration::ReconcileEnding() {
  if (lease_ == 0) return LetGo();  // the record ends with its lease
  if (in_doubt_ || (ever_put_ && !read_)) return Load();
  if (!Ours()) return LetGo();
  if (!Removed() && !Marked()) return Put();
  Remove();
}

void Registration::ReadAgainSoon() {
  if (!std::exchange(read_, false)) return;
  const auto delays = static_cast<std::uint64_t>(kReadSpread.count()) + 1;
  Wait(std::chrono::milliseconds(base::ThreadRandom().Below(delays)));
}

void Registration::Load() {
  Txn txn;
  txn.then = {Get(plan_.key), Get(plan_.state_key)};
  Commit(std::move(txn), [this](const etcd::TxnResult& found) { OnLoaded(found); });
}

void Registration::OnLoaded(const etcd::TxnResult& found) {
  // Read from a majority of the members: this is another history. What stands in it may be older
  // than what stood in the one before.
  if (found.revision < NewestRevision() && state_ != kSuperseded) takes_over_ = true;
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
  ever_put_ = true;
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
  if (result.succeeded) {
    takes_over_ = false;
    put_at_ = base::Now();
  }
  if (Outdated(result)) return;
  SetRecord(result);
  if (!result.succeeded) return SetDecision(result);
  written.mod_revision = result.revision;
  record_ = std::move(written);
}

void Registration::Remove() {
  Txn txn;
  txn.conditions = {
      {.key = plan_.key, .on = Txn::Condition::On::kModRevision, .equals = record_->mod_revision}};
  txn.then = {Delete(plan_.key)};
  txn.otherwise = {Get(plan_.key), Get(plan_.state_key)};
  Commit(std::move(txn), [this](const etcd::TxnResult& result) { OnRemoved(result); });
}

void Registration::OnRemoved(const etcd::TxnResult& result) {
  if (Outdated(result)) return;
  SetRecord(result);
  if (!result.succeeded) SetDecision(result);
}

bool Registration::Outdated(const etcd::TxnResult& result) {
  if (result.revision >= NewestRevision()) return false;
  read_ = false;
  return true;
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
  const bool reads_only = txn.conditions.empty();
  client_.Commit(std::move(txn), [weak = weak_from_this(), reads_only,
                                  then = std::move(then)](absl::StatusOr<etcd::TxnResult> result) {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->busy_ = false;
    if (result.ok()) {
      self->in_doubt_ = false;
      self->request_failures_ = 0;
      self->backoff_.Reset();
      then(*result);
    } else {
      self->in_doubt_ = self->in_doubt_ || !reads_only;
      self->RetryLater(result.status());
    }
    self->Reconcile();
  });
}

// Without a lease, etcd is away most likely, and it is the grant's failure that is logged.
void Registration::RetryLater(const absl::Status& why) {
  ++request_failures_;
  if (lease_ != 0) LogFailure(request_failures_, why);
  SetError(why);
  Wait(backoff_.Next());
}

void Registration::Wait(std::chrono::milliseconds delay) {
  waiting_ = true;
  retry_ = run_after_(delay, [weak = weak_from_this()] {
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
  grant_failures_ = 0;
  request_failures_ = 0;
  RetryNow();
}

void Registration::OnLost(const absl::Status& why) {
  former_leases_.push_front(std::exchange(lease_, 0));
  if (former_leases_.size() > kLeasesRemembered) former_leases_.pop_back();
  if (state_ == kRegistered) EnterState(kRegistering, why);
  Reconcile();
}

void Registration::OnGrantFailed(const absl::Status& why) {
  LogFailure(++grant_failures_, why);
  SetError(why);
}

void Registration::OnEvents(std::vector<etcd::Event> events, etcd::Revision /*revision*/) {
  if (!read_) return;
  for (etcd::Event& event : events) {
    const bool exists = event.type == etcd::Event::Type::kPut;
    if (event.kv.key == plan_.key && event.kv.mod_revision > record_revision_) {
      const bool listed = Listed();
      etcd::TxnResult found{.revision = event.kv.mod_revision};
      if (exists) found.read.push_back(std::move(event.kv));
      SetRecord(found);
      if (listed && !exists && !Removed()) OnVanished();
    } else if (event.kv.key == plan_.state_key && event.kv.mod_revision > decision_revision_) {
      etcd::TxnResult found{.revision = event.kv.mod_revision};
      if (exists) found.read.push_back(std::move(event.kv));
      SetDecision(found);
    }
  }
  Reconcile();
}

// Put back at once, but not for ever: somebody may delete it as fast as we put it.
void Registration::OnVanished() {
  if (base::Now() - put_at_ < kSettled) return Wait(put_back_backoff_.Next());
  put_back_backoff_.Reset();
}

void Registration::OnCompacted(etcd::Revision /*compact_revision*/) {
  interrupted_ = false;
  ReadAgainSoon();
  Reconcile();
}

// The lease tells whether the registration stands.
void Registration::OnInterrupted(const absl::Status& /*why*/) { interrupted_ = true; }

void Registration::OnResumed() {
  if (!std::exchange(interrupted_, false)) return;
  ReadAgainSoon();
  Reconcile();
}

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

etcd::Revision Registration::NewestRevision() const {
  return std::max(record_revision_, decision_revision_);
}

bool Registration::Removed() const { return operator_state_ == model::OperatorState::kRemoved; }

bool Registration::Ours() const {
  if (!record_.has_value() || record_->lease == 0) return false;
  if (record_->value != value_ && record_->value != draining_value_) return false;
  return record_->lease == lease_ || std::find(former_leases_.begin(), former_leases_.end(),
                                               record_->lease) != former_leases_.end();
}

bool Registration::Listed() const { return Ours() && record_->lease == lease_; }

bool Registration::Marked() const { return Listed() && record_->value == draining_value_; }

const std::string& Registration::WantedValue() const {
  const bool draining = draining_ || ending_ || operator_state_ == model::OperatorState::kDraining;
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

// At the 1st, 2nd, 4th, 8th … failure in a row: an outage of hours is a dozen lines.
void Registration::LogFailure(unsigned failures, const absl::Status& why) const {
  if (!std::has_single_bit(failures)) return;
  LogLine(LogSeverity::kWarning, absl::StrCat("cannot register ", plan_.key, " (attempt ", failures,
                                              "): ", why.message(), "; trying again"));
}

void Registration::SetError(const absl::Status& why) {
  last_error_ = why;
  if (listener_) listener_(state_, last_error_);
}

}  // namespace turnout::registry
