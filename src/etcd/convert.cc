#include "src/etcd/convert.h"

#include <utility>

namespace turnout::etcd {
namespace {

const std::string kZero(1, '\0');

etcdpb::Compare ToProto(Txn::Condition condition) {
  etcdpb::Compare compare;
  compare.set_result(etcdpb::Compare::EQUAL);
  compare.set_key(std::move(condition.key));
  switch (condition.on) {
    case Txn::Condition::On::kCreateRevision:
      compare.set_target(etcdpb::Compare::CREATE);
      compare.set_create_revision(condition.equals);
      break;
    case Txn::Condition::On::kModRevision:
      compare.set_target(etcdpb::Compare::MOD);
      compare.set_mod_revision(condition.equals);
      break;
    case Txn::Condition::On::kLease:
      compare.set_target(etcdpb::Compare::LEASE);
      compare.set_lease(condition.equals);
      break;
  }
  return compare;
}

etcdpb::RequestOp ToProto(Txn::Operation operation) {
  etcdpb::RequestOp op;
  switch (operation.type) {
    case Txn::Operation::Type::kPut:
      op.mutable_request_put()->set_key(std::move(operation.key));
      op.mutable_request_put()->set_value(std::move(operation.value));
      op.mutable_request_put()->set_lease(operation.lease);
      break;
    case Txn::Operation::Type::kDelete:
      op.mutable_request_delete_range()->set_key(std::move(operation.key));
      break;
    case Txn::Operation::Type::kGet:
      op.mutable_request_range()->set_key(std::move(operation.key));
      break;
  }
  return op;
}

}  // namespace

std::string PrefixEnd(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (prefix.empty()) return kZero;  // to the end of all keys
  ++prefix.back();
  return prefix;
}

std::string PrefixBegin(std::string prefix) {
  if (prefix.empty()) return kZero;
  return prefix;
}

KeyValue FromProto(etcdpb::KeyValue&& kv) {
  return {.key = std::move(*kv.mutable_key()),
          .value = std::move(*kv.mutable_value()),
          .create_revision = kv.create_revision(),
          .mod_revision = kv.mod_revision(),
          .lease = kv.lease()};
}

Event FromProto(etcdpb::Event&& event) {
  return {.type = event.type() == etcdpb::Event::DELETE ? Event::Type::kDelete : Event::Type::kPut,
          .kv = FromProto(std::move(*event.mutable_kv()))};
}

TxnResult FromProto(etcdpb::TxnResponse&& response) {
  TxnResult result{
      .revision = response.header().revision(), .succeeded = response.succeeded(), .read = {}};
  for (etcdpb::ResponseOp& op : *response.mutable_responses()) {
    for (etcdpb::KeyValue& kv : *op.mutable_response_range()->mutable_kvs()) {
      result.read.push_back(FromProto(std::move(kv)));
    }
  }
  return result;
}

etcdpb::TxnRequest ToProto(Txn txn) {
  etcdpb::TxnRequest request;
  for (Txn::Condition& condition : txn.conditions) {
    *request.add_compare() = ToProto(std::move(condition));
  }
  for (Txn::Operation& operation : txn.then) {
    *request.add_success() = ToProto(std::move(operation));
  }
  for (Txn::Operation& operation : txn.otherwise) {
    *request.add_failure() = ToProto(std::move(operation));
  }
  return request;
}

}  // namespace turnout::etcd
