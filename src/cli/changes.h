// What has changed from one snapshot of a service to the next. Pure.
#ifndef TURNOUT_SRC_CLI_CHANGES_H_
#define TURNOUT_SRC_CLI_CHANGES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "turnout/snapshot.h"

namespace turnout::cli {

struct Change {
  enum class Kind {
    kPresent,  // was there when we began to look
    kJoined,
    kLeft,
    kRemoved,  // by an operator
    kDraining,
    kLapsed,
    kReturned,  // registered again after it was draining or lapsed
    kChanged,   // `detail` says what
    kRejected,  // a record that cannot be used; `detail` says why
  };

  Kind kind;
  std::string subject;           // the instance's id, or the record's key if it was rejected
  std::optional<Member> member;  // as it is now, or was last; none if it was rejected, or had left
  std::string detail;
};

std::string_view ToString(Change::Kind kind);  // "present", "joined", ...

// Departures first, then the others by instance id, then rejected records. Null: nothing was known.
std::vector<Change> Compare(const Snapshot* before, const Snapshot& after);

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_CHANGES_H_
