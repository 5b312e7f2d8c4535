// Options that several commands have.
#ifndef TURNOUT_SRC_CLI_OPTIONS_H_
#define TURNOUT_SRC_CLI_OPTIONS_H_

#include <chrono>

#include "CLI/CLI.hpp"

namespace turnout::cli {

inline constexpr double kLongestSeconds = 365.0 * 24 * 3600;

std::chrono::milliseconds ToMilliseconds(double seconds);

// What they refer to must live until the command line has been parsed.
void AddOutputOptions(CLI::App& command, bool& json, int& verbosity);
void AddTimeout(CLI::App& command, double& seconds);

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_OPTIONS_H_
