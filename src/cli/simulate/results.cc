#include "src/cli/simulate/results.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"

namespace turnout::cli {
namespace {

using simulate::Policy;
using simulate::Summary;

// 0 if the bound is not among them.
double BoundP99(const SimulationResult& result, double load) {
  const auto bound = std::ranges::find_if(result.runs, [load](const SimulatedRun& run) {
    return run.load == load && run.policy.kind == Policy::Kind::kBound;
  });
  return bound == result.runs.end() ? 0 : bound->summary.p99_ms;
}

std::string Milliseconds(double ms) { return fmt::format("{:.1f}", ms); }

std::vector<std::string> Row(const SimulatedRun& run, double bound) {
  const Summary& summary = run.summary;
  // A call alone loads no server.
  const bool loads = run.policy.kind != Policy::Kind::kAlone;
  return {Printable(run.policy.name),
          Milliseconds(summary.p50_ms),
          Milliseconds(summary.p90_ms),
          Milliseconds(summary.p99_ms),
          Milliseconds(summary.p999_ms),
          fmt::format("{:.3f} %", 100 * summary.error_share),
          loads ? fmt::format("{:.3f}", summary.load_spread) : "",
          bound > 0 ? fmt::format("{:.2f}", summary.p99_ms / bound) : ""};
}

}  // namespace

std::string ResultTable(const SimulationResult& result, const Paint& paint) {
  std::string text;
  for (auto first = result.runs.begin(); first != result.runs.end();) {
    const double load = first->load;
    const auto last = std::find_if(first, result.runs.end(),
                                   [load](const SimulatedRun& run) { return run.load != load; });
    Table table({"POLICY", "P50", "P90", "P99", "P99.9", "ERRORS", "SPREAD", "P99/BOUND"});
    std::for_each(first, last, [&, bound = BoundP99(result, load)](const SimulatedRun& run) {
      table.Add(Row(run, bound));
    });
    text += fmt::format("{}{}, load {:.4g} %, {} calls, seed {}\n", text.empty() ? "" : "\n",
                        paint.Bold(Printable(result.scenario)), 100 * load, first->summary.calls,
                        result.seed);
    text += table.ToString(paint, "  ");
    first = last;
  }
  return text;
}

Json ToJson(const SimulationResult& result) {
  Json runs = Json::array();
  for (const auto& [policy, load, summary] : result.runs) {
    Json run = {{"policy", policy.name},
                {"load", load},
                {"calls", summary.calls},
                {"mean_ms", summary.mean_ms},
                {"p50_ms", summary.p50_ms},
                {"p90_ms", summary.p90_ms},
                {"p99_ms", summary.p99_ms},
                {"p999_ms", summary.p999_ms},
                {"error_share", summary.error_share}};
    if (policy.kind != Policy::Kind::kAlone) {
      run["load_spread"] = summary.load_spread;
      run["least_utilization"] = summary.least_utilization;
      run["most_utilization"] = summary.most_utilization;
    }
    runs.push_back(std::move(run));
  }
  return {{"scenario", result.scenario}, {"seed", result.seed}, {"runs", std::move(runs)}};
}

}  // namespace turnout::cli
