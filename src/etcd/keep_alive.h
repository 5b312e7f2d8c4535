// The keep-alive stream of a client: tells etcd that leases are still wanted.
#ifndef TURNOUT_SRC_ETCD_KEEP_ALIVE_H_
#define TURNOUT_SRC_ETCD_KEEP_ALIVE_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>

#include "absl/status/status.h"
#include "proto/etcd.pb.h"
#include "src/base/backoff.h"
#include "src/etcd/event_loop.h"
#include "src/etcd/rpc.h"
#include "src/etcd/stream.h"

namespace turnout::etcd {

using KeepAliveStream = Stream<etcdpb::LeaseKeepAliveRequest, etcdpb::LeaseKeepAliveResponse>;

// Used on the event loop's thread. One stream for all leases, open while there are any; when it
// breaks, or its member does not answer, it moves to the next member and asks for all leases again.
class KeepAlives final : private KeepAliveStream::Handler {
 public:
  using Clock = std::chrono::steady_clock;

  class Observer {
   public:
    virtual ~Observer() = default;
    // The lease lives for `ttl` from `asked_at` on, when the request was sent; 0: it is gone.
    virtual void OnAnswer(Clock::time_point asked_at, std::chrono::seconds ttl) = 0;
  };

  explicit KeepAlives(Caller& caller) : caller_(caller) {}

  void Add(std::int64_t id, Observer* observer);
  void Remove(std::int64_t id);

  // Asks etcd to keep the lease. When the request before is still unanswered, its member is left.
  void Ask(std::int64_t id);

 private:
  struct Lease {
    Observer* observer;
    bool unanswered = false;
    Clock::time_point asked_at{};
  };

  void Open();
  void Break(const absl::Status& why);
  void Send(std::int64_t id, Lease& lease);
  void OnMessage(etcdpb::LeaseKeepAliveResponse response) override;
  void OnClosed(const absl::Status& why) override { Break(why); }

  Caller& caller_;
  std::map<std::int64_t, Lease> leases_;
  std::unique_ptr<KeepAliveStream> stream_;
  std::unique_ptr<EventLoop::Timer> reopen_;  // while there is no stream but leases
  base::Backoff backoff_{std::chrono::milliseconds(100), std::chrono::milliseconds(1000)};
};

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_KEEP_ALIVE_H_
