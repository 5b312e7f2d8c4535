// Is it still the history that we know? A cluster that was wiped, or restored from a backup, counts
// its revisions anew, may keep its id, and may be past the revision that we know by the time that
// we are back. Then a watch that resumes would be silent about everything that happened in between.
//
// Both tests cost nothing as long as etcd runs. Pure.
#ifndef TURNOUT_SRC_DISCOVERY_HISTORY_H_
#define TURNOUT_SRC_DISCOVERY_HISTORY_H_

#include <optional>
#include <string>

#include "src/discovery/fold.h"
#include "src/discovery/view.h"
#include "src/etcd/types.h"

namespace turnout::discovery {

// Of a list of all records: in one history, whatever was created before `before` ended is in it,
// and as of the same revision. `create_revision` 7 and `before` at 12 without that key: another
// one.
bool IsOfAnotherHistory(const Scope& scope, const View& before, const etcd::RangeResult& records);

// One record that tells histories apart: read as it was at `at`, it must be as we know it.
struct Witness {
  std::string key;
  etcd::Revision at = 0;
  etcd::Revision mod_revision = 0;
  std::size_t value_hash = 0;

  bool Confirms(const etcd::RangeResult& found) const;
};

// Nothing, if the view has no record.
std::optional<Witness> FindWitness(const Scope& scope, const View& view);

}  // namespace turnout::discovery

#endif  // TURNOUT_SRC_DISCOVERY_HISTORY_H_
