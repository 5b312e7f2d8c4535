#include "src/cli/simulate/plot.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "fmt/format.h"
#include "src/cli/demo/process.h"
#include "src/cli/simulate/plot_script.h"

namespace turnout::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kPatience{60};

// The shell finds it on PATH. `argument` is $0 in `command`.
absl::Status RunShell(const std::string& command, const std::string& argument) {
  auto process = Process::Start("gnuplot", {"/bin/sh", "-c", command, argument});
  if (!process.ok()) return process.status();
  return (*process)->AwaitSuccess(kPatience);
}

}  // namespace

absl::Status CheckPlot(const std::string& file) {
  if (PlotTerminal(file).empty()) {
    return absl::InvalidArgumentError(
        fmt::format("--plot {}: the file must end in .svg or .png", file));
  }
  const fs::path folder = fs::absolute(file).parent_path();
  if (std::error_code ignored; !fs::is_directory(folder, ignored)) {
    return absl::InvalidArgumentError(
        fmt::format("--plot {}: there is no folder {}", file, folder.string()));
  }
  if (RunShell("command -v gnuplot", "sh").ok()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "--plot needs gnuplot, which is not on PATH: apt install gnuplot-nox");
}

absl::Status Plot(const SimulationResult& result, const std::string& file) {
  std::string folder = (fs::temp_directory_path() / "turnout-plot-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    return absl::InternalError(fmt::format("no folder can be made at {}", folder));
  }
  const fs::path script = fs::path(folder) / "plot.gnuplot";
  std::ofstream(script) << PlotScript(result, fs::absolute(file).string());
  absl::Status status = RunShell("exec gnuplot \"$0\"", script.string());
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  return status;
}

}  // namespace turnout::cli
