#include "src/registry/model_etcd.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace turnout::registry {

using etcd::Txn;
using Operation = Txn::Operation;

const etcd::KeyValue* ModelEtcd::Find(const std::string& key) const {
  const auto found = now_.keys.find(key);
  return found == now_.keys.end() ? nullptr : &found->second;
}

bool ModelEtcd::WouldSucceed(const Txn& txn) const {
  return std::all_of(txn.conditions.begin(), txn.conditions.end(),
                     [this](const auto& condition) { return Holds(condition); });
}

absl::StatusOr<etcd::TxnResult> ModelEtcd::Commit(const Txn& txn) {
  etcd::TxnResult result;
  result.succeeded = WouldSucceed(txn);
  const auto& operations = result.succeeded ? txn.then : txn.otherwise;
  bool writes = false;
  for (const Operation& operation : operations) {
    writes |= operation.type != Operation::Type::kGet;
    if (operation.lease != 0 && !Lives(operation.lease)) {
      return absl::NotFoundError("requested lease not found");
    }
  }
  if (writes) NextRevision();
  result.revision = now_.revision;
  for (const Operation& operation : operations) Apply(operation, result);
  return result;
}

void ModelEtcd::Put(const std::string& key, const std::string& value, std::int64_t lease) {
  etcd::TxnResult ignored;
  NextRevision();
  Apply({.type = Operation::Type::kPut, .key = key, .value = value, .lease = lease}, ignored);
}

void ModelEtcd::Delete(const std::string& key) {
  etcd::TxnResult ignored;
  if (Find(key) == nullptr) return;
  NextRevision();
  Apply({.type = Operation::Type::kDelete, .key = key}, ignored);
}

std::int64_t ModelEtcd::Grant() {
  now_.leases.insert(++last_lease_);
  return last_lease_;
}

void ModelEtcd::EndLease(std::int64_t lease) {
  now_.leases.erase(lease);
  std::vector<std::string> keys;
  for (const auto& [key, kv] : now_.keys) {
    if (kv.lease == lease) keys.push_back(key);
  }
  for (const std::string& key : keys) Delete(key);
}

const etcd::Event* ModelEtcd::FirstSince(etcd::Revision since, const std::string& prefix) const {
  for (const etcd::Event& event : now_.history) {
    if (event.kv.mod_revision >= since && absl::StartsWith(event.kv.key, prefix)) return &event;
  }
  return nullptr;
}

bool ModelEtcd::Holds(const Txn::Condition& condition) const {
  const etcd::KeyValue* kv = Find(condition.key);
  return (kv == nullptr ? 0 : kv->mod_revision) == condition.equals;
}

void ModelEtcd::Apply(const Operation& operation, etcd::TxnResult& result) {
  const auto found = now_.keys.find(operation.key);
  switch (operation.type) {
    case Operation::Type::kGet:
      if (found != now_.keys.end()) result.read.push_back(found->second);
      return;
    case Operation::Type::kPut: {
      etcd::KeyValue kv{operation.key, operation.value, now_.revision, now_.revision,
                        operation.lease};
      if (found != now_.keys.end()) kv.create_revision = found->second.create_revision;
      now_.keys[operation.key] = kv;
      now_.history.push_back({etcd::Event::Type::kPut, kv});
      return;
    }
    case Operation::Type::kDelete:
      if (found == now_.keys.end()) return;
      now_.keys.erase(found);
      now_.history.push_back({etcd::Event::Type::kDelete,
                              {.key = operation.key, .value = {}, .mod_revision = now_.revision}});
  }
}

// Other keys change too. Two histories hardly have a change of one key at the same revision.
void ModelEtcd::NextRevision() {
  now_.revision += 1 + static_cast<etcd::Revision>(random_.Below(1'000'000));
}

class ModelClient::Hold final : public LeaseHold {
 public:
  explicit Hold(ModelClient& client) : client_(client) {}
  ~Hold() override { client_.lease_observer_ = nullptr; }
  void Release(std::function<void()> done) override {
    client_.lease_observer_ = nullptr;
    client_.released_ = true;
    if (client_.lease_ != 0) client_.etcd_.EndLease(std::exchange(client_.lease_, 0));
    client_.on_released_ = std::move(done);
  }

 private:
  ModelClient& client_;
};

class ModelClient::Handle final : public WatchHandle {
 public:
  Handle(ModelClient& client, int id) : client_(client), id_(id) {}
  ~Handle() override { client_.watches_.erase(id_); }

 private:
  ModelClient& client_;
  const int id_;
};

std::unique_ptr<etcd::Client::LeaseHold> ModelClient::HoldLease(std::chrono::seconds /*ttl*/,
                                                                LeaseObserver* observer) {
  lease_observer_ = observer;
  return std::make_unique<Hold>(*this);
}

std::unique_ptr<etcd::Client::WatchHandle> ModelClient::WatchPrefix(std::string prefix,
                                                                    etcd::Revision start,
                                                                    WatchObserver* observer) {
  watches_[++last_watch_] = {.prefix = std::move(prefix), .next = start, .observer = observer};
  return std::make_unique<Handle>(*this, last_watch_);
}

