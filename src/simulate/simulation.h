// One run: a scenario under one policy, at one load.
//
// Calls arrive as a Poisson process, at clients drawn at random, with log-normal work. A client's
// picker (the real one, by way of balance::BuildRoot) chooses the server; the call travels there,
// is worked on, and travels back; the client's statistics learn what they would learn in a channel.
// Time and the pickers' randomness are virtual. A run depends on its arguments alone, and arrivals,
// work and disturbances depend on the seed alone, so that policies are compared on the same calls.
#ifndef TURNOUT_SRC_SIMULATE_SIMULATION_H_
#define TURNOUT_SRC_SIMULATE_SIMULATION_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "src/simulate/measurement.h"
#include "src/simulate/scenario.h"

namespace turnout::simulate {

struct Policy {
  enum class Kind {
    kPickers,

    // Join the shortest queue with perfect knowledge: when a call reaches the servers, it goes
    // where it costs all calls together the least time (see Processor::CostOf). That takes the true
    // queues, speeds and states of all servers at that instant, which no client can know.
    kBound,

    // Each call has a core of the fastest server to itself: no call can be answered sooner.
    kAlone,
  };
  std::string name;  // for tables
  Kind kind = Kind::kPickers;
  std::string json = {};  // a list of pickers
};

struct RunOptions {
  double load = 0.8;  // calls' work, of what the servers can do in the mean
  std::uint64_t seed = 1;
  std::int64_t calls = 0;  // measured; 0: the scenario's
};

// InvalidArgument if the policy's configuration is wrong. Runs for some µs a call.
absl::StatusOr<Summary> Simulate(const Scenario& scenario, const Policy& policy,
                                 const RunOptions& options);

}  // namespace turnout::simulate

#endif  // TURNOUT_SRC_SIMULATE_SIMULATION_H_
