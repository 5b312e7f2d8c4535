#include "src/discovery/history.h"

#include <algorithm>
#include <functional>
#include <string_view>

namespace turnout::discovery {

bool IsOfAnotherHistory(const Scope& scope, const View& before, const etcd::RangeResult& records) {
  if (records.revision < before.records_revision) return true;
  for (const etcd::KeyValue& kv : records.kvs) {
    if (kv.create_revision > before.records_revision) continue;
    const auto id = scope.keys.IdOfRecord(scope.service, kv.key);
    if (!id.has_value()) continue;
    const Entry* known = before.Find(*id);
    if (known == nullptr || known->record_revision == 0) {
      // A cache has left out whom nobody could call.
      if (!before.overflow && !before.from_cache) return true;
    } else if (known->record_created != kv.create_revision) {
      return true;
    }
  }
  return false;
}

bool Witness::Confirms(const etcd::RangeResult& found) const {
  return found.kvs.size() == 1 && found.kvs[0].mod_revision == mod_revision &&
         std::hash<std::string_view>()(found.kvs[0].value) == value_hash;
}

std::optional<Witness> FindWitness(const Scope& scope, const View& view) {
  const auto recorded = std::find_if(view.entries.begin(), view.entries.end(),
                                     [](const auto& entry) { return entry->record_revision != 0; });
  if (recorded == view.entries.end()) return std::nullopt;
  return Witness{.key = scope.keys.Record(scope.service, (*recorded)->id),
                 .at = view.records_revision,
                 .mod_revision = (*recorded)->record_revision,
                 .value_hash = (*recorded)->record_hash};
}

}  // namespace turnout::discovery
