// `turnout simulate`: policies compared on simulated servers.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "fmt/format.h"
#include "src/cli/commands.h"
#include "src/cli/describe.h"
#include "src/cli/failure.h"
#include "src/cli/simulate/plot.h"
#include "src/cli/simulate/results.h"
#include "src/simulate/policies.h"
#include "src/simulate/scenario.h"
#include "src/simulate/simulation.h"

namespace turnout::cli {
namespace {

using simulate::ParseScenario;
using simulate::Scenario;
using simulate::ShippedScenario;
using simulate::ShippedScenarios;

int ListScenarios(bool json) {
  Json list = Json::array();
  Table table({"SCENARIO", "WHAT IT IS"});
  for (const ShippedScenario& shipped : ShippedScenarios()) {
    const auto scenario = ParseScenario(shipped.json);
    if (!scenario.ok()) return ReportFailure(scenario.status());
    list.push_back({{"name", std::string(shipped.name)}, {"description", scenario->description}});
    table.Add({std::string(shipped.name), scenario->description});
  }
  if (json) {
    fmt::print("{}\n", Dump({{"scenarios", std::move(list)}}));
  } else {
    fmt::print("{}", table.ToString(Paint(WantsColour(STDOUT_FILENO))));
  }
  return kOk;
}

absl::StatusOr<std::string> ReadScenario(const std::string& name) {
  const auto& shipped = ShippedScenarios();
  const auto found = std::ranges::find(shipped, name, &ShippedScenario::name);
  if (found != shipped.end()) return std::string(found->json);
  std::error_code ignored;
  std::ifstream file;
  if (!std::filesystem::is_directory(name, ignored)) file.open(name);
  if (file.is_open()) {
    return std::string{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  return absl::InvalidArgumentError(
      fmt::format("{}: neither a scenario (`turnout simulate` lists them) nor a file that can be "
                  "read",
                  name));
}

// What is being done, on a terminal.
class Progress {
 public:
  explicit Progress(std::size_t all) : shown_(isatty(STDERR_FILENO) != 0), all_(all) {}
  ~Progress() {
    if (shown_) fmt::print(stderr, "\r\x1b[K");
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Done(const SimulatedRun& run) {
    if (!shown_) return;
    const std::lock_guard lock(mutex_);
    fmt::print(stderr, "\r\x1b[K{} of {} runs done: {} at {:.4g} %", ++done_, all_,
               Printable(run.policy.name), 100 * run.load);
  }

 private:
  const bool shown_;
  const std::size_t all_;
  std::mutex mutex_;
  std::size_t done_ = 0;
};

// All runs, as many at a time as there are processors. Each depends on its own arguments alone.
absl::Status RunAll(const Scenario& scenario, const SimulateOptions& options,
                    std::vector<SimulatedRun>& runs) {
  Progress progress(runs.size());
  std::atomic<std::size_t> next{0};
  std::vector<absl::Status> failures(runs.size());
  const auto work = [&] {
    for (std::size_t i = next++; i < runs.size(); i = next++) {
      const auto summary =
          simulate::Simulate(scenario, runs[i].policy,
                             {.load = runs[i].load, .seed = options.seed, .calls = options.calls});
      if (summary.ok()) runs[i].summary = *summary;
      failures[i] = summary.status();
      progress.Done(runs[i]);
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (unsigned int i = 1; i < std::thread::hardware_concurrency(); ++i) {
      helpers.emplace_back(work);
    }
    work();
  }
  const auto failed =
      std::ranges::find_if(failures, [](const absl::Status& status) { return !status.ok(); });
  return failed == failures.end() ? absl::OkStatus() : *failed;
}

}  // namespace

int RunSimulate(const SimulateOptions& options) {
  if (options.scenario.empty()) return ListScenarios(options.json);
  const auto text = ReadScenario(options.scenario);
  if (!text.ok()) return ReportFailure(text.status());
  const auto scenario = ParseScenario(*text);
  if (!scenario.ok()) return ReportFailure(scenario.status());
  const auto policies = options.policies.empty() ? simulate::DefaultPolicies()
                                                 : simulate::ParsePolicies(options.policies);
  if (!policies.ok()) return ReportFailure(policies.status());
  if (!options.plot.empty()) {
    if (absl::Status status = CheckPlot(options.plot); !status.ok()) return ReportFailure(status);
  }

  SimulationResult result{.scenario = options.scenario, .seed = options.seed};
  for (const double load : options.loads) {
    for (const simulate::Policy& policy : *policies) result.runs.push_back({policy, load, {}});
  }
  if (absl::Status status = RunAll(*scenario, options, result.runs); !status.ok()) {
    return ReportFailure(status);
  }
  if (options.json) {
    fmt::print("{}\n", Dump(ToJson(result)));
  } else {
    fmt::print("{}", ResultTable(result, Paint(WantsColour(STDOUT_FILENO))));
  }
  if (options.plot.empty()) return kOk;
  const absl::Status status = Plot(result, options.plot);
  return status.ok() ? kOk : ReportFailure(status);
}

}  // namespace turnout::cli
