// Traffic rules: who may call which instances of a service, stated once in etcd and obeyed by every
// client within a moment. docs/rules.md explains the document.
//
// All functions are thread-safe. Those that take RulesOptions ask etcd: they block for at most
// `timeout`. InvalidArgument names what is wrong, in a document by its path. Unavailable: etcd
// could not be reached in time; the message has its endpoints and the last error, and a change may
// have been made all the same. FailedPrecondition: in a forked child.
#ifndef TURNOUT_RULES_H_
#define TURNOUT_RULES_H_

#include <chrono>
#include <cstddef>
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
  std::string document;       // as it was written, which others may have done: JSON, if it is right
  std::int64_t revision = 0;  // etcd's, of the last change of the key; 0: there are no rules
};

// What has been in force, and since when. Numbers count up with each change, deletions included.
struct RulesVersion {
  int number = 0;
  std::string document;  // empty: the rules were deleted
  std::string comment;
  std::chrono::system_clock::time_point time{};  // by the writer's clock, to 1 µs
};

// OK, or InvalidArgument with every error. Pure.
absl::Status CheckRules(std::string_view document);

absl::StatusOr<StoredRules> GetRules(std::string_view service, const RulesOptions& options = {});

// A change is made once or not at all, also where etcd's answer is lost and it is asked again.
struct RulesChange {
  // Only if the rules' revision is this still (0: there are none), else Aborted, which says what it
  // is. Unset: what it is when the function begins, so that only a change at the very same time is
  // in the way.
  std::optional<std::int64_t> expected_revision;

  std::string comment;  // for the history; at most 1024 bytes
};

// A change adds a version to the history, which keeps the last 10; the newest is the one in force.
// Rules that were put past these functions (by etcdctl) get a version of their own at the next
// change. What is returned is in force once the function returns, unless somebody has changed it
// since.

// The document is checked first.
absl::StatusOr<StoredRules> PutRules(std::string_view service, std::string_view document,
                                     const RulesChange& change = {},
                                     const RulesOptions& options = {});
// Puts the document of that version once more, or deletes the rules if they were deleted then.
// NotFound lists the versions that are kept.
absl::StatusOr<StoredRules> RollBackRules(std::string_view service, int number,
                                          const RulesChange& change = {},
                                          const RulesOptions& options = {});
// NotFound: there are none.
absl::Status DeleteRules(std::string_view service, const RulesChange& change = {},
                         const RulesOptions& options = {});

// Newest first. Empty if the rules have never been changed by these functions.
absl::StatusOr<std::vector<RulesVersion>> GetRulesHistory(std::string_view service,
                                                          const RulesOptions& options = {});

// --- What rules would mean for the calls that this process makes.

// Some of them are written to a file, a line of JSON each, which
// `turnout rules check FILE --against-live SERVICE --calls PATH` compares documents by:
//   {"service":…,"caller":{…},"method":"/pkg.Service/Method","metadata":{…},"count":100}
struct CallRecording {
  std::string path;               // made with mode 0600, or appended to
  std::vector<std::string> keys;  // of metadata to write, those that rules look at; no others are
  double share = 0.01;            // of the calls, drawn at random; more than 0, at most 1
  std::size_t most = 100'000;     // lines; the recording ends after them. 1 to 100,000,000
};

// Calls are neither slowed down nor held up: the file is written by a thread of its own, and what
// it is too slow for is left out. InvalidArgument names the field that is wrong, or says why the
// file cannot be opened. AlreadyExists: one is under way.
absl::Status StartRecordingCalls(const CallRecording& recording);
// Ends it, and waits until all is written. Nothing happens if there is none.
void StopRecordingCalls();

}  // namespace turnout

#endif  // TURNOUT_RULES_H_
