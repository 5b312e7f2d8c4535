// The frame of every benchmark program: its command line, its own server processes, its report.
//
//   bench_NAME [--out FILE]      measures, writes FILE (build/bench/NAME.json)
//   bench_NAME --server          is the servers' process, see Server
//   bench_NAME --child ARG…      is a process that a benchmark measures apart
//
// Exit status 0 whether or not targets are met, 1 if it could not measure, 2 for a wrong command
// line.
#ifndef TURNOUT_BENCH_SUPPORT_BENCHMARK_H_
#define TURNOUT_BENCH_SUPPORT_BENCHMARK_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bench/support/report.h"

namespace turnout::bench {

struct Benchmark {
  std::string name;
  std::function<absl::Status(Report&)> run;
  // Of `--child`: what it finds goes to standard output.
  std::function<absl::Status(const std::vector<std::string>& arguments)> child = nullptr;
};

int Main(const Benchmark& benchmark, int argc, char** argv);

// This program, to start it again.
std::string SelfPath();

// A line to standard error.
void Progress(const std::string& line);

}  // namespace turnout::bench

#endif  // TURNOUT_BENCH_SUPPORT_BENCHMARK_H_
