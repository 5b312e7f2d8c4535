// Where faults happen: an etcd, the servers of two services, a client that calls them all the time;
// all of them processes on loopback.
//
// One thread at a time.
#ifndef TURNOUT_TESTS_FAULTS_STAGE_H_
#define TURNOUT_TESTS_FAULTS_STAGE_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/faults/client_process.h"
#include "tests/faults/fleet.h"
#include "tests/support/etcd_cluster.h"
#include "tests/support/relay.h"

namespace turnout::faults {

enum class StageKind {
  kOneMember,  // of etcd
  kRelayed,    // one, which servers and client reach through relays
  kThreeMembers,
};

class Stage {
 public:
  // Returns when all servers are registered and the client knows all of them. Logs and backups go
  // to `folder`.
  Stage(StageKind kind, std::string folder);

  StageKind kind() const { return kind_; }
  const std::string& folder() const { return folder_; }

  testing::EtcdCluster& etcd() { return etcd_; }
  Fleet& fleet() { return fleet_; }
  ClientProcess& client() { return *client_; }

  // Of a stage that has them.
  testing::Relay& servers_relay() { return *servers_relay_; }
  testing::Relay& client_relay() { return *client_relay_; }

  // What is not as it should be. Both empty: nothing.
  struct Difference {
    std::string registrations;  // between the servers that serve and etcd's content
    std::string view;           // between that and what the client knows
  };
  Difference Compare();

  // Lines in the logs of all processes: by file.
  std::map<std::string, int> CountLogLines() const;

 private:
  const StageKind kind_;
  const std::string folder_;
  testing::EtcdCluster etcd_;
  std::unique_ptr<testing::Relay> servers_relay_, client_relay_;
  Fleet fleet_;
  std::unique_ptr<ClientProcess> client_;
};

}  // namespace turnout::faults

#endif  // TURNOUT_TESTS_FAULTS_STAGE_H_
