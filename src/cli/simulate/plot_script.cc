#include "src/cli/simulate/plot_script.h"

#include <algorithm>

#include "fmt/format.h"

namespace turnout::cli {
namespace {

// As gnuplot reads it: nothing but the quote itself has a meaning in single quotes.
std::string Quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : Printable(text)) result.append(c == '\'' ? 2 : 1, c);
  return result + "'";
}

std::vector<std::string> PolicyNames(const SimulationResult& result) {
  std::vector<std::string> names;
  for (const SimulatedRun& run : result.runs) {
    if (std::ranges::find(names, run.policy.name) == names.end()) names.push_back(run.policy.name);
  }
  return names;
}

std::string Bars(const SimulationResult& result) {
  std::string data = "$data << END\n";
  std::string tics;
  for (std::size_t i = 0; i < result.runs.size(); ++i) {
    const auto& [policy, load, summary] = result.runs[i];
    data += fmt::format("{} {} {}\n", summary.p50_ms, summary.p90_ms, summary.p99_ms);
    tics += fmt::format("{}{} {}", i == 0 ? "" : ", ", Quoted(policy.name), i);
  }
  return data + "END\n" +
         fmt::format(
             "set style data histograms\n"
             "set style histogram clustered gap 1\n"
             "set style fill solid 0.8 noborder\n"
             "set xtics nomirror rotate by 35 right ({})\n"
             "plot $data using 1 title 'p50', '' using 2 title 'p90', '' using 3 title 'p99'\n",
             tics);
}

std::string Lines(const SimulationResult& result) {
  std::string data;
  std::string plots;
  const std::vector<std::string> names = PolicyNames(result);
  for (std::size_t i = 0; i < names.size(); ++i) {
    data += fmt::format("$data{} << END\n", i);
    for (const SimulatedRun& run : result.runs) {
      if (run.policy.name == names[i]) {
        data += fmt::format("{} {}\n", 100 * run.load, run.summary.p99_ms);
      }
    }
    data += "END\n";
    plots += fmt::format("{}$data{} using 1:2 with linespoints linewidth 2 title {}",
                         i == 0 ? "" : ", ", i, Quoted(names[i]));
  }
  return data +
         "set xlabel 'load, % of what the servers can do'\n"
         "set ylabel 'p99, ms'\n"
         "plot " +
         plots + "\n";
}

}  // namespace

std::string_view PlotTerminal(std::string_view file) {
  if (file.ends_with(".svg")) return "svg";
  return file.ends_with(".png") ? "pngcairo" : "";
}

std::string PlotScript(const SimulationResult& result, std::string_view file) {
  const bool one_load = std::ranges::all_of(
      result.runs, [&](const SimulatedRun& run) { return run.load == result.runs.front().load; });
  const std::string title =
      one_load && !result.runs.empty()
          ? fmt::format("{}, load {:.4g} %", result.scenario, 100 * result.runs.front().load)
          : result.scenario;
  return fmt::format(
             "set terminal {} noenhanced size 800,480 background 'white'\n"
             "set output {}\n"
             "set title {}\n"
             "set logscale y\n"
             "set ylabel 'latency, ms'\n"
             "set grid ytics\n"
             "set key outside right top\n",
             PlotTerminal(file), Quoted(file), Quoted(title)) +
         (one_load ? Bars(result) : Lines(result));
}

}  // namespace turnout::cli
