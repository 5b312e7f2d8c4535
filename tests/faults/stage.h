// Where faults happen: an etcd, the servers of two services, two clients that call them all the
// time; all of them processes on loopback.
//
// One thread at a time.
#ifndef TURNOUT_TESTS_FAULTS_STAGE_H_
#define TURNOUT_TESTS_FAULTS_STAGE_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/faults/client_process.h"
#include "tests/faults/fleet.h"
#include "tests/support/etcd_cluster.h"
#include "tests/support/relay.h"

namespace turnout::faults {

enum class StageKind {
  kOneMember,  // of etcd
  kRelayed,    // one, which servers and clients reach through relays
  kThreeMembers,
};

class Stage {
 public:
  // Returns when all servers are registered and the clients know all of them. Logs and backups go
  // to `folder`.
  Stage(StageKind kind, std::string folder);

  StageKind kind() const { return kind_; }
  const std::string& folder() const { return folder_; }

  testing::EtcdCluster& etcd() { return etcd_; }
  Fleet& fleet() { return fleet_; }

  // The first makes most of the calls. The other may be away for a while: Stop keeps what it has
  // told, Start does not wait for anything.
  ClientProcess& client() { return *clients_[0]; }
  ClientProcess& other_client() { return *clients_[1]; }
  void StopOtherClient();
  void StartOtherClient() { StartClient(1); }

  // Of all clients, since this was asked last.
  std::vector<Call> TakeCalls();
  bool AClientHasEnded() const;
  // Does every client know of it?
  bool IsKnown(const std::string& service, const std::string& id) const;

  // Of a stage that has them.
  testing::Relay& servers_relay() { return *servers_relay_; }
  testing::Relay& clients_relay() { return *clients_relay_; }

  // From now on a record counts only under another lease than it has now: one that its registrar
  // has asked for since.
  void DisregardLeases();

  // What is not as it should be. Both empty: nothing.
  struct Difference {
    std::string registrations;  // between the servers that serve and etcd's content
    std::string views;          // between that and what the clients know
  };
  Difference Compare();

  // Lines in the logs of all processes: by file.
  std::map<std::string, int> CountLogLines() const;

 private:
  void StartClient(std::size_t index);
  void AwaitAllWell();

  const StageKind kind_;
  const std::string folder_;
  testing::EtcdCluster etcd_;
  std::unique_ptr<testing::Relay> servers_relay_, clients_relay_;
  Fleet fleet_;
  std::array<std::unique_ptr<ClientProcess>, 2> clients_;  // null: does not run
  std::vector<Call> calls_;                                // of those that have ended
  std::set<std::int64_t> disregarded_leases_;
};

}  // namespace turnout::faults

#endif  // TURNOUT_TESTS_FAULTS_STAGE_H_
