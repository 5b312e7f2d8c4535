// Names and where they stand in etcd. Pure.
//
//   hwholiday.srv.app  →  /hwholiday/srv/app/<id>            records
//                         /turnout/state/hwholiday.srv.app/<id>   what operators have decided
//                         /turnout/rules/hwholiday.srv.app        traffic rules
//                         /turnout/rules-history/hwholiday.srv.app/<n>   what they have been
// both under RegistryOptions::prefix.
#ifndef TURNOUT_SRC_MODEL_NAMES_H_
#define TURNOUT_SRC_MODEL_NAMES_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace turnout::model {

// InvalidArgument says which component is wrong and what is allowed.
absl::Status CheckServiceName(std::string_view service);
absl::Status CheckInstanceId(std::string_view id);
absl::Status CheckVersion(std::string_view version);
absl::Status CheckPrefix(std::string_view prefix);

std::string NodeName(std::string_view service);       // "app"
std::string NodePath(std::string_view service);       // "/hwholiday/srv/app"
std::string NewInstanceId(std::string_view service);  // "app-<random uuid>"

// The keys of one namespace. `prefix` has been checked.
class Keys {
 public:
  explicit Keys(std::string_view prefix) : prefix_(prefix) {}

  const std::string& root() const { return prefix_; }
  std::string Record(std::string_view service, std::string_view id) const;
  std::string RecordPrefix(std::string_view service) const;  // ends with a slash
  std::string State(std::string_view service, std::string_view id) const;
  std::string StatePrefix(std::string_view service) const;  // ends with a slash
  std::string StateRoot() const;                            // of all services; ends with a slash
  std::string Rules(std::string_view service) const;
  std::string RulesRoot() const;  // of all services; ends with a slash
  std::string RulesHistoryPrefix(std::string_view service) const;  // ends with a slash

  // The id in `key` if it is a record of `service`: exactly one component after its prefix
  // (`/hwholiday/srv/` also contains the records of `hwholiday.srv.app`).
  std::optional<std::string_view> IdOfRecord(std::string_view service, std::string_view key) const;
  std::optional<std::string_view> IdOfState(std::string_view service, std::string_view key) const;

  // Service and id of any record key of the namespace; nothing for our own keys and foreign ones.
  std::optional<std::pair<std::string, std::string>> ParseRecord(std::string_view key) const;
  // The same of any state key.
  std::optional<std::pair<std::string, std::string>> ParseState(std::string_view key) const;

 private:
  std::string prefix_;
};

// "h:p,[v6]:p" → its parts, trimmed and without duplicates. InvalidArgument names the bad one.
absl::StatusOr<std::vector<std::string>> ParseEndpoints(std::string_view list);

struct HostPort {
  std::string host;  // without brackets
  int port = 0;
  bool is_ip = false;
  std::string ToString() const;  // with brackets where needed
};
// `host:port` or `[v6]:port`, port 1 to 65535 (0 where `allow_port_0`).
absl::StatusOr<HostPort> ParseHostPort(std::string_view text, bool allow_port_0 = false);

}  // namespace turnout::model

#endif  // TURNOUT_SRC_MODEL_NAMES_H_
