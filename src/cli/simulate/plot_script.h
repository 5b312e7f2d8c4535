// What gnuplot is told to draw. Pure.
#ifndef TURNOUT_SRC_CLI_SIMULATE_PLOT_SCRIPT_H_
#define TURNOUT_SRC_CLI_SIMULATE_PLOT_SCRIPT_H_

#include <string>
#include <string_view>

#include "src/cli/simulate/results.h"

namespace turnout::cli {

// "svg" or "pngcairo" by the file's ending; empty if it is another.
std::string_view PlotTerminal(std::string_view file);

// One load: p50, p90 and p99 of each policy as bars. Several: p99 over the load, a line for each.
std::string PlotScript(const SimulationResult& result, std::string_view file);

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_SIMULATE_PLOT_SCRIPT_H_
