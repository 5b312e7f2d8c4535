// An etcd v3 client for one cluster: key-value requests, leases, watches.
//
// All members are called on the event loop's thread, and call back there. Every request has a
// deadline and its callback is called exactly once, unless the Client is destroyed first. Requests
// go to one member of the cluster at a time; when it fails (UNAVAILABLE, DEADLINE_EXCEEDED, no
// leader) later requests go to the next. A request is not repeated by itself: its caller knows
// whether that is right. Errors read: what was asked, of which member, what went wrong.
#ifndef TURNOUT_SRC_ETCD_CLIENT_H_
#define TURNOUT_SRC_ETCD_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/etcd/types.h"
#include "turnout/registry.h"

namespace turnout::etcd {

template <typename T>
using Callback = std::function<void(absl::StatusOr<T>)>;

class Client {
 public:
  // The process's client for `options` (equal options share one), whose endpoints are valid
  // and not empty. Thread-safe; the result lives for ever.
  static Client& For(const RegistryOptions& options);

  virtual ~Client() = default;

  // All keys that begin with `prefix`, read at one revision in pages; of more than `most`, the
  // first in their order (0: all).
  virtual void RangePrefix(std::string prefix, Callback<RangeResult> done,
                           std::size_t most = 0) = 0;
  // Exactly `key`, as it is now, or as it was at the revision `at`: OutOfRange if that is compacted
  // or yet to come.
  virtual void Get(std::string key, Callback<RangeResult> done, Revision at = 0) = 0;

  virtual void Put(std::string key, std::string value, std::int64_t lease,
                   Callback<Revision> done) = 0;
  virtual void Delete(std::string key, Callback<DeleteResult> done) = 0;
  virtual void Commit(Txn txn, Callback<TxnResult> done) = 0;

  // A lease that ends after `ttl`: nobody keeps it alive.
  virtual void GrantLease(std::chrono::seconds ttl, Callback<std::int64_t> done) = 0;
  // Both: NotFound if etcd does not have the lease (any more).
  virtual void RevokeLease(std::int64_t lease, Callback<Revision> done) = 0;
  virtual void LookUpLease(std::int64_t lease, Callback<LeaseLife> done) = 0;

  // A lease that is kept alive. Shared by all holders in the process that want the same TTL;
  // granted on first use, granted anew (with backoff, for as long as it takes) when it is lost,
  // revoked when its last holder lets go. All leases of a client share one keep-alive stream.
  class LeaseObserver {
   public:
    virtual ~LeaseObserver() = default;
    virtual void OnGranted(std::int64_t lease) = 0;           // first and after each loss
    virtual void OnLost(const absl::Status& why) = 0;         // expired or revoked: keys are gone
    virtual void OnGrantFailed(const absl::Status& why) = 0;  // will be tried again
  };
  class LeaseHold {  // destroying it ends the observer's calls and lets go of the lease
   public:
    virtual ~LeaseHold() = default;
    // The same, and calls `done` when the lease is revoked or need not be.
    virtual void Release(std::function<void()> done) = 0;
  };
  virtual std::unique_ptr<LeaseHold> HoldLease(std::chrono::seconds ttl,
                                               LeaseObserver* observer) = 0;

  // Changes of the keys that begin with `prefix`, from `start_revision` on, in order, nothing twice
  // and nothing missed: across broken streams, members and restarts of etcd. All watches of a
  // client share one stream.
  class WatchObserver {
   public:
    virtual ~WatchObserver() = default;
    // `revision`: everything up to it has now been delivered. All events of a revision come in one
    // call.
    virtual void OnEvents(std::vector<Event> events, std::int64_t revision) = 0;
    // The changes since then are gone (compacted), or the history is another one (restored): list
    // again. The watch has ended.
    virtual void OnCompacted(std::int64_t compact_revision) = 0;
    // The stream broke, or etcd refused the watch; it is being tried again.
    virtual void OnInterrupted(const absl::Status& why) = 0;
    // The watch runs (again).
    virtual void OnResumed() {}
  };
  class WatchHandle {  // destroying it ends the watch; the observer is not called after that
   public:
    virtual ~WatchHandle() = default;
  };
  virtual std::unique_ptr<WatchHandle> WatchPrefix(std::string prefix, std::int64_t start_revision,
                                                   WatchObserver* observer) = 0;

  // "127.0.0.1:2379, 127.0.0.1:2380", for messages.
  virtual const std::string& endpoints() const = 0;
};

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_CLIENT_H_
