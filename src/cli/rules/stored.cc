#include "src/cli/rules/stored.h"

#include <utility>

#include "fmt/format.h"

namespace turnout::cli {

absl::StatusOr<LiveRules> GetLiveRules(const std::string& service, const RulesOptions& options) {
  const absl::StatusOr<StoredRules> stored = GetRules(service, options);
  if (!stored.ok()) return stored.status();
  if (stored->revision == 0) return LiveRules();
  auto rules = route::RuleSet::Parse(stored->document);
  if (rules.ok()) return LiveRules{.rules = *std::move(rules), .revision = stored->revision};
  return absl::FailedPreconditionError(
      fmt::format("what stands at revision {} as the rules of {} is not right, and no client obeys "
                  "it: {}; `turnout rules get {}` prints it",
                  stored->revision, service, std::string{rules.status().message()}, service));
}

}  // namespace turnout::cli
