// Documents in files: rules as JSON or YAML.
#ifndef TURNOUT_SRC_CLI_RULES_DOCUMENT_H_
#define TURNOUT_SRC_CLI_RULES_DOCUMENT_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "src/route/rule_set.h"

namespace turnout::cli {

// As messages name it: "-" is standard input.
std::string InputName(const std::string& file);

// The whole file. Errors begin with its name, as those of all that follow do.
absl::StatusOr<std::string> ReadInput(const std::string& file);

// The document that `file` holds, found to be right. YAML by its name (.yaml, .yml), JSON by its
// name (.json) or because it begins with a brace, else YAML.
absl::StatusOr<std::shared_ptr<const route::RuleSet>> ReadDocument(const std::string& file);

// For people: indented, the keys in the order in which they were written. What is no JSON stays as
// it is. Ends with a line break.
std::string Pretty(const std::string& document);

// "3 rules and a default", "no rules".
std::string CountedRules(const route::RuleSet& rules);

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_RULES_DOCUMENT_H_
