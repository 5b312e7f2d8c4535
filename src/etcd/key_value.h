// The key-value requests of a client.
#ifndef TURNOUT_SRC_ETCD_KEY_VALUE_H_
#define TURNOUT_SRC_ETCD_KEY_VALUE_H_

#include <cstdint>
#include <string>

#include "src/etcd/client.h"
#include "src/etcd/rpc.h"
#include "src/etcd/types.h"

namespace turnout::etcd {

// As Client's members of the same names. Used on the event loop's thread.
class KeyValueRequests {
 public:
  explicit KeyValueRequests(Caller& caller) : caller_(caller) {}

  void RangePrefix(std::string prefix, Callback<RangeResult> done);
  void Get(std::string key, Callback<RangeResult> done);
  void Put(std::string key, std::string value, std::int64_t lease, Callback<Revision> done);
  void Delete(std::string key, Callback<DeleteResult> done);
  void Commit(Txn txn, Callback<TxnResult> done);

 private:
  Caller& caller_;
};

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_KEY_VALUE_H_
