// The watches of a client and what becomes of them, without network and clock: etcd's responses and
// the stream's fate come in, requests and the observers' calls go out.
#ifndef TURNOUT_SRC_ETCD_WATCH_SET_H_
#define TURNOUT_SRC_ETCD_WATCH_SET_H_

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/etcd.pb.h"
#include "src/etcd/client.h"
#include "src/etcd/fragments.h"
#include "src/etcd/types.h"

namespace turnout::etcd {

// Observers may add and remove watches. What etcd cannot mean (a revision again, or from the
// future) ends a watch as compacted, so that all is listed anew. Not thread-safe.
class WatchSet {
 public:
  using Id = std::int64_t;  // from 1 on, also etcd's name for the watch

  class Host {
   public:
    virtual ~Host() = default;
    virtual void Send(etcdpb::WatchRequest request) = 0;
    // CreateMissing is to be called after a while.
    virtual void RetryLater() = 0;
    // A refused watch was not permitted, or the like: OnRefused is to be called, at once or later,
    // with what etcd has said (`why`) or more; or OnStreamReplaced and OnStreamOpened.
    virtual void AskWhyRefused(Id id, const std::string& prefix, const absl::Status& why) = 0;
    // OnNewestRevision is to be called with the revision that the cluster, not only the member of
    // the stream, is at; `key` may be read for it.
    virtual void AskNewestRevision(Id id, const std::string& key) = 0;
  };

  explicit WatchSet(Host& host) : host_(host) {}

  Id Add(std::string prefix, Revision start_revision, Client::WatchObserver* observer);
  void Remove(Id id);
  bool empty() const { return watches_.empty(); }

  void OnStreamOpened();
  void OnStreamBroken(const absl::Status& why);
  // By another, which is about to open: nobody is told of an interruption.
  void OnStreamReplaced();
  void OnResponse(etcdpb::WatchResponse response);
  void OnNewestRevision(Id id, const absl::StatusOr<Revision>& newest);
  void OnRefused(Id id, const absl::Status& why);
  // Asks for the watches that the stream lacks.
  void CreateMissing();

 private:
  struct Watch {
    std::string prefix;
    Revision next_revision = 0;  // everything before it has been delivered
    Revision asked_from = 0;     // next_revision when the watch was last created
    Client::WatchObserver* observer = nullptr;
    std::uint64_t cluster_id = 0;  // of the history that has been delivered; 0: not known yet
    bool on_stream = false;        // asked for, and not refused
    bool confirmed = false;        // etcd has said so: what it sent before belongs to an older one
    bool refused = false;          // and it is not known why yet
    bool interrupted = false;      // and its observer knows
    Fragments fragments;
  };

  void Create(Id id, Watch& watch);
  void Cancel(Id id);
  void OnCreated(Id id, const etcdpb::ResponseHeader& header);
  void OnCanceled(Id id, const etcdpb::WatchResponse& response);
  void OnEvents(Id id, etcdpb::WatchResponse& response);
  void Interrupt(Watch& watch, const absl::Status& why);
  void Distrust(Id id, Revision revision, const char* why);
  void EndAsCompacted(Id id, Revision compact_revision);
  Id TakePending(Id id, bool refused);
  Watch* Find(Id id);

  Host& host_;
  bool stream_open_ = false;
  Id last_id_ = 0;
  std::map<Id, Watch> watches_;
  std::deque<Id> pending_;  // creations that await their answer, which come in order
};

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_WATCH_SET_H_
