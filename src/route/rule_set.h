// The traffic rules of a service, as one document states them: an ordered list, of which the first
// rule that matches a call decides where it may go. Pure. docs/rules.md explains the document,
// docs/rules.schema.json describes it.
//
//   RuleSet      a document, parsed and found to be right
//   Rule         what a call must be like, and what becomes of it then
//   Route        to which instances it may go: weighted destinations
//   Deny         it ends at once
#ifndef TURNOUT_SRC_ROUTE_RULE_SET_H_
#define TURNOUT_SRC_ROUTE_RULE_SET_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/route/match.h"
#include "src/route/version_pattern.h"
#include "turnout/instance.h"
#include "turnout/picker.h"

namespace turnout::route {

// Instances that have all of this. The label `version` is the instance's version, as in all
// policies.
struct Destination {
  std::uint32_t weight = 1;  // share of the route's calls, relative to the other destinations

  std::optional<VersionPattern> version;
  std::map<std::string, std::string> labels;
  std::vector<std::string> without_labels;

  // Labels whose value is what the call has under a metadata key: label → key. At most kMostKeys.
  std::map<std::string, std::string> labels_from_metadata;

  // As far as that does not depend on the call.
  bool Matches(const Instance& instance) const;
  bool MatchesLabels(const Instance& instance) const;
  std::string ToString() const;  // "version v2, lane=blue", "any version"
  std::string Key() const;       // different for those that differ in more than their weight
};

// As in gRPC's service config.
struct RetrySettings {
  int max_attempts = 1;  // 1: the call is not retried
  std::chrono::milliseconds initial_backoff{};
  std::chrono::milliseconds max_backoff{};
  double backoff_multiplier = 1;
  std::vector<std::string> status_codes;  // "UNAVAILABLE"
};

struct Route {
  // A call's destination is drawn by weight, once for all its attempts. Not empty; one has a
  // weight.
  std::vector<Destination> destinations;

  // For calls to whose destination no instance belongs. One whose instances cannot be reached at
  // the moment is not replaced.
  enum class Fallback {
    kFail,
    kNext,  // the destination after it that has instances, in a circle
    kAny,   // any instance of the service
  };
  Fallback fallback = Fallback::kFail;

  // Chooses among the destination's instances. Null: as the channel is configured.
  std::shared_ptr<const PickerBuilder> picker;

  // Is the version that the call itself asks for not looked at?
  bool ignores_call_version = false;

  std::optional<std::chrono::milliseconds> timeout;
  std::optional<RetrySettings> retry;
};

struct Deny {
  absl::Status status;
};

struct Rule {
  std::string name;
  Match match;
  std::variant<Route, Deny> action;

  const Route* route() const { return std::get_if<Route>(&action); }
  const Deny* deny() const { return std::get_if<Deny>(&action); }
};

class RuleSet {
 public:
  static constexpr std::size_t kMostBytes = 256 * 1024;
  static constexpr std::size_t kMostRules = 500;
  static constexpr std::size_t kMostDestinations = 100;  // of a route
  // Of a document: each has a picker over its instances, in each channel.
  static constexpr std::size_t kMostDestinationsInAll = 1'000;

  // The name under which a document's default stands among its rules, last.
  static constexpr std::string_view kDefaultName = "default";

  // All errors in one InvalidArgument, each with its path: `rules[0].route.destinations[1].version:
  // must be …, got …`.
  static absl::StatusOr<std::shared_ptr<const RuleSet>> Parse(std::string_view json_text);

  // In the document's order; its default, if it has one, comes last and matches every call.
  const std::vector<Rule>& rules() const { return rules_; }
  // What calls' metadata is looked up under; matches refer to it by index. At most kMostKeys.
  const std::vector<std::string>& keys() const { return keys_; }

  const std::string& text() const { return text_; }  // as it was parsed

 private:
  RuleSet() = default;

  std::string text_;
  std::vector<Rule> rules_;
  std::vector<std::string> keys_;
};

}  // namespace turnout::route

#endif  // TURNOUT_SRC_ROUTE_RULE_SET_H_
