#include "src/route/document_reader.h"

#include <re2/re2.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "src/balance/metadata_key.h"
#include "src/balance/text.h"
#include "src/balance/version/version.h"
#include "src/model/names.h"
#include "src/model/text.h"

namespace turnout::route {
namespace {

using model::Concat;

constexpr std::size_t kMostTextBytes = 256;      // of a name, a label or a value
constexpr std::size_t kMostMessageBytes = 1024;  // of a denial
constexpr std::size_t kMostConditions = 32;      // of a match
constexpr std::int64_t kMostWeight = 1'000'000;

// An expression that RE2 finds too large has cost milliseconds by then, and documents are parsed
// where leases are kept alive.
constexpr int kMostRegexes = 64;  // of a document
constexpr std::int64_t kMostRegexMemory = 1 << 18;

constexpr std::chrono::milliseconds kLongest = std::chrono::hours(1);

// gRPC lets a control plane end calls with these (gRFC A54); the others belong to applications, and
// become INTERNAL.
struct NamedCode {
  std::string_view name;
  absl::StatusCode code;
};
constexpr NamedCode kDenials[] = {{"PERMISSION_DENIED", absl::StatusCode::kPermissionDenied},
                                  {"UNAVAILABLE", absl::StatusCode::kUnavailable},
                                  {"UNAUTHENTICATED", absl::StatusCode::kUnauthenticated},
                                  {"RESOURCE_EXHAUSTED", absl::StatusCode::kResourceExhausted},
                                  {"UNIMPLEMENTED", absl::StatusCode::kUnimplemented},
                                  {"CANCELLED", absl::StatusCode::kCancelled},
                                  {"DEADLINE_EXCEEDED", absl::StatusCode::kDeadlineExceeded},
                                  {"INTERNAL", absl::StatusCode::kInternal},
                                  {"UNKNOWN", absl::StatusCode::kUnknown}};

// Codes that a retry policy may name; OK is none.
constexpr std::string_view kRetryable[] = {
    "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",   "NOT_FOUND",
    "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
    "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",         "DATA_LOSS",
    "UNAUTHENTICATED"};

class DocumentReader {
 public:
  explicit DocumentReader(std::vector<std::string>& keys) : keys_(keys) {}

  std::vector<Rule> Read(ConfigReader& reader) {
    std::vector<Rule> rules;
    reader.Integer("format", {1, 1, 1});
    reader.String("description", "");
    reader.Objects("rules", [&](ConfigReader& rule) { rules.push_back(ReadRule(rule)); });
    ExpectAtMost(reader, "rules", RuleSet::kMostRules, rules.size());
    reader.Object("default", [&](ConfigReader& rule) {
      rules.push_back({.name = std::string(RuleSet::kDefaultName), .match = {}, .action = {}});
      ReadAction(rule, rules.back());
    });
    return rules;
  }

 private:
  Rule ReadRule(ConfigReader& reader) {
    constexpr std::string_view kNameless = "(nameless)";
    Rule rule{.name = Required(reader, "name", kNameless), .match = {}, .action = {}};
    reader.String("description", "");
    if (rule.name.empty() || rule.name.size() > kMostTextBytes ||
        rule.name == RuleSet::kDefaultName) {
      reader.Error("name", Concat({"must be 1 to 256 bytes and not \"default\", got ",
                                   model::Quoted(rule.name)}));
    } else if (rule.name != kNameless && !names_.insert(rule.name).second) {
      reader.Error("name", Concat({"must be another one than those of the rules before, got ",
                                   model::Quoted(rule.name)}));
    }
    reader.Object("match", [&](ConfigReader& match) { rule.match = ReadMatch(match); });
    ReadAction(reader, rule);
    return rule;
  }

  void ReadAction(ConfigReader& reader, Rule& rule) {
    if (reader.Has("route") == reader.Has("deny")) {
      reader.Error(reader.Has("route") ? "deny" : "route",
                   reader.Has("route") ? "must not stand beside route"
                                       : "missing; a rule has either route or deny");
    }
    reader.Object("route", [&](ConfigReader& route) { rule.action = ReadRoute(route); });
    reader.Object("deny", [&](ConfigReader& deny) { rule.action = ReadDeny(deny, rule.name); });
  }