void ModelClient::Commit(Txn txn, etcd::Callback<etcd::TxnResult> done) {
  if (request_.has_value()) violation_ = "a second request while one is under way";
  if (released_) violation_ = "a request after the end";
  request_ = Request{std::move(txn), std::move(done), std::nullopt};
}

// What an operator has removed must not be put, not even by a request that was sent before.
void ModelClient::CheckPut(const Txn& txn) {
  if (txn.then.empty() || txn.then[0].type != Operation::Type::kPut) return;
  const etcd::KeyValue* decision = etcd_.Find(state_key_);
  if (decision != nullptr && decision->value == "removed" && etcd_.WouldSucceed(txn)) {
    violation_ = "a put over an operator's `removed`";
  }
}

void ModelClient::RequestArrives() {
  if (!request_.has_value() || request_->answer.has_value()) return;
  CheckPut(request_->txn);
  request_->answer = etcd_.Commit(request_->txn);
}

void ModelClient::Answer(absl::StatusOr<etcd::TxnResult> answer) {
  const auto done = std::move(request_->done);
  request_.reset();
  done(std::move(answer));
}

void ModelClient::AnswerArrives() {
  if (!request_.has_value() || !request_->answer.has_value()) return;
  auto answer = *std::move(request_->answer);
  Answer(std::move(answer));
}

void ModelClient::RequestFails() {
  if (!request_.has_value() || request_->answer.has_value()) return;
  Answer(absl::UnavailableError("connection refused"));
}

void ModelClient::AnswerIsLost() {
  RequestArrives();
  if (request_.has_value()) Answer(absl::UnavailableError("connection reset"));
}

void ModelClient::RequestTimesOut() {
  if (!request_.has_value() || request_->answer.has_value()) return;
  late_ = request_->txn;
  Answer(absl::DeadlineExceededError("no answer"));
}

void ModelClient::LateRequestArrives() {
  if (!late_.has_value()) return;
  const Txn txn = *std::exchange(late_, std::nullopt);
  CheckPut(txn);
  static_cast<void>(etcd_.Commit(txn));
}

bool ModelClient::Deliver(int id) {
  const auto found = watches_.find(id);
  if (broken_ || found == watches_.end()) return false;
  Watch& watch = found->second;
  const etcd::Event* event = etcd_.FirstSince(watch.next, watch.prefix);
  if (event == nullptr) return false;
  watch.next = event->kv.mod_revision + 1;
  watch.observer->OnEvents({*event}, event->kv.mod_revision);
  return true;
}

void ModelClient::EventArrives() {
  if (watches_.empty()) return;
  auto watch = watches_.begin();
  std::advance(watch, random_.Below(watches_.size()));
  Deliver(watch->first);
}

void ModelClient::EventArrivesTwice() {
  if (watches_.empty()) return;
  const int id = watches_.begin()->first;
  const etcd::Revision next = watches_.begin()->second.next;
  if (!Deliver(id)) return;
  const auto again = watches_.find(id);
  if (again == watches_.end()) return;
  again->second.next = next;
  Deliver(id);
}

void ModelClient::StreamBreaks() {
  broken_ = true;
  for (auto& [id, watch] : watches_) {
    if (std::exchange(watch.interrupted, true)) continue;
    watch.observer->OnInterrupted(absl::UnavailableError("broken"));
  }
}

void ModelClient::StreamResumes(bool other_cluster) {
  if (!std::exchange(broken_, false)) return;
  const auto watches = watches_;
  for (const auto& [id, watch] : watches) {
    if (!watches_.contains(id)) continue;
    if (!other_cluster && etcd_.CanWatchFrom(watch.next)) {
      watches_.at(id).interrupted = false;
      watch.observer->OnResumed();
    } else {
      watches_.erase(id);
      watch.observer->OnCompacted(0);
    }
  }
}

void ModelClient::LeaseIsGranted() {
  if (lease_observer_ == nullptr || lease_ != 0) return;
  lease_ = etcd_.Grant();
  lease_observer_->OnGranted(lease_);
}

void ModelClient::GrantFails() {
  if (lease_observer_ == nullptr || lease_ != 0) return;
  lease_observer_->OnGrantFailed(absl::UnavailableError("no leader"));
}

void ModelClient::LeaseIsLost() {
  if (lease_observer_ == nullptr || lease_ == 0) return;
  lease_ = 0;
  lease_observer_->OnLost(absl::UnavailableError("could not be kept alive"));
}

void ModelClient::LossIsHeardOf() {
  if (lease_ != 0 && !etcd_.Lives(lease_)) LeaseIsLost();
}

void ModelClient::ConnectionBreaks() {
  StreamBreaks();
  late_.reset();
  if (request_.has_value()) Answer(absl::UnavailableError("connection reset"));
}

bool ModelClient::Settle() {
  bool any = request_.has_value() || broken_;
  LateRequestArrives();
  RequestArrives();
  AnswerArrives();
  StreamResumes(false);
  if (lease_observer_ != nullptr && (lease_ == 0 || !etcd_.Lives(lease_))) {
    any = true;
    LossIsHeardOf();
    LeaseIsGranted();
  }
  for (const auto& [id, watch] : std::map(watches_)) any |= Deliver(id);
  if (on_released_) {
    any = true;
    std::exchange(on_released_, nullptr)();
  }
  return any;
}

}  // namespace turnout::registry
