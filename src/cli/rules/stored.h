// The rules in force, as commands need them.
#ifndef TURNOUT_SRC_CLI_RULES_STORED_H_
#define TURNOUT_SRC_CLI_RULES_STORED_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "src/route/rule_set.h"
#include "turnout/rules.h"

namespace turnout::cli {

struct LiveRules {
  std::shared_ptr<const route::RuleSet> rules;  // null: there are none
  std::int64_t revision = 0;
};

// FailedPrecondition: what is stored is no right document, as somebody may have written by hand.
absl::StatusOr<LiveRules> GetLiveRules(const std::string& service, const RulesOptions& options);

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_RULES_STORED_H_
