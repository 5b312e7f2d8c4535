// A larger balancing policy of one's own; docs/writing-a-policy.md explains it.
//
//   {"primary_replica": {"writes": ["Create", "Update"], "rest": "0.5s",
//                        "primaries": [{"random": {}}]}}
#ifndef TURNOUT_EXAMPLES_PRIMARY_REPLICA_H_
#define TURNOUT_EXAMPLES_PRIMARY_REPLICA_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "turnout/picker.h"

struct PrimaryReplicaOptions {
  // How the names of methods begin that change something: those calls go to the primaries.
  std::vector<std::string> writes = {"Create", "Update", "Delete"};

  // How long a replica is left alone that failed, was slow or said that it is overloaded.
  std::chrono::milliseconds rest{500};

  // Chooses among the primaries. Never null in a builder that Builds.
  std::shared_ptr<const turnout::PickerBuilder> primaries;
};

std::shared_ptr<const turnout::PickerBuilder> MakePrimaryReplica(
    PrimaryReplicaOptions options = {});

#endif  // TURNOUT_EXAMPLES_PRIMARY_REPLICA_H_
