#include "src/simulate/policies.h"

#include <algorithm>
#include <string>

#include "src/balance/picker_registry.h"
#include "src/balance/policy_config.h"
#include "src/balance/text.h"
#include "src/model/text.h"

namespace turnout::simulate {
namespace {

using model::Concat;

Policy Pickers(std::string_view name, std::string_view json) {
  return {.name = std::string(name), .json = std::string(json)};
}

absl::Status Check(const Policy& policy) {
  if (policy.kind != Policy::Kind::kPickers) return absl::OkStatus();
  return balance::ParsePolicyConfig("turnout", Concat({R"({"picker":)", policy.json, "}"}))
      .status();
}

// At the commas outside of brackets and strings.
std::vector<std::string> SplitPolicies(std::string_view text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  bool quoted = false;
  bool escaped = false;
  for (const char c : text) {
    if (c == ',' && depth == 0) {
      parts.emplace_back();
      continue;
    }
    parts.back() += c;
    if (c == '"' && !escaped) quoted = !quoted;
    escaped = quoted && c == '\\' && !escaped;
    if (quoted) continue;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
  }
  return parts;
}

absl::StatusOr<Policy> ParsePolicy(const std::string& text) {
  std::vector<std::string> names = balance::PickerNames();
  for (const Policy& known : DefaultPolicies()) {
    if (known.name == text) return known;
    names.push_back(known.name);
  }
  if (text.starts_with("[")) return Pickers(text, text);
  if (std::ranges::find(names, text) != names.end()) {
    return Pickers(text, Concat({R"([{")", text, R"(":{}}])"}));
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return absl::InvalidArgumentError(Concat(
      {"policy ", model::Quoted(text), " is not known", balance::DidYouMean(text, names),
       "; there are: ", balance::Listed(names), ", and lists of pickers like [{\"random\":{}}]"}));
}

}  // namespace

const std::vector<Policy>& DefaultPolicies() {
  static const std::vector<Policy> policies = {
      Pickers("random", R"([{"random":{}}])"),
      Pickers("round_robin", R"([{"round_robin":{}}])"),
      Pickers("weighted_random", R"([{"weighted_random":{}}])"),
      Pickers("weighted_round_robin", R"([{"weighted_round_robin":{}}])"),
      Pickers("weighted_by_report", R"([{"weighted_round_robin":{"weights":"reported"}}])"),
      Pickers("least_request", R"([{"least_request":{}}])"),
      Pickers("least_request_5", R"([{"least_request":{"choiceCount":5}}])"),
      Pickers("peak_ewma", R"([{"peak_ewma":{}}])"),
      Pickers("peak_ewma_5", R"([{"peak_ewma":{"choiceCount":5}}])"),
      Pickers("ring_hash", R"([{"ring_hash":{"requestHashHeader":"user"}}])"),
      Pickers("maglev", R"([{"maglev":{"requestHashHeader":"user"}}])"),
      {.name = "bound", .kind = Policy::Kind::kBound},
      {.name = "alone", .kind = Policy::Kind::kAlone},
  };
  return policies;
}

absl::StatusOr<std::vector<Policy>> ParsePolicies(std::string_view text) {
  std::vector<Policy> policies;
  for (const std::string& part : SplitPolicies(text)) {
    auto policy = ParsePolicy(part);
    if (!policy.ok()) return policy.status();
    if (absl::Status status = Check(*policy); !status.ok()) return status;
    policies.push_back(*std::move(policy));
  }
  return policies;
}

}  // namespace turnout::simulate
