#include "src/registry/fake_etcd.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace turnout::registry {

using etcd::Txn;

class FakeEtcd::Hold final : public LeaseHold {
 public:
  explicit Hold(FakeEtcd& etcd) : etcd_(etcd) {}
  ~Hold() override { etcd_.lease_observer_ = nullptr; }
  void Release(std::function<void()> done) override {
    etcd_.lease_observer_ = nullptr;
    etcd_.lease_released_ = true;
    etcd_.answers_.push_back(std::move(done));
  }

 private:
  FakeEtcd& etcd_;
};

class FakeEtcd::Handle final : public WatchHandle {
 public:
  Handle(FakeEtcd& etcd, int id) : etcd_(etcd), id_(id) {}
  ~Handle() override { etcd_.watches_.erase(id_); }

 private:
  FakeEtcd& etcd_;
  const int id_;
};

std::unique_ptr<etcd::Client::LeaseHold> FakeEtcd::HoldLease(std::chrono::seconds /*ttl*/,
                                                             LeaseObserver* observer) {
  lease_observer_ = observer;
  return std::make_unique<Hold>(*this);
}

std::unique_ptr<etcd::Client::WatchHandle> FakeEtcd::WatchPrefix(std::string prefix,
                                                                 std::int64_t start_revision,
                                                                 WatchObserver* observer) {
  for (const etcd::Event& event : history_) {
    if (event.kv.mod_revision >= start_revision && absl::StartsWith(event.kv.key, prefix)) {
      Send(next_watch_, event);
    }
  }
  watches_[next_watch_] = {std::move(prefix), observer};
  return std::make_unique<Handle>(*this, next_watch_++);
}

void FakeEtcd::PutAs(const std::string& key, const std::string& value, std::int64_t lease) {
  etcd::TxnResult ignored;
  ++revision_;
  Apply({.type = Txn::Operation::Type::kPut, .key = key, .value = value, .lease = lease}, ignored);
}

void FakeEtcd::DeleteKey(const std::string& key) {
  etcd::TxnResult ignored;
  ++revision_;
  Apply({.type = Txn::Operation::Type::kDelete, .key = key}, ignored);
}

void FakeEtcd::GrantLease(std::int64_t lease) {
  lease_ = lease;
  lease_observer_->OnGranted(lease);
}

void FakeEtcd::LoseLease() {
  std::vector<std::string> lost;
  for (const auto& [key, kv] : keys_) {
    if (kv.lease == lease_) lost.push_back(key);
  }
  for (const std::string& key : lost) DeleteKey(key);
  lease_observer_->OnLost(absl::NotFoundError("lease expired"));
}

void FakeEtcd::FailGrant(const absl::Status& why) { lease_observer_->OnGrantFailed(why); }

void FakeEtcd::Compact() {
  events_.clear();
  auto ended = watches_;
  for (const auto& [id, watch] : ended) watch.observer->OnCompacted(revision_);
}

void FakeEtcd::Interrupt() {
  auto interrupted = watches_;
  for (const auto& [id, watch] : interrupted) watch.observer->OnInterrupted(absl::UnknownError(""));
}

void FakeEtcd::Resume() {
  auto resumed = watches_;
  for (const auto& [id, watch] : resumed) watch.observer->OnResumed();
}

void FakeEtcd::Wipe() {
  keys_.clear();
  history_.clear();
  events_.clear();
  revision_ = 1;
}

void FakeEtcd::Settle() {
  while (!events_.empty() || !answers_.empty()) {
    DeliverFirst(events_.empty() ? answers_ : events_);
  }
}

void FakeEtcd::SettleAnswers() {
  while (!answers_.empty()) DeliverFirst(answers_);
}

void FakeEtcd::SettleEvents() {
  while (!events_.empty()) DeliverFirst(events_);
}

void FakeEtcd::DeliverFirst(std::deque<std::function<void()>>& queue) {
  const auto first = std::move(queue.front());
  queue.pop_front();
  first();
}

