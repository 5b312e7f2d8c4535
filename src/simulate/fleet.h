// All servers of a simulation: their machines, their records, and their restarts.
#ifndef TURNOUT_SRC_SIMULATE_FLEET_H_
#define TURNOUT_SRC_SIMULATE_FLEET_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "src/base/random.h"
#include "src/simulate/event_queue.h"
#include "src/simulate/machine.h"
#include "src/simulate/scenario.h"
#include "turnout/instance.h"

namespace turnout::simulate {

// What happened to a server, for those who will hear of it.
struct Change {
  enum class Kind {
    kJoined,    // `instance` is registered
    kDraining,  // it has announced its end
    kStopped,   // its connections have broken, its record is gone
  };
  Kind kind;
  std::size_t server;
  std::shared_ptr<const Instance> instance = nullptr;
};

class Fleet {
 public:
  using OnChange = std::function<void(const Change&)>;

  // The scenario and the queue outlive the fleet's events.
  Fleet(const Scenario& scenario, std::uint64_t seed, EventQueue& events,
        const Machine::Answer& answer, OnChange on_change);

  std::size_t size() const { return machines_.size(); }
  Machine& machine(std::size_t server) { return *machines_[server]; }
  const Machine& machine(std::size_t server) const { return *machines_[server]; }
  std::shared_ptr<const Instance> instance(std::size_t server) const { return instances_[server]; }

  // The server that a policy with perfect knowledge sends a call to: see docs/simulating.md. It
  // needs no view, no statistics, no luck. Equals are told apart by `random`. Any server if none
  // works.
  std::size_t Best(double work, base::RandomSource& random) const;

 private:
  void Restart(std::size_t server);
  void Register(std::size_t server);
  std::pair<double, double> Cost(std::size_t server, double work) const;

  const Scenario& scenario_;
  EventQueue& events_;
  const OnChange on_change_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::vector<std::shared_ptr<const Instance>> instances_;
  std::vector<int> starts_;
  std::vector<bool> draining_;
};

}  // namespace turnout::simulate

#endif  // TURNOUT_SRC_SIMULATE_FLEET_H_
