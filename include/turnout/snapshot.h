// All instances of one service at one moment: what discovery hands to whoever balances.
//
// Immutable once published and shared as `std::shared_ptr<const Snapshot>`: any thread may read it.
#ifndef TURNOUT_SNAPSHOT_H_
#define TURNOUT_SNAPSHOT_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "turnout/instance.h"
#include "turnout/stats.h"

namespace turnout {

namespace route {
class RuleSet;
}  // namespace route

// How far an instance may be relied on. Lower ones are used only when no higher one is READY.
enum class InstanceStatus {
  kRegistered,  // its record is in etcd
  kDraining,    // it, or an operator, has announced its end
  kLapsed,      // its record vanished unannounced, its connection lives
};

std::string_view ToString(InstanceStatus status);  // "registered", "draining", "lapsed"

struct Member {
  std::shared_ptr<const Instance> instance;
  InstanceStatus status = InstanceStatus::kRegistered;
  std::chrono::steady_clock::time_point status_since{};
  std::shared_ptr<InstanceStats> stats;  // shared by all snapshots, never null
};

struct Snapshot {
  std::string service;
  std::int64_t revision = 0;    // etcd's, of the newest change that is contained
  std::vector<Member> members;  // sorted by instance id; one for each address

  // What is registered but not among the members, for those who want to show it.
  struct Rejected {
    std::string key;
    std::string reason;
  };
  std::vector<Rejected> rejected;  // records that could not be used, shadowed ones included

  std::vector<std::string> removed;  // ids that an operator has removed, sorted

  // The traffic rules in force, and etcd's revision of their document; null and 0: there are none.
  std::shared_ptr<const route::RuleSet> rules;
  std::int64_t rules_revision = 0;

  bool from_cache = false;  // what was last known in an earlier process; etcd has not answered yet
};

}  // namespace turnout

#endif  // TURNOUT_SNAPSHOT_H_
