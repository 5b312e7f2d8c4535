#include "src/cli/options.h"

#include <cstdint>

namespace turnout::cli {

std::chrono::milliseconds ToMilliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

void AddOutputOptions(CLI::App& command, bool& json, int& verbosity) {
  command.add_flag("--json", json, "Print JSON");
  command.add_flag("-v,--verbose", verbosity, "Log on stderr what the library does; -vv: all");
}

void AddTimeout(CLI::App& command, double& seconds) {
  command.add_option("--timeout", seconds, "How long to try to reach etcd")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.1, kLongestSeconds).description(""))
      ->capture_default_str();
}

}  // namespace turnout::cli
