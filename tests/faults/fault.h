// The faults there are. Adding one: a function that does it, and an entry in the table of its file.
#ifndef TURNOUT_TESTS_FAULTS_FAULT_H_
#define TURNOUT_TESTS_FAULTS_FAULT_H_

#include <span>
#include <string_view>
#include <vector>

#include "tests/faults/scene.h"

namespace turnout::faults {

// Where a fault can happen.
enum class Needs {
  kAnything,
  kOneMember,     // of etcd, be it relayed or not
  kRelays,        // between etcd and the others
  kThreeMembers,  // of etcd
};

struct Fault {
  std::string_view name;
  std::string_view what;      // is done
  std::string_view expected;  // of calls, and what else is particular
  Needs needs;
  // Ends with the stage as it was: the same roles at the same places, everything running.
  void (*happen)(Scene&);
};

std::span<const Fault> EtcdFaults();
std::span<const Fault> ClusterFaults();
std::span<const Fault> ServerFaults();
std::span<const Fault> OtherFaults();

std::vector<const Fault*> AllFaults();
const Fault* FindFault(std::string_view name);  // null: there is none

// The stage for a fault that happens alone; whether it can happen on another.
StageKind StageFor(const Fault& fault);
bool CanHappenOn(const Fault& fault, StageKind stage);

}  // namespace turnout::faults

#endif  // TURNOUT_TESTS_FAULTS_FAULT_H_
