// Client, put together from its parts.
#ifndef TURNOUT_SRC_ETCD_CLIENT_IMPL_H_
#define TURNOUT_SRC_ETCD_CLIENT_IMPL_H_

#include <memory>
#include <string>
#include <utility>

#include "src/base/random.h"
#include "src/etcd/client.h"
#include "src/etcd/cluster.h"
#include "src/etcd/key_value.h"
#include "src/etcd/lease.h"
#include "src/etcd/log_in.h"
#include "src/etcd/rpc.h"
#include "src/etcd/watch.h"

namespace turnout::etcd {

// Never destroyed: requests that are under way refer to it. Connects when it is first used.
class ClientImpl final : public Client {
 public:
  // `random` chooses the member to begin with.
  explicit ClientImpl(const RegistryOptions& options,
                      base::RandomSource& random = base::ThreadRandom())
      : cluster_(options.endpoints, random, options.tls),
        log_in_(options.username.empty() ? nullptr : std::make_unique<LogIn>(cluster_, options)),
        caller_(cluster_, options.request_timeout, log_in_.get(), options.username) {}

  void RangePrefix(std::string prefix, Callback<RangeResult> done, std::size_t most) override {
    requests_.RangePrefix(std::move(prefix), std::move(done), most);
  }
  void Get(std::string key, Callback<RangeResult> done, Revision at) override {
    requests_.Get(std::move(key), std::move(done), at);
  }
  void Put(std::string key, std::string value, std::int64_t lease,
           Callback<Revision> done) override {
    requests_.Put(std::move(key), std::move(value), lease, std::move(done));
  }
  void Delete(std::string key, Callback<DeleteResult> done) override {
    requests_.Delete(std::move(key), std::move(done));
  }
  void Commit(Txn txn, Callback<TxnResult> done) override {
    requests_.Commit(std::move(txn), std::move(done));
  }
  void GrantLease(std::chrono::seconds ttl, Callback<std::int64_t> done) override {
    requests_.GrantLease(ttl, std::move(done));
  }
  void RevokeLease(std::int64_t lease, Callback<Revision> done) override {
    requests_.RevokeLease(lease, std::move(done));
  }
  void LookUpLease(std::int64_t lease, Callback<LeaseLife> done) override {
    requests_.LookUpLease(lease, std::move(done));
  }
  std::unique_ptr<LeaseHold> HoldLease(std::chrono::seconds ttl, LeaseObserver* observer) override {
    return leases_.Hold(ttl, observer);
  }
  std::unique_ptr<WatchHandle> WatchPrefix(std::string prefix, std::int64_t start_revision,
                                           WatchObserver* observer) override {
    return watches_.Add(std::move(prefix), start_revision, observer);
  }
  const std::string& endpoints() const override { return cluster_.endpoints(); }

 private:
  Cluster cluster_;
  const std::unique_ptr<LogIn> log_in_;
  Caller caller_;
  KeyValueRequests requests_{caller_};
  Leases leases_{caller_};
  Watches watches_{caller_, requests_};
};

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_CLIENT_IMPL_H_
