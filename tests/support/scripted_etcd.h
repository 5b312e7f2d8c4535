// An etcd that does what a test tells it to: small and correct by itself, and wrong on command, as
// a real one is only by accident. It speaks the wire, on a loopback port:
//
//   ScriptedEtcd etcd;
//   Follower follower(etcd.endpoint(), "shop");
//   etcd.Put("/shop/a", …);
//   follower.WaitForCount(1);
//   etcd.BreakWatches();                       // the connection is lost …
//   etcd.Compact(etcd.Put("/shop/b", …));      // … and with it what we needed to catch up
//   follower.WaitForCount(2);
//
// Thread-safe. A method is named by its last word: "Range", "Watch", "LeaseKeepAlive". What waits
// does so for at most a minute.
#ifndef TURNOUT_TESTS_SUPPORT_SCRIPTED_ETCD_H_
#define TURNOUT_TESTS_SUPPORT_SCRIPTED_ETCD_H_

#include <grpcpp/support/status.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "proto/etcd.pb.h"

namespace turnout::testing {

class ScriptedEtcd {
 public:
  ScriptedEtcd();
  ~ScriptedEtcd();
  ScriptedEtcd(const ScriptedEtcd&) = delete;
  ScriptedEtcd& operator=(const ScriptedEtcd&) = delete;

  const std::string& endpoint() const;  // `127.0.0.1:40001`, the same for as long as this lives

  // What it holds, changed as by another client. Each returns its revision.
  std::int64_t Put(const std::string& key, const std::string& value);
  std::int64_t PutAll(const std::map<std::string, std::string>& values);  // all in one
  std::int64_t Delete(const std::string& key);
  std::string Value(const std::string& key) const;         // empty: there is none
  std::string WaitForValue(const std::string& key) const;  // empty: none came
  std::int64_t revision() const;

  // History.
  void Compact(std::int64_t revision);    // what was before it is forgotten
  void RestoreTo(std::int64_t revision);  // as from a backup; connections are cut
  void BecomeCluster(std::uint64_t id);
  void EndLeases();  // with their keys; keep-alives answer TTL 0

  // Watches whose range begins with `prefix`.
  void CancelWatches(const std::string& prefix, const std::string& reason);
  void RefuseWatches(const std::string& prefix, const std::string& reason);  // new ones; empty: no
  void HoldWatches(const std::string& prefix);  // tells them nothing, until
  void ReleaseWatches();
  bool WaitForWatches(std::size_t count) const;  // until there are so many, on all streams
  // Events come in parts of so many (0: whole).
  void FragmentEvents(std::size_t events);

  // Trouble with the connection.
  void BreakWatches(int after_responses = 0);  // the streams, after so many more
  void Stop();                                 // nobody listens any more
  void Start();
  void SetSilent(bool silent);  // accepts everything and answers nothing; catches up after that

  // Without one, streams that have asked for it (`hasleader`) end, as at a member that is parted
  // from the others.
  void SetLeader(bool there);

  // Requests and new streams of `method` end so, until it is OK.
  void Fail(const std::string& method, const grpc::Status& status);

  // What etcd would never say. Each answer of `method` goes through `change`, which must not use
  // this etcd; null for no more.
  using Bytes = std::string;
  void Alter(const std::string& method, std::function<void(Bytes&)> change);
  template <typename Response>
  void AlterAs(const std::string& method, const std::function<void(Response&)>& change);
  void SendToWatches(const Bytes& message);  // on every stream, as it is
  void SendToWatches(const etcdpb::WatchResponse& message);

  // Wants a token for everything, which a user's password buys; forgetting them is their expiry.
  void RequireLogIn(const std::string& user, const std::string& password);
  void ForgetTokens();

  // How often `method` was asked: each request, stream, and message on a stream.
  int requests(const std::string& method) const;
  bool WaitForRequests(const std::string& method, int count) const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

template <typename Response>
void ScriptedEtcd::AlterAs(const std::string& method,
                           const std::function<void(Response&)>& change) {
  Alter(method, [change](Bytes& bytes) {
    Response response;
    response.ParseFromString(bytes);
    change(response);
    bytes = response.SerializeAsString();
  });
}

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_SCRIPTED_ETCD_H_
