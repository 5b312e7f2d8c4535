// What operators do to single instances: drain them, remove them, and undo that.
//
// A decision is an entry in etcd of its own, apart from the instance's record. Its registrar and
// all clients obey it, however often the process registers again or restarts under the same id:
//   draining  it keeps its record, marked; calls go to it only where no other instance is READY
//   removed   it has no record, and is not called, not even over a connection that lives
//
// All functions are thread-safe and block, for at most `timeout` and a second more for cleaning up.
// They may be repeated: what is so already stays so, and its expiry is counted anew. A decision or
// a record that somebody else changes meanwhile is looked at again, never overwritten unseen.
//
// InvalidArgument names the option that is wrong. NotFound: there is neither a record nor a
// decision under this id; the message lists the ids that there are, the likeliest first.
// Unavailable: etcd could not be reached in time; the message has its endpoints and the last error,
// and the decision may have been written all the same. FailedPrecondition: in a forked child.
#ifndef TURNOUT_OPERATE_H_
#define TURNOUT_OPERATE_H_

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "turnout/registry.h"

namespace turnout {

struct OperateOptions {
  RegistryOptions registry;

  // How long a decision stands if nobody undoes it: 1 s to 1 year; 0: for ever. A day is longer
  // than any maintenance, and ids are mostly made anew at each start: without an end, what was
  // decided about ids that never come back would pile up in etcd. A new leader of etcd's counts
  // anew.
  std::chrono::seconds expiry{24 * 3600};

  std::chrono::milliseconds timeout{5000};
};

absl::Status DrainInstance(std::string_view service, std::string_view id,
                           const OperateOptions& options = {});

// The record goes in the same transaction.
absl::Status RemoveInstance(std::string_view service, std::string_view id,
                            const OperateOptions& options = {});

// Undoes both: the instance is registered again by its own process, if that lives. OK if there was
// nothing to undo.
absl::Status RestoreInstance(std::string_view service, std::string_view id,
                             const OperateOptions& options = {});

struct OperatorDecision {
  std::string service;
  std::string id;
  bool removed = false;  // else draining

  // Until it expires. None: it stands until it is undone, or etcd does not tell.
  std::optional<std::chrono::seconds> left;
};

// All decisions under the namespace, sorted by service and id.
absl::StatusOr<std::vector<OperatorDecision>> ListDecisions(const RegistryOptions& registry,
                                                            std::chrono::milliseconds timeout);

}  // namespace turnout

#endif  // TURNOUT_OPERATE_H_