  // --- match

  Match ReadMatch(ConfigReader& reader) {
    Match match;
    reader.Object("caller", [&](ConfigReader& caller) { match.caller = ReadCaller(caller); });
    reader.Object("method", [&](ConfigReader& method) { match.method = ReadMethod(method); });
    reader.Objects("metadata", [&](ConfigReader& metadata) {
      match.metadata.push_back(ReadMetadata(metadata));
    });
    ExpectAtMost(reader, "metadata", kMostConditions, match.metadata.size());
    reader.Object("percentage", [&](ConfigReader& percentage) {
      match.percentage = {.key = ReadKey(percentage, "key"),
                          .percent = percentage.Number("percent", {0, 0, 100}),
                          .salt = percentage.String("salt", "")};
      Require(percentage, "percent");
    });
    return match;
  }

  static CallerMatch ReadCaller(ConfigReader& reader) {
    CallerMatch caller;
    if (reader.Has("service")) {
      caller.service = reader.String("service", "a");
      if (!model::CheckServiceName(*caller.service).ok()) {
        reader.Error("service", Concat({"must be a service's name, dotted, of [A-Za-z0-9_-], got ",
                                        model::Quoted(*caller.service)}));
      }
    }
    caller.version = ReadVersion(reader, "version");
    caller.labels = ReadLabels(reader, "labels");
    if (!reader.Has("service") && !reader.Has("version") && caller.labels.empty()) {
      reader.Error("service", "missing; a caller has one or more of service, version, labels");
    }
    return caller;
  }

  static MethodMatch ReadMethod(ConfigReader& reader) {
    ExpectOne(reader, {"exact", "prefix"});
    MethodMatch method{.path = "", .exact = reader.Has("exact")};
    const std::string_view key = method.exact ? "exact" : "prefix";
    if (!reader.Has(key)) return method;
    method.path = reader.String(key, method.exact ? "/a/B" : "/");
    const auto slashes = std::ranges::count(method.path, '/');
    if (!method.path.starts_with('/') || method.path.size() > kMostTextBytes ||
        (method.exact && slashes != 2)) {
      reader.Error(key, Concat({method.exact ? "must be like /package.Service/Method"
                                             : "must begin with a slash, like /package.Service/",
                                ", got ", model::Quoted(method.path)}));
    }
    return method;
  }

  MetadataMatch ReadMetadata(ConfigReader& reader) {
    MetadataMatch match{.key = ReadKey(reader, "key"), .condition = Present{true}};
    ExpectOne(reader, {"exact", "prefix", "present", "regex", "range"});
    if (reader.Has("exact")) match.condition = Exact{reader.String("exact", "")};
    if (reader.Has("prefix")) match.condition = Prefix{reader.String("prefix", "")};
    if (reader.Has("present")) match.condition = Present{reader.Bool("present", true)};
    if (reader.Has("regex")) match.condition = Regex{ReadRegex(reader, "regex")};
    reader.Object("range", [&](ConfigReader& range) { match.condition = ReadRange(range); });
    return match;
  }

  static IntegerRange ReadRange(ConfigReader& reader) {
    constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    IntegerRange range{.from = reader.Integer("from", {kLeast, kLeast, kMost}),
                       .to = reader.Integer("to", {kMost, kLeast, kMost})};
    if (!reader.Has("from") && !reader.Has("to")) {
      reader.Error("from", "missing; a range has from, to, or both");
    }
    if (range.from > range.to) {
      reader.Error("to", Concat({"must be at least from (", std::to_string(range.from), "), got ",
                                 std::to_string(range.to)}));
    }
    return range;
  }

