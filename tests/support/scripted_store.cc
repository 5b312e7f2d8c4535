#include "tests/support/scripted_store.h"

#include <algorithm>
#include <utility>

namespace turnout::testing {
namespace {

using grpc::Status;
using grpc::StatusCode;

// etcd's own words.
const Status& Compacted() {
  static const Status& status = *new Status(
      StatusCode::OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted");
  return status;
}
const Status& Future() {
  static const Status& status = *new Status(
      StatusCode::OUT_OF_RANGE, "etcdserver: mvcc: required revision is a future revision");
  return status;
}
const Status& NoLease() {
  static const Status& status =
      *new Status(StatusCode::NOT_FOUND, "etcdserver: requested lease not found");
  return status;
}

}  // namespace

bool InRange(const std::string& key, const std::string& begin, const std::string& end) {
  if (end.empty()) return key == begin;
  return key >= begin && (end == std::string(1, '\0') || key < end);
}

etcdpb::ResponseHeader ScriptedStore::Header() const {
  etcdpb::ResponseHeader header;
  header.set_cluster_id(cluster_id);
  header.set_member_id(1);
  header.set_revision(revision_);
  header.set_raft_term(1);
  return header;
}

std::string ScriptedStore::Value(const std::string& key) const {
  const auto found = keys_.find(key);
  return found == keys_.end() ? "" : found->second.value();
}

ScriptedStore::Keys ScriptedStore::KeysAt(Revision revision) const {
  Keys keys;
  for (const etcdpb::Event& event : changes_) {
    if (event.kv().mod_revision() > revision) break;
    if (event.type() == etcdpb::Event::PUT) {
      keys[event.kv().key()] = event.kv();
    } else {
      keys.erase(event.kv().key());
    }
  }
  return keys;
}

Status ScriptedStore::Range(const etcdpb::RangeRequest& request,
                            etcdpb::RangeResponse& response) const {
  *response.mutable_header() = Header();
  if (request.revision() > revision_) return Future();
  if (request.revision() > 0 && request.revision() < compacted_) return Compacted();
  const Keys past = request.revision() > 0 ? KeysAt(request.revision()) : Keys();
  const Keys& keys = request.revision() > 0 ? past : keys_;
  for (auto kv = keys.lower_bound(request.key()); kv != keys.end(); ++kv) {
    if (!InRange(kv->first, request.key(), request.range_end())) break;
    response.set_count(response.count() + 1);
    if (request.limit() == 0 || response.kvs_size() < request.limit()) {
      *response.add_kvs() = kv->second;
    }
  }
  response.set_more(response.count() > response.kvs_size());
  return Status::OK;
}

bool ScriptedStore::Holds(const etcdpb::Compare& compare) const {
  static const etcdpb::KeyValue& nothing = *new etcdpb::KeyValue;
  const auto found = keys_.find(compare.key());
  const etcdpb::KeyValue& kv = found == keys_.end() ? nothing : found->second;
  switch (compare.target()) {
    case etcdpb::Compare::CREATE:
      return kv.create_revision() == compare.create_revision();
    case etcdpb::Compare::MOD:
      return kv.mod_revision() == compare.mod_revision();
    case etcdpb::Compare::LEASE:
      return kv.lease() == compare.lease();
    default:
      return false;
  }
}

Status ScriptedStore::CheckLeases(const etcdpb::TxnRequest& request) const {
  for (const auto* operations : {&request.success(), &request.failure()}) {
    for (const etcdpb::RequestOp& operation : *operations) {
      const std::int64_t lease = operation.request_put().lease();
      if (lease != 0 && !leases_.contains(lease)) return NoLease();
    }
  }
  return Status::OK;
}

Status ScriptedStore::Commit(const etcdpb::TxnRequest& request, etcdpb::TxnResponse& response) {
  if (Status status = CheckLeases(request); !status.ok()) return status;
  response.set_succeeded(
      std::all_of(request.compare().begin(), request.compare().end(),
                  [this](const etcdpb::Compare& compare) { return Holds(compare); }));
  const std::size_t before = changes_.size();
  const Revision next = revision_ + 1;
  for (const auto& operation : response.succeeded() ? request.success() : request.failure()) {
    Do(operation, next, *response.add_responses());
  }
  if (changes_.size() > before) revision_ = next;
  *response.mutable_header() = Header();
  return Status::OK;
}

void ScriptedStore::Do(const etcdpb::RequestOp& operation, Revision revision,
                       etcdpb::ResponseOp& response) {
  if (operation.has_request_put()) {
    Put(operation.request_put(), revision);
    response.mutable_response_put();
  } else if (operation.has_request_delete_range()) {
    const bool deleted = Delete(operation.request_delete_range().key(), revision);
    response.mutable_response_delete_range()->set_deleted(deleted ? 1 : 0);
  } else {
    Range(operation.request_range(), *response.mutable_response_range());
  }
}

void ScriptedStore::Put(const etcdpb::PutRequest& put, Revision revision) {
  etcdpb::KeyValue& kv = keys_[put.key()];
  if (kv.create_revision() == 0) kv.set_create_revision(revision);
  kv.set_key(put.key());
  kv.set_value(put.value());
  kv.set_lease(put.lease());
  kv.set_mod_revision(revision);
  kv.set_version(kv.version() + 1);
  *changes_.emplace_back().mutable_kv() = kv;
}

bool ScriptedStore::Delete(const std::string& key, Revision revision) {
  if (keys_.erase(key) == 0) return false;
  etcdpb::Event& event = changes_.emplace_back();
  event.set_type(etcdpb::Event::DELETE);
  event.mutable_kv()->set_key(key);
  event.mutable_kv()->set_mod_revision(revision);
  return true;
}

void ScriptedStore::Grant(const etcdpb::LeaseGrantRequest& request,
                          etcdpb::LeaseGrantResponse& response) {
  leases_[++last_lease_] = request.ttl();
  *response.mutable_header() = Header();
  response.set_id(last_lease_);
  response.set_ttl(request.ttl());
}

std::int64_t ScriptedStore::Ttl(std::int64_t lease) const {
  const auto found = leases_.find(lease);
  return found == leases_.end() ? 0 : found->second;
}

Status ScriptedStore::Revoke(std::int64_t lease) {
  if (leases_.erase(lease) == 0) return NoLease();
  etcdpb::TxnRequest request;
  for (const auto& [key, kv] : keys_) {
    if (kv.lease() != lease) continue;
    request.add_success()->mutable_request_delete_range()->set_key(key);
  }
  etcdpb::TxnResponse response;
  return Commit(request, response);
}

void ScriptedStore::RevokeAll() {
  while (!leases_.empty()) Revoke(leases_.begin()->first);
}

Status ScriptedStore::Compact(Revision revision) {
  if (revision > revision_) return Future();
  if (revision <= compacted_) return Compacted();
  compacted_ = revision;
  return Status::OK;
}

void ScriptedStore::RestoreTo(Revision revision) {
  keys_ = KeysAt(revision);
  changes_.resize(FirstOf(revision + 1));
  revision_ = revision;
  compacted_ = std::min(compacted_, revision);
}

std::size_t ScriptedStore::FirstOf(Revision revision) const {
  const auto first = std::lower_bound(changes_.begin(), changes_.end(), revision,
                                      [](const etcdpb::Event& event, Revision wanted) {
                                        return event.kv().mod_revision() < wanted;
                                      });
  return static_cast<std::size_t>(first - changes_.begin());
}

}  // namespace turnout::testing
