// Has gnuplot draw the results.
#ifndef TURNOUT_SRC_CLI_SIMULATE_PLOT_H_
#define TURNOUT_SRC_CLI_SIMULATE_PLOT_H_

#include <string>

#include "absl/status/status.h"
#include "src/cli/simulate/results.h"

namespace turnout::cli {

// Can `file` be drawn? InvalidArgument if its ending is another than .svg or .png, or its folder is
// not there; FailedPrecondition says what to install if gnuplot is missing.
absl::Status CheckPlot(const std::string& file);

absl::Status Plot(const SimulationResult& result, const std::string& file);

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_SIMULATE_PLOT_H_
