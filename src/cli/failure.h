// How a command ends that could not do what it was asked to.
#ifndef TURNOUT_SRC_CLI_FAILURE_H_
#define TURNOUT_SRC_CLI_FAILURE_H_

#include <string_view>

#include "absl/status/status.h"

namespace turnout::cli {

// One line on stderr.
void PrintError(std::string_view message);

// Says what went wrong, and what to try. The exit status: that of a wrong command line if the
// library says that an option is wrong, else that of a failure.
int ReportFailure(const absl::Status& status);

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_FAILURE_H_