  std::shared_ptr<const re2::RE2> ReadRegex(ConfigReader& reader, std::string_view key) {
    const std::string pattern = reader.String(key, "");
    if (++regexes_ > kMostRegexes) {
      reader.Error(key, Concat({"is one too many: a document has at most ",
                                std::to_string(kMostRegexes), " regular expressions"}));
      return nullptr;
    }
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kMostRegexMemory);
    auto expression = std::make_shared<const RE2>(pattern, options);
    if (!expression->ok()) {
      reader.Error(key, Concat({"must be a regular expression (RE2), got ", model::Quoted(pattern),
                                ": ", balance::Printable(expression->error())}));
    }
    return expression;
  }

  std::size_t ReadKey(ConfigReader& reader, std::string_view field) {
    const std::string key = Required(reader, field, "key");
    if (!balance::IsTextKey(key)) {
      reader.Error(field, balance::NotATextKey(key));
      return 0;
    }
    return IndexOf(reader, field, key);
  }

  std::size_t IndexOf(ConfigReader& reader, std::string_view field, const std::string& key) {
    const auto found = std::ranges::find(keys_, key);
    if (found != keys_.end()) return static_cast<std::size_t>(found - keys_.begin());
    if (keys_.size() == kMostKeys) {
      reader.Error(field, Concat({"is one too many: a document looks at no more than ",
                                  std::to_string(kMostKeys), " different metadata keys"}));
      return 0;
    }
    keys_.push_back(key);
    return keys_.size() - 1;
  }

  // --- route

  Route ReadRoute(ConfigReader& reader) {
    constexpr std::string_view kFallbacks[] = {"fail", "next", "any"};
    constexpr std::string_view kCallVersion[] = {"within", "ignore"};
    Route route;
    reader.Objects("destinations", [&](ConfigReader& destination) {
      route.destinations.push_back(ReadDestination(destination));
    });
    ExpectAtMost(reader, "destinations", RuleSet::kMostDestinations, route.destinations.size());
    const bool had_room = destinations_ <= RuleSet::kMostDestinationsInAll;
    destinations_ += route.destinations.size();
    if (had_room && destinations_ > RuleSet::kMostDestinationsInAll) {
      reader.Error("destinations",
                   Concat({"are too many: a document has at most ",
                           std::to_string(RuleSet::kMostDestinationsInAll), " destinations"}));
    }
    if (std::ranges::none_of(route.destinations,
                             [](const auto& each) { return each.weight > 0; })) {
      reader.Error("destinations", route.destinations.empty()
                                       ? "missing; {} is any instance"
                                       : "must have one whose weight is not 0");
    }
    route.fallback = static_cast<Route::Fallback>(reader.Choice("fallback", kFallbacks, 0));
    route.ignores_call_version = reader.Choice("callVersion", kCallVersion, 0) == 1;
    if (reader.Has("picker")) {
      route.picker = reader.Child("picker", "random");
      // A call's own version narrows the destination, as it narrows a channel without rules.
      if (!route.ignores_call_version) {
        route.picker = std::make_shared<balance::VersionBuilder>(
            balance::VersionConfig{.child = std::move(route.picker)});
      }
    }
    if (reader.Has("timeout")) {
      route.timeout = reader.Duration(
          "timeout", {std::chrono::milliseconds(1), std::chrono::milliseconds(1), kLongest});
    }
    reader.Object("retry", [&](ConfigReader& retry) { route.retry = ReadRetry(retry); });
    return route;
  }

  Destination ReadDestination(ConfigReader& reader) {
    Destination destination;
    destination.weight = static_cast<std::uint32_t>(reader.Integer("weight", {1, 0, kMostWeight}));
    destination.version = ReadVersion(reader, "version");
    destination.labels = ReadLabels(reader, "labels");
    destination.without_labels = reader.Strings("withoutLabels");
    destination.labels_from_metadata = reader.StringMap("labelsFromMetadata");
    std::ranges::sort(destination.without_labels);
    if (std::ranges::find(destination.without_labels, "") != destination.without_labels.end()) {
      reader.Error("withoutLabels", "must not have an empty label");
    }
    ExpectAtMost(reader, "labelsFromMetadata", kMostKeys, destination.labels_from_metadata.size());
    for (const auto& [label, key] : destination.labels_from_metadata) {
      if (label.empty()) reader.Error("labelsFromMetadata", "must not have an empty label");
      if (!balance::IsTextKey(key)) {
        reader.Error("labelsFromMetadata", balance::NotATextKey(key));
      } else {
        IndexOf(reader, "labelsFromMetadata", key);
      }
    }
    return destination;
  }

