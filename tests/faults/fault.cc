#include "tests/faults/fault.h"

#include <algorithm>

namespace turnout::faults {

std::vector<const Fault*> AllFaults() {
  std::vector<const Fault*> all;
  for (const auto faults : {EtcdFaults(), ClusterFaults(), ServerFaults(), OtherFaults()}) {
    for (const Fault& fault : faults) all.push_back(&fault);
  }
  return all;
}

const Fault* FindFault(std::string_view name) {
  const auto all = AllFaults();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [name](const Fault* fault) { return fault->name == name; });
  return found == all.end() ? nullptr : *found;
}

StageKind StageFor(const Fault& fault) {
  switch (fault.needs) {
    case Needs::kAnything:
    case Needs::kOneMember:
      return StageKind::kOneMember;
    case Needs::kRelays:
      return StageKind::kRelayed;
    case Needs::kThreeMembers:
      return StageKind::kThreeMembers;
  }
  return StageKind::kOneMember;
}

bool CanHappenOn(const Fault& fault, StageKind stage) {
  switch (fault.needs) {
    case Needs::kAnything:
      return true;
    case Needs::kOneMember:
      return stage != StageKind::kThreeMembers;
    case Needs::kRelays:
      return stage == StageKind::kRelayed;
    case Needs::kThreeMembers:
      return stage == StageKind::kThreeMembers;
  }
  return false;
}

}  // namespace turnout::faults
