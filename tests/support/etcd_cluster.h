// A real etcd of one or three members, and what can befall it.
//
// Members reach each other through relays of ours, so that one can be parted from its peers, or
// lag behind them, without touching the network. One thread at a time. As with EtcdServer, whatever
// goes wrong that is not meant to ends the program with what etcd said.
#ifndef TURNOUT_TESTS_SUPPORT_ETCD_CLUSTER_H_
#define TURNOUT_TESTS_SUPPORT_ETCD_CLUSTER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/etcd_admin.h"
#include "tests/support/etcd_server.h"
#include "tests/support/relay.h"

namespace grpc {
class Channel;
}

namespace turnout::testing {

class EtcdCluster {
 public:
  // Starts the members and waits until each answers.
  explicit EtcdCluster(int members);
  ~EtcdCluster();
  EtcdCluster(const EtcdCluster&) = delete;
  EtcdCluster& operator=(const EtcdCluster&) = delete;

  int size() const { return static_cast<int>(members_.size()); }
  std::vector<std::string> endpoints() const;

  // The members are counted from 0; each can be stopped, killed, frozen and started.
  EtcdServer& member(int index) { return *members_[static_cast<std::size_t>(index)]; }

  // The member that leads. Waits for an election; asks only those that run, none of which may be
  // frozen.
  int Leader();

  void MoveLeader(int to);  // unless it leads already

  // The member that a process has a connection to; nothing if it has none.
  std::optional<int> MemberUsedBy(pid_t process) const;

  // Parts a member from its peers; clients still reach it. kSilent: as if packets were lost.
  void Part(int index, Relay::Mode mode);
  // All that goes between the member and its peers takes so long.
  void Delay(int index, std::chrono::milliseconds delay);
  void Heal();  // neither any more

  struct Content {
    std::int64_t revision = 0;
    std::vector<EtcdAdmin::Entry> entries;
  };
  // What the first member that answers within a second says, linearizably; nothing if none does.
  // Begins with the one that answered last.
  std::optional<Content> TryList(const std::string& prefix);

  void Compact(std::int64_t revision);
  void Defragment();

  // Of the only member. Restore is for while it does not run: its data is replaced by the file's.
  // The cluster keeps its id.
  void SaveBackup(const std::string& file);
  void RestoreBackup(const std::string& file);

 private:
  std::string PeerUrl(std::size_t index) const;
  EtcdServerOptions MemberOptions(std::size_t index) const;
  int WhoConnectsFrom(std::uint16_t port);
  std::optional<Content> TryListOf(std::size_t index, const std::string& prefix);
  struct Status {
    std::uint64_t id = 0;
    std::uint64_t leader = 0;
  };
  std::optional<Status> TryStatus(std::size_t index) const;

  std::vector<std::unique_ptr<ReservedPort>> peer_ports_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  std::mutex members_mutex_;  // of the vector, while it grows
  std::vector<std::unique_ptr<EtcdServer>> members_;
  std::size_t answers_ = 0;                     // the member that answered last
  std::vector<std::unique_ptr<Relay>> relays_;  // by the member that they lead to; gone first
};

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_ETCD_CLUSTER_H_
