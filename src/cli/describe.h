// Instances and snapshots as people read them and as programs do. Pure.
#ifndef TURNOUT_SRC_CLI_DESCRIBE_H_
#define TURNOUT_SRC_CLI_DESCRIBE_H_

#include <chrono>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "src/cli/text.h"
#include "turnout/operate.h"
#include "turnout/snapshot.h"

namespace turnout::cli {

using Json = nlohmann::ordered_json;

// Cells of a table, harmless for terminals.
std::string VersionText(const Instance& instance);
std::string AddressText(const Instance& instance);  // all of them
std::string WeightText(const Instance& instance);   // empty for the default
std::string ZoneText(const Instance& instance);     // "region/zone"
std::string MethodsOffText(const Instance& instance);
std::string StatusText(const Member& member, const Paint& paint);

// "v1 ×2, v2 ×1": the versions of `members` in order.
std::string VersionCounts(const std::vector<Member>& members);

// One row for each member, then the records that are not used, with the reasons.
std::string InstanceTable(const Snapshot& snapshot, const Paint& paint,
                          std::string_view indent = "");
// One row for each service. `decisions` are of any services.
std::string ServiceTable(const std::vector<Snapshot>& services,
                         const std::vector<OperatorDecision>& decisions, const Paint& paint);
// One row for each; empty if there is none.
std::string DecisionTable(const std::vector<OperatorDecision>& decisions, const Paint& paint);

// "3d 4h", "23h 59m", "59m 3s", "59s".
std::string TimeText(std::chrono::seconds time);

Json ToJson(const OperatorDecision& decision);
Json ToJson(const Member& member);
Json ToJson(const Snapshot& snapshot);

// One line, whatever bytes the strings hold.
std::string Dump(const Json& json);

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_DESCRIBE_H_
