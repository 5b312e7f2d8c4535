// What the traffic rules of a service have been, as etcd holds it. Pure.
//
//   /turnout/rules-history/hwholiday.srv.app/0000000012
//     {"comment":"half of the calls","document":"{…}","time":"2026-11-26T10:00:00.123456Z"}
#ifndef TURNOUT_SRC_REGISTRY_RULES_HISTORY_H_
#define TURNOUT_SRC_REGISTRY_RULES_HISTORY_H_

#include <string>
#include <string_view>
#include <vector>

#include "src/etcd/types.h"
#include "turnout/rules.h"

namespace turnout::registry {

struct HistoryEntry {
  RulesVersion version;
  etcd::KeyValue kv;
};

std::string HistoryKey(std::string_view prefix, int number);  // `prefix` ends with a slash
std::string HistoryValue(const RulesVersion& version);

// Those of `kvs`, which begin with `prefix`, that are entries; newest first.
std::vector<HistoryEntry> ParseHistory(std::string_view prefix, std::vector<etcd::KeyValue> kvs);

}  // namespace turnout::registry

#endif  // TURNOUT_SRC_REGISTRY_RULES_HISTORY_H_
