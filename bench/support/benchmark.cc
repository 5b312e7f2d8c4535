#include "bench/support/benchmark.h"

#include <cstdio>
#include <filesystem>
#include <span>

#include "absl/strings/str_cat.h"
#include "bench/support/server.h"

namespace turnout::bench {
namespace {

constexpr int kFailed = 1;
constexpr int kBadUsage = 2;

int Outcome(const Benchmark& benchmark, const absl::Status& status) {
  if (status.ok()) return 0;
  Progress(absl::StrCat("bench_", benchmark.name, ": ", status.message()));
  return kFailed;
}

int Measure(const Benchmark& benchmark, const std::string& command, const std::string& out) {
  Report report(benchmark.name, command);
  const absl::Status status = benchmark.run(report);
  if (!status.ok()) return Outcome(benchmark, status);
  if (!report.Write(out)) return Outcome(benchmark, absl::UnknownError("cannot write " + out));
  Progress("wrote " + out);
  return 0;
}

}  // namespace

int Main(const Benchmark& benchmark, int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty() && arguments[0] == "--server") return Outcome(benchmark, Serve());
  if (!arguments.empty() && arguments[0] == "--child" && benchmark.child != nullptr) {
    return Outcome(benchmark, benchmark.child({arguments.begin() + 1, arguments.end()}));
  }
  std::string out = "build/bench/" + benchmark.name + ".json";
  if (arguments.size() == 2 && arguments[0] == "--out") {
    out = arguments[1];
  } else if (!arguments.empty()) {
    Progress("usage: bench_" + benchmark.name + " [--out FILE]");
    return kBadUsage;
  }
  std::string command;
  for (const char* word : std::span(argv, static_cast<std::size_t>(argc))) {
    command += (command.empty() ? "" : " ") + std::string(word);
  }
  return Measure(benchmark, command, out);
}

std::string SelfPath() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

void Progress(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }

}  // namespace turnout::bench