  static RetrySettings ReadRetry(ConfigReader& reader) {
    using std::chrono::milliseconds;
    RetrySettings retry;
    retry.max_attempts = static_cast<int>(reader.Integer("maxAttempts", {1, 1, 5}));
    Require(reader, "maxAttempts");
    retry.initial_backoff =
        reader.Duration("initialBackoff", {milliseconds(50), milliseconds(1), kLongest});
    retry.max_backoff =
        reader.Duration("maxBackoff", {std::chrono::seconds(1), milliseconds(1), kLongest});
    retry.backoff_multiplier = reader.Number("backoffMultiplier", {2, 0.001, 1000});
    retry.status_codes = reader.Strings("retryableStatusCodes");
    for (const std::string& code : retry.status_codes) {
      if (std::ranges::find(kRetryable, code) == std::end(kRetryable)) {
        reader.Error("retryableStatusCodes", Concat({"must be names of gRPC's status codes such as "
                                                     "UNAVAILABLE, got ",
                                                     model::Quoted(code)}));
      }
    }
    if (retry.status_codes.empty()) retry.status_codes = {"UNAVAILABLE"};
    return retry;
  }

  // --- deny

  static Deny ReadDeny(ConfigReader& reader, const std::string& rule) {
    std::vector<std::string_view> names;
    for (const NamedCode& each : kDenials) names.push_back(each.name);
    const NamedCode& code = kDenials[reader.Choice("status", names, 0)];
    std::string message = reader.String("message", "");
    if (message.size() > kMostMessageBytes) {
      reader.Error("message",
                   Concat({"must be at most 1024 bytes, got ", std::to_string(message.size())}));
    }
    if (message.empty()) message = Concat({"denied by rule ", model::Quoted(rule)});
    return {absl::Status(code.code, message)};
  }

  // --- what several have

  static std::optional<VersionPattern> ReadVersion(ConfigReader& reader, std::string_view key) {
    if (!reader.Has(key)) return std::nullopt;
    auto version = VersionPattern::Parse(reader.String(key, "latest"));
    if (version.ok()) return *std::move(version);
    reader.Error(key, model::Message(version.status()));
    return std::nullopt;
  }

  static std::map<std::string, std::string> ReadLabels(ConfigReader& reader, std::string_view key) {
    std::map<std::string, std::string> labels = reader.StringMap(key);
    if (labels.contains("")) reader.Error(key, "must not have an empty label");
    return labels;
  }

  static void Require(ConfigReader& reader, std::string_view key) {
    if (!reader.Has(key)) reader.Error(key, "missing");
  }

  // `stand_in`: is right, so that what is missing or no string is one error, not two.
  static std::string Required(ConfigReader& reader, std::string_view key,
                              std::string_view stand_in) {
    Require(reader, key);
    return reader.String(key, stand_in);
  }

  static void ExpectAtMost(ConfigReader& reader, std::string_view key, std::size_t most,
                           std::size_t found) {
    if (found <= most) return;
    reader.Error(
        key, Concat({"must have at most ", std::to_string(most), ", got ", std::to_string(found)}));
  }

  static void ExpectOne(ConfigReader& reader, const std::vector<std::string>& keys) {
    std::vector<std::string> present;
    for (const std::string& key : keys) {
      if (reader.Has(key)) present.push_back(key);
    }
    if (present.size() == 1) return;
    reader.Error(present.empty() ? keys.front() : present[1],
                 Concat({present.empty() ? "missing; give one of " : "is one too many of ",
                         balance::Listed(keys)}));
  }

  std::vector<std::string>& keys_;
  std::set<std::string> names_;
  int regexes_ = 0;
  std::size_t destinations_ = 0;  // so far
};

}  // namespace

std::vector<Rule> ReadDocument(ConfigReader& reader, std::vector<std::string>& keys) {
  return DocumentReader(keys).Read(reader);
}

}  // namespace turnout::route
