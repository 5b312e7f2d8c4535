// What `turnout simulate --policies` may name.
#ifndef TURNOUT_SRC_SIMULATE_POLICIES_H_
#define TURNOUT_SRC_SIMULATE_POLICIES_H_

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "src/simulate/simulation.h"

namespace turnout::simulate {

// Those that are worth comparing; the bounds last.
const std::vector<Policy>& DefaultPolicies();

// `random,least_request_5,[{"peak_ewma":{}}],bound`: separated by commas, each the name of a
// default policy, the name of a picker (without parameters), or a list of pickers as in a
// configuration. InvalidArgument names what is none of these.
absl::StatusOr<std::vector<Policy>> ParsePolicies(std::string_view text);

}  // namespace turnout::simulate

#endif  // TURNOUT_SRC_SIMULATE_POLICIES_H_
