// What a scripted etcd holds: keys, leases, and every change since the beginning. No network, no
// clock: leases end when the test says so.
#ifndef TURNOUT_TESTS_SUPPORT_SCRIPTED_STORE_H_
#define TURNOUT_TESTS_SUPPORT_SCRIPTED_STORE_H_

#include <grpcpp/support/status.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "proto/etcd.pb.h"

namespace turnout::testing {

// As etcd's ranges: `end` empty means exactly `begin`, a zero byte everything from `begin` on.
bool InRange(const std::string& key, const std::string& begin, const std::string& end);

class ScriptedStore {
 public:
  using Revision = std::int64_t;

  std::uint64_t cluster_id = 1;

  Revision revision() const { return revision_; }
  Revision compacted() const { return compacted_; }
  etcdpb::ResponseHeader Header() const;
  std::string Value(const std::string& key) const;  // empty: there is none

  grpc::Status Range(const etcdpb::RangeRequest& request, etcdpb::RangeResponse& response) const;
  // All that changes has one revision.
  grpc::Status Commit(const etcdpb::TxnRequest& request, etcdpb::TxnResponse& response);

  void Grant(const etcdpb::LeaseGrantRequest& request, etcdpb::LeaseGrantResponse& response);
  std::int64_t Ttl(std::int64_t lease) const;  // 0: there is no such lease
  grpc::Status Revoke(std::int64_t lease);
  void RevokeAll();

  grpc::Status Compact(Revision revision);
  // As from a backup: what came after it never happened. Revisions begin again from there.
  void RestoreTo(Revision revision);

  // Every change, in order; those of the revisions from the given one on begin at this index.
  const std::vector<etcdpb::Event>& changes() const { return changes_; }
  std::size_t FirstOf(Revision revision) const;

 private:
  using Keys = std::map<std::string, etcdpb::KeyValue>;

  grpc::Status CheckLeases(const etcdpb::TxnRequest& request) const;
  bool Holds(const etcdpb::Compare& compare) const;
  void Do(const etcdpb::RequestOp& operation, Revision revision, etcdpb::ResponseOp& response);
  void Put(const etcdpb::PutRequest& put, Revision revision);
  bool Delete(const std::string& key, Revision revision);
  Keys KeysAt(Revision revision) const;

  Revision revision_ = 1;  // as of an etcd that holds nothing
  Revision compacted_ = 0;
  Keys keys_;
  std::vector<etcdpb::Event> changes_;
  std::map<std::int64_t, std::int64_t> leases_;  // TTLs
  std::int64_t last_lease_ = 1000;
};

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_SCRIPTED_STORE_H_
