// The watch stream of a client: all its watches share it.
#ifndef TURNOUT_SRC_ETCD_WATCH_H_
#define TURNOUT_SRC_ETCD_WATCH_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "proto/etcd.pb.h"
#include "src/base/backoff.h"
#include "src/etcd/client.h"
#include "src/etcd/event_loop.h"
#include "src/etcd/key_value.h"
#include "src/etcd/rpc.h"
#include "src/etcd/stream.h"
#include "src/etcd/watch_set.h"

namespace turnout::etcd {

// Open while there are watches, and a little longer. When the stream breaks or its member falls
// silent, it is opened again at the next member, with backoff, for as long as it takes. Used on the
// event loop's thread.
class Watches final : private WatchSet::Host,
                      private Stream<etcdpb::WatchRequest, etcdpb::WatchResponse>::Handler {
 public:
  Watches(Caller& caller, KeyValueRequests& requests) : caller_(caller), requests_(requests) {}

  std::unique_ptr<Client::WatchHandle> Add(std::string prefix, Revision start_revision,
                                           Client::WatchObserver* observer);

 private:
  using WatchStream = Stream<etcdpb::WatchRequest, etcdpb::WatchResponse>;
  class HandleImpl;

  void Open();
  void Break(const absl::Status& why);
  void OpenWithNewToken();
  void ListenForSilence();
  void OnSilence();
  void Close();

  // WatchSet::Host
  void Send(etcdpb::WatchRequest request) override;
  void RetryLater() override;
  void AskWhyRefused(WatchSet::Id id, const std::string& prefix, const absl::Status& why) override;
  void AskNewestRevision(WatchSet::Id id, const std::string& key) override;

  // WatchStream::Handler
  void OnMessage(etcdpb::WatchResponse response) override;
  void OnClosed(const absl::Status& why) override { Break(why); }

  Caller& caller_;
  KeyValueRequests& requests_;
  WatchSet set_{*this};
  std::unique_ptr<WatchStream> stream_;
  std::unique_ptr<EventLoop::Timer> reopen_;  // while there is no stream but watches
  base::Backoff reopen_backoff_{std::chrono::milliseconds(50), std::chrono::milliseconds(2000)};
  std::unique_ptr<EventLoop::Timer> create_missing_;  // while there are refused watches
  base::Backoff create_backoff_{std::chrono::milliseconds(100), std::chrono::milliseconds(5000)};
  std::unique_ptr<EventLoop::Timer> silence_;
  int silent_for_ = 0;  // times that silence_ has fired since the last response
};

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_WATCH_H_
