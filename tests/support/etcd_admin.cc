#include "tests/support/etcd_admin.h"

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "proto/etcd.pb.h"

namespace turnout::testing {
namespace {

namespace pb = turnout::etcdpb;

constexpr std::size_t kMostOperations = 128;

EtcdAdmin::Entry ToEntry(const pb::KeyValue& kv) {
  return {kv.key(), kv.value(), kv.create_revision(), kv.mod_revision(), kv.lease()};
}

}  // namespace

EtcdAdmin::EtcdAdmin(const std::string& endpoint) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  channel_ = grpc::CreateCustomChannel(endpoint, grpc::InsecureChannelCredentials(), arguments);
}

void EtcdAdmin::Do(const char* method, const google::protobuf::MessageLite& request,
                   google::protobuf::MessageLite& response) {
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  const grpc::Slice sent(request.SerializeAsString());
  grpc::ByteBuffer received;
  grpc::Status status;
  grpc::CompletionQueue queue;
  grpc::GenericStub stub(channel_);
  const auto call = stub.PrepareUnaryCall(&context, method, grpc::ByteBuffer(&sent, 1), &queue);
  call->StartCall();
  call->Finish(&received, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  grpc::Slice bytes;
  if (!status.ok() || !received.DumpToSingleSlice(&bytes).ok() ||
      !response.ParseFromArray(bytes.begin(), static_cast<int>(bytes.size()))) {
    std::fprintf(stderr, "%s: %s\n", method, status.error_message().c_str());
    std::abort();
  }
}

std::int64_t EtcdAdmin::Put(const std::string& key, const std::string& value, std::int64_t lease) {
  pb::PutRequest request;
  request.set_key(key);
  request.set_value(value);
  request.set_lease(lease);
  pb::PutResponse response;
  Do("/etcdserverpb.KV/Put", request, response);
  return response.header().revision();
}

void EtcdAdmin::PutAll(const std::vector<std::pair<std::string, std::string>>& entries) {
  for (std::size_t start = 0; start < entries.size(); start += kMostOperations) {
    pb::TxnRequest request;
    for (std::size_t i = start; i < std::min(start + kMostOperations, entries.size()); ++i) {
      pb::PutRequest* put = request.add_success()->mutable_request_put();
      put->set_key(entries[i].first);
      put->set_value(entries[i].second);
    }
    pb::TxnResponse response;
    Do("/etcdserverpb.KV/Txn", request, response);
  }
}

void EtcdAdmin::Delete(const std::string& key) {
  pb::DeleteRangeRequest request;
  request.set_key(key);
  pb::DeleteRangeResponse response;
  Do("/etcdserverpb.KV/DeleteRange", request, response);
}

void EtcdAdmin::Retire(const std::string& record_key) {
  const auto entry = Get(record_key);
  if (!entry.has_value()) return;
  auto record = nlohmann::json::parse(entry->value);
  record["metadata"]["turnout.state"] = "draining";
  Put(record_key, record.dump(), entry->lease);
  Delete(record_key);
}

std::optional<EtcdAdmin::Entry> EtcdAdmin::Get(const std::string& key) {
  pb::RangeRequest request;
  request.set_key(key);
  pb::RangeResponse response;
  Do("/etcdserverpb.KV/Range", request, response);
  if (response.kvs().empty()) return std::nullopt;
  return ToEntry(response.kvs(0));
}

std::vector<EtcdAdmin::Entry> EtcdAdmin::List(const std::string& prefix) {
  pb::RangeRequest request;
  request.set_key(prefix);
  std::string end = prefix;
  ++end.back();
  request.set_range_end(end);
  pb::RangeResponse response;
  Do("/etcdserverpb.KV/Range", request, response);
  std::vector<Entry> entries;
  for (const pb::KeyValue& kv : response.kvs()) entries.push_back(ToEntry(kv));
  return entries;
}

std::int64_t EtcdAdmin::Grant(std::chrono::seconds ttl) {
  pb::LeaseGrantRequest request;
  request.set_ttl(ttl.count());
  pb::LeaseGrantResponse response;
  Do("/etcdserverpb.Lease/LeaseGrant", request, response);
  return response.id();
}

void EtcdAdmin::Revoke(std::int64_t lease) {
  pb::LeaseRevokeRequest request;
  request.set_id(lease);
  pb::LeaseRevokeResponse response;
  Do("/etcdserverpb.Lease/LeaseRevoke", request, response);
}

}  // namespace turnout::testing
