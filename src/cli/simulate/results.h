// The results of `turnout simulate`, as people read them and as programs do. Pure.
#ifndef TURNOUT_SRC_CLI_SIMULATE_RESULTS_H_
#define TURNOUT_SRC_CLI_SIMULATE_RESULTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "src/cli/describe.h"
#include "src/cli/text.h"
#include "src/simulate/measurement.h"
#include "src/simulate/simulation.h"

namespace turnout::cli {

struct SimulatedRun {
  simulate::Policy policy;
  double load = 0;
  simulate::Summary summary;
};

struct SimulationResult {
  std::string scenario;
  std::uint64_t seed = 1;
  std::vector<SimulatedRun> runs;  // those of one load follow one another, in the same order
};

// One table for each load. With the bound among the policies, it says how far the others are from
// it.
std::string ResultTable(const SimulationResult& result, const Paint& paint);

Json ToJson(const SimulationResult& result);

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_SIMULATE_RESULTS_H_
