// What a user of etcd must be permitted for a request, in etcdctl's words.
#ifndef TURNOUT_SRC_ETCD_GRANTS_H_
#define TURNOUT_SRC_ETCD_GRANTS_H_

#include <string>
#include <vector>

#include "proto/etcd.pb.h"

namespace turnout::etcd {

struct Grant {
  bool write = false;  // and read
  std::string prefix;  // of the keys; those of single keys end at their last slash

  friend bool operator==(const Grant&, const Grant&) = default;
};

// Each once.
std::vector<Grant> GrantsFor(const etcdpb::RangeRequest& request);
std::vector<Grant> GrantsFor(const etcdpb::PutRequest& request);
std::vector<Grant> GrantsFor(const etcdpb::DeleteRangeRequest& request);
std::vector<Grant> GrantsFor(const etcdpb::TxnRequest& request);
// Others touch no keys.
inline std::vector<Grant> GrantsFor(const google::protobuf::MessageLite& /*request*/) { return {}; }

// `etcdctl role grant-permission ROLE read --prefix /a/b/` of each, joined by "and".
std::string ToText(const std::vector<Grant>& grants);

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_GRANTS_H_
