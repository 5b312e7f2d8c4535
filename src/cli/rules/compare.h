// Two documents: which rules differ, and what that means for calls. Pure.
#ifndef TURNOUT_SRC_CLI_RULES_COMPARE_H_
#define TURNOUT_SRC_CLI_RULES_COMPARE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/cli/describe.h"
#include "src/cli/rules/calls.h"
#include "src/cli/text.h"
#include "src/route/explain.h"
#include "src/route/rule_set.h"

namespace turnout::cli {

using RuleSetPtr = std::shared_ptr<const route::RuleSet>;  // null: there are no rules

struct RuleChange {
  std::string rule;
  std::string change;                    // "added", "removed", "changed", "moved"
  std::vector<std::string> differences;  // "route.timeout: 1s → 2s"; of a changed one
};

// Those of `before` that are gone, then those of `after` in order.
std::vector<RuleChange> CompareRules(const RuleSetPtr& before, const RuleSetPtr& after);
std::string RuleChangeTable(const std::vector<RuleChange>& changes, const Paint& paint);
Json ToJson(const RuleChange& change);

// Calls of the same caller and method that are decided in the same way.
struct CallGroup {
  route::GivenCall example;
  std::int64_t count = 0;
  route::Ruling before, after;

  bool differs() const { return before != after; }
};

// The largest first, those that differ before the others.
std::vector<CallGroup> CompareCalls(const RuleSetPtr& before, const RuleSetPtr& after,
                                    const std::vector<CountedCall>& calls);

// "canary: 90% version v1, 10% version v2"
std::string RulingText(const route::Ruling& ruling);
std::string PercentText(double share);  // "33.3%", "90%"
Json ToJson(const route::Ruling& ruling);

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_RULES_COMPARE_H_
