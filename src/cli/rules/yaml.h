// YAML as people write documents, made JSON. Pure.
#ifndef TURNOUT_SRC_CLI_RULES_YAML_H_
#define TURNOUT_SRC_CLI_RULES_YAML_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "src/cli/describe.h"

namespace turnout::cli {

// What plain words mean is YAML 1.2's core schema: `true` and `false` are booleans, `2` and `2.1`
// are numbers, `null` and nothing are null; `yes`, `no`, `v2` and all that is quoted are text.
// Aliases are followed. InvalidArgument says where: "3:5: …" is line 3, column 5; so it is for what
// JSON does not have (a key twice in one object, keys that are no words, tags, .inf) and for what
// would become more than JSON that a person has written.
absl::StatusOr<Json> ParseYaml(std::string_view text);

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_RULES_YAML_H_
