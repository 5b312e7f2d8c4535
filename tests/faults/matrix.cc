#include "tests/faults/matrix.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"
#include "src/cli/text.h"

namespace turnout::faults {
namespace {

std::string RecoveryText(const Outcome& outcome) {
  return outcome.recovery_s ? absl::StrFormat("%.1f s", *outcome.recovery_s) : "-";
}

nlohmann::ordered_json ToJson(const Outcome& outcome) {
  nlohmann::ordered_json json = {{"name", outcome.name},
                                 {"what", outcome.what},
                                 {"choices", outcome.choices},
                                 {"expected", outcome.expected},
                                 {"ok", outcome.ok()},
                                 {"recovery_s", nullptr},
                                 {"calls", outcome.calls},
                                 {"failed", outcome.failed},
                                 {"slowest_ms", outcome.slowest_ms},
                                 {"violations", outcome.violations}};
  if (outcome.recovery_s.has_value()) json["recovery_s"] = *outcome.recovery_s;
  return json;
}

}  // namespace

bool AllOk(const std::vector<Outcome>& outcomes) {
  return std::all_of(outcomes.begin(), outcomes.end(), [](const Outcome& o) { return o.ok(); });
}

std::string MatrixTable(const std::vector<Outcome>& outcomes) {
  cli::Table table({"FAULT", "EXPECTED", "RECOVERY", "CALLS", "FAILED", "HELD"});
  for (const Outcome& outcome : outcomes) {
    table.Add({outcome.name, outcome.expected, RecoveryText(outcome), absl::StrCat(outcome.calls),
               absl::StrCat(outcome.failed), outcome.ok() ? "yes" : "NO"});
  }
  return table.ToString(cli::Paint(false));
}

std::string MatrixMarkdown(const std::vector<Outcome>& outcomes) {
  std::string text =
      "| fault | what is done | expected | recovery | calls | failed |\n"
      "| --- | --- | --- | ---: | ---: | ---: |\n";
  for (const Outcome& outcome : outcomes) {
    absl::StrAppend(&text, "| ", outcome.ok() ? "" : "**NOT HELD** ", outcome.name, " | ",
                    outcome.what, " | ", outcome.expected, " | ", RecoveryText(outcome), " | ",
                    outcome.calls, " | ", outcome.failed, " |\n");
  }
  return text;
}

std::string MatrixJson(const std::vector<Outcome>& outcomes, std::uint64_t seed) {
  nlohmann::ordered_json faults = nlohmann::ordered_json::array();
  for (const Outcome& outcome : outcomes) faults.push_back(ToJson(outcome));
  const nlohmann::ordered_json json = {
      {"ok", AllOk(outcomes)}, {"seed", seed}, {"faults", std::move(faults)}};
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string Violations(const Outcome& outcome, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(most, outcome.violations.size()); ++i) {
    absl::StrAppend(&text, "  ", outcome.violations[i], "\n");
  }
  if (outcome.violations.size() > most) {
    absl::StrAppend(&text, "  and ", outcome.violations.size() - most, " more\n");
  }
  return text;
}

}  // namespace turnout::faults