const etcd::KeyValue* FakeEtcd::Find(const std::string& key) const {
  const auto found = keys_.find(key);
  return found == keys_.end() ? nullptr : &found->second;
}

void FakeEtcd::Commit(Txn txn, etcd::Callback<etcd::TxnResult> done) {
  ++commits_;
  if (!failure_.ok()) {
    answers_.push_back([done = std::move(done), why = failure_] { done(why); });
    return;
  }
  etcd::TxnResult result;
  result.succeeded = std::all_of(txn.conditions.begin(), txn.conditions.end(),
                                 [this](const auto& condition) { return Holds(condition); });
  const auto& operations = result.succeeded ? txn.then : txn.otherwise;
  const bool writes = std::any_of(operations.begin(), operations.end(), [](const auto& operation) {
    return operation.type != Txn::Operation::Type::kGet;
  });
  if (writes) ++revision_;
  result.revision = revision_;
  for (const auto& operation : operations) Apply(operation, result);
  absl::StatusOr<etcd::TxnResult> answer = std::move(result);
  if (lost_answer_.has_value()) answer = *std::exchange(lost_answer_, std::nullopt);
  answers_.push_back([done = std::move(done), answer = std::move(answer)] { done(answer); });
}

bool FakeEtcd::Holds(const Txn::Condition& condition) const {
  const etcd::KeyValue* kv = Find(condition.key);
  switch (condition.on) {
    case Txn::Condition::On::kCreateRevision:
      return (kv == nullptr ? 0 : kv->create_revision) == condition.equals;
    case Txn::Condition::On::kModRevision:
      return (kv == nullptr ? 0 : kv->mod_revision) == condition.equals;
    case Txn::Condition::On::kLease:
      return kv != nullptr && kv->lease == condition.equals;
  }
  return false;
}

void FakeEtcd::Apply(const Txn::Operation& operation, etcd::TxnResult& result) {
  const auto found = keys_.find(operation.key);
  switch (operation.type) {
    case Txn::Operation::Type::kGet:
      if (found != keys_.end()) result.read.push_back(found->second);
      return;
    case Txn::Operation::Type::kPut: {
      etcd::KeyValue kv{operation.key, operation.value, revision_, revision_, operation.lease};
      if (found != keys_.end()) kv.create_revision = found->second.create_revision;
      keys_[operation.key] = kv;
      return Publish({etcd::Event::Type::kPut, kv});
    }
    case Txn::Operation::Type::kDelete:
      if (found == keys_.end()) return;
      keys_.erase(found);
      return Publish({etcd::Event::Type::kDelete,
                      {.key = operation.key, .value = {}, .mod_revision = revision_}});
  }
}

void FakeEtcd::Publish(const etcd::Event& event) {
  history_.push_back(event);
  for (const auto& [id, watch] : watches_) {
    if (absl::StartsWith(event.kv.key, watch.prefix)) Send(id, event);
  }
}

void FakeEtcd::Send(int watch, const etcd::Event& event) {
  events_.push_back([this, watch, event] {
    const auto found = watches_.find(watch);
    if (found != watches_.end()) found->second.observer->OnEvents({event}, event.kv.mod_revision);
  });
}

class FakeTimers::Timer final : public etcd::EventLoop::Timer {
 public:
  Timer(FakeTimers& timers, int id) : timers_(timers), id_(id) {}
  ~Timer() override { timers_.tasks_.erase(id_); }

 private:
  FakeTimers& timers_;
  const int id_;
};

std::unique_ptr<etcd::EventLoop::Timer> FakeTimers::RunAfter(std::chrono::milliseconds delay,
                                                             std::function<void()> task) {
  tasks_[next_] = {delay, std::move(task)};
  return std::make_unique<Timer>(*this, next_++);
}

std::chrono::milliseconds FakeTimers::RunAll() {
  const auto due = std::exchange(tasks_, {});
  for (const auto& [id, timer] : due) timer.second();
  return due.empty() ? std::chrono::milliseconds(-1) : due.begin()->second.first;
}

}  // namespace turnout::registry
