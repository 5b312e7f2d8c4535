// What is simulated: servers, clients, calls, and what goes wrong. Read from JSON; scenarios/ has
// those that come with the command, docs/simulating.md the meaning of every field.
#ifndef TURNOUT_SRC_SIMULATE_SCENARIO_H_
#define TURNOUT_SRC_SIMULATE_SCENARIO_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "src/simulate/processor.h"

namespace turnout::simulate {

// Work of others on a server's machine: comes and goes, and takes a share of the server's speed.
struct Antagonist {
  std::chrono::milliseconds mean_on{0};  // exponential, as is the time without; 0: never
  std::chrono::milliseconds mean_off{0};
  double least_share = 0;  // drawn anew each time it comes, uniform up to most_share
  double most_share = 0;

  bool present() const { return mean_on.count() > 0 && most_share > 0; }
  double MeanShare() const;
};

struct ServerGroup {
  std::int64_t count = 10;
  std::int64_t cores = 4;
  double speed = 1;
  Discipline discipline = Discipline::kProcessorSharing;
  std::uint32_t weight = 1;  // in the record
  double failing_share = 0;  // of the calls: answered UNAVAILABLE at once
  Antagonist antagonist;

  // Work a second that it can do in the mean.
  double Capacity() const;
};

// One server after another drains, stops, and comes back as a new instance that is slow at first.
struct Restarts {
  std::chrono::milliseconds every{0};  // from one server's drain to the next one's; 0: none
  std::chrono::milliseconds drain{0};  // announced, still serving
  std::chrono::milliseconds down{0};
  std::chrono::milliseconds cold{0};
  double cold_speed = 1;  // times its speed
};

struct Scenario {
  std::string description;
  std::int64_t clients = 20;
  std::int64_t calls = 100'000;                 // that are measured
  std::chrono::milliseconds warm_up{0};         // not measured
  std::chrono::milliseconds mean_service{100};  // of a call that has a core of speed 1 to itself
  double service_sigma = 1;                     // log-normal
  std::chrono::milliseconds deadline{0};
  std::chrono::milliseconds network_delay{0};  // each way
  std::chrono::milliseconds view_delay{0};     // until clients hear of a change in a record; mean
  std::int64_t retries = 0;                    // after UNAVAILABLE
  bool reports_in_flight = false;  // do servers report calls / cores as their utilization, too?
  std::vector<ServerGroup> servers;
  Restarts restarts;

  // Work a second that the servers can do in the mean, restarts counted.
  double Capacity() const;
  // Of a server that serves.
  double FastestSpeed() const;
};

// InvalidArgument names every error by its path: `servers[0].cores: must be 1 to 1024, got 0`.
absl::StatusOr<Scenario> ParseScenario(std::string_view json_text);

struct ShippedScenario {
  std::string_view name;
  std::string_view json;
};
// The files of scenarios/ as they were when the command was built, by name.
const std::vector<ShippedScenario>& ShippedScenarios();

}  // namespace turnout::simulate

#endif  // TURNOUT_SRC_SIMULATE_SCENARIO_H_
