// The watches of a scripted etcd: which changes each of them has yet to be told.
#ifndef TURNOUT_TESTS_SUPPORT_SCRIPTED_WATCHES_H_
#define TURNOUT_TESTS_SUPPORT_SCRIPTED_WATCHES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "proto/etcd.pb.h"
#include "tests/support/byte_server.h"
#include "tests/support/scripted_store.h"

namespace turnout::testing {

// Nothing waits for a slow client but the changes themselves: each stream is given the next
// response when it has sent the one before. Not thread-safe.
class ScriptedWatches {
 public:
  using Call = ByteServer::Call;
  // Serialises a response, in whatever way the script wants it.
  using Encode = std::function<std::string(const etcdpb::WatchResponse&)>;

  ScriptedWatches(const ScriptedStore& store, Encode encode)
      : store_(store), encode_(std::move(encode)) {}

  static constexpr int kMany = std::numeric_limits<int>::max();

  std::map<std::string, std::string> refused;  // by prefix: why
  std::set<std::string> held;                  // prefixes
  std::size_t events_per_part = 0;             // 0: all
  int responses_left = kMany;                  // until all streams are broken

  void OnBegin(Call& stream) { streams_[&stream]; }
  void OnRequest(Call& stream, const etcdpb::WatchRequest& request);
  void OnEnd(Call& stream) { streams_.erase(&stream); }

  // Tells what there is to tell, where the stream is free.
  void Continue();
  void Continue(Call& stream);

  void Cancel(const std::string& prefix, const std::string& reason);
  void SendToAll(const std::string& message);
  void BreakAll();
  std::size_t size() const;

 private:
  struct Watch {
    std::string begin, end;
    std::size_t next = 0;  // among the store's changes
  };
  using Watches = std::map<std::int64_t, Watch>;

  etcdpb::WatchResponse Response(std::int64_t id) const;
  void Send(Call& stream, const etcdpb::WatchResponse& response);
  void Create(Call& stream, const etcdpb::WatchCreateRequest& request);
  Watches::iterator MostBehind(Watches& watches) const;
  void Tell(Call& stream, std::int64_t id, Watch& watch);
  void SendInParts(Call& stream, etcdpb::WatchResponse response);
  bool Holds(const Watch& watch) const;

  const ScriptedStore& store_;
  const Encode encode_;
  std::map<Call*, Watches> streams_;
};

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_SCRIPTED_WATCHES_H_
