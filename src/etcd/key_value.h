// The single requests of a client.
#ifndef TURNOUT_SRC_ETCD_KEY_VALUE_H_
#define TURNOUT_SRC_ETCD_KEY_VALUE_H_

#include <chrono>
#include <cstddef>
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

  void RangePrefix(std::string prefix, Callback<RangeResult> done, std::size_t most = 0);
  void Get(std::string key, Callback<RangeResult> done, Revision at = 0);
  void Put(std::string key, std::string value, std::int64_t lease, Callback<Revision> done);
  void Delete(std::string key, Callback<DeleteResult> done);
  void Commit(Txn txn, Callback<TxnResult> done);
  void GrantLease(std::chrono::seconds ttl, Callback<std::int64_t> done);
  void RevokeLease(std::int64_t lease, Callback<Revision> done);
  void LookUpLease(std::int64_t lease, Callback<LeaseLife> done);

 private:
  Caller& caller_;
};

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_KEY_VALUE_H_
