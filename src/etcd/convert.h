// etcd's messages and our vocabulary, from one to the other. Pure.
#ifndef TURNOUT_SRC_ETCD_CONVERT_H_
#define TURNOUT_SRC_ETCD_CONVERT_H_

#include <string>

#include "proto/etcd.pb.h"
#include "src/etcd/types.h"

namespace turnout::etcd {

// The end of the range of all keys that begin with `prefix`: "/a/" → "/a0".
std::string PrefixEnd(std::string prefix);

// etcd has no empty key: that begins a range over everything.
std::string PrefixBegin(std::string prefix);

// These take the strings out of the message.
KeyValue FromProto(etcdpb::KeyValue&& kv);
Event FromProto(etcdpb::Event&& event);
TxnResult FromProto(etcdpb::TxnResponse&& response);

etcdpb::TxnRequest ToProto(Txn txn);

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_CONVERT_H_
