// Traffic rules: who may call which instances of a service, stated once in etcd and obeyed by every
// client within a moment. docs/rules.md explains the document.
//
// All functions are thread-safe. Those that take RulesOptions ask etcd: they block for at most
// `timeout`. InvalidArgument names what is wrong, in a document by its path. Unavailable: etcd could
// not be reached in time. FailedPrecondition: in a forked child.
#ifndef TURNOUT_RULES_H_
#define TURNOUT_RULES_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "turnout/registry.h"

namespace turnout {

// Who makes this process's calls, for rules that ask.
struct Caller {
  std::string service;  // dotted, `hwholiday.srv.app`; empty: not stated
  std::string version;
  std::map<std::string, std::string> labels;

  friend bool operator==(const Caller&, const Caller&) = default;
};

// States it for the whole process, at any time; calls that are made from a moment later on go by
// it. Does not block. Without it, the caller is what the first Registrar of the process registers:
// its service, version and metadata.
void SetCaller(Caller caller);
Caller GetCaller();

// --- The document of a service.

struct RulesOptions {
  RegistryOptions registry;
  std::chrono::milliseconds timeout{5000};
};

struct StoredRules {
  std::string document;       // JSON; empty: there is none
  std::int64_t revision = 0;  // etcd's, of the last change of the key; 0: there is no document
};

// What has been in force. A document's number counts up with each change, deletions included.
struct RulesVersion {
  int number = 0;
  std::string document;  // empty: the rules were deleted
  std::string comment;
  std::chrono::system_clock::time_point time{};  // by the writer's clock
};

// Would it be taken? Pure.
absl::Status CheckRules(std::string_view document);

absl::StatusOr<StoredRules> GetRules(std::string_view service, const RulesOptions& options = {});

// How a change is made: only if the key's revision is `expected_revision` still (0: there is none),
// else Aborted says what it is. Unset: as it is found to be, so that only a change at the very same
// time is refused. The last 10 versions are kept.
struct RulesChange {
  std::optional<std::int64_t> expected_revision;
  std::string comment;
};

// The document is checked first. Both return what is in force then.
absl::StatusOr<StoredRules> PutRules(std::string_view service, std::string_view document,
                                     const RulesChange& change = {},
                                     const RulesOptions& options = {});
// Puts the version of that number once more. NotFound lists those that are kept.
absl::StatusOr<StoredRules> RollBackRules(std::string_view service, int number,
                                          const RulesChange& change = {},
                                          const RulesOptions& options = {});
// NotFound: there are none.
absl::Status DeleteRules(std::string_view service, const RulesChange& change = {},
                         const RulesOptions& options = {});

// Newest first.
absl::StatusOr<std::vector<RulesVersion>> GetRulesHistory(std::string_view service,
                                                          const RulesOptions& options = {});

}  // namespace turnout

#endif  // TURNOUT_RULES_H_
