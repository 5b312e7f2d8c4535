#include "src/simulate/fleet.h"

#include <limits>
#include <string>
#include <utility>

#include "src/model/text.h"

namespace turnout::simulate {

using model::Concat;

Fleet::Fleet(const Scenario& scenario, std::uint64_t seed, EventQueue& events,
             const Machine::Answer& answer, OnChange on_change)
    : scenario_(scenario), events_(events), on_change_(std::move(on_change)) {
  base::SeededRandom seeds(seed);
  for (const ServerGroup& group : scenario.servers) {
    for (std::int64_t i = 0; i < group.count; ++i) {
      machines_.push_back(std::make_unique<Machine>(group, scenario.reports_in_flight, seeds.Next(),
                                                    events, answer));
    }
  }
  instances_.resize(size());
  starts_.resize(size());
  draining_.resize(size());
  for (std::size_t server = 0; server < size(); ++server) Register(server);
  if (scenario.restarts.every.count() > 0) {
    events_.After(scenario.restarts.every, [this] { Restart(0); });
  }
}

// A new start is a new instance: app-7.2 is the second of server 7.
void Fleet::Register(std::size_t server) {
  auto instance = std::make_shared<Instance>();
  instance->service = "simulated";
  instance->version = "v1";
  instance->id =
      Concat({"app-", std::to_string(server + 1), ".", std::to_string(++starts_[server])});
  instance->addresses = {
      Concat({"10.", std::to_string(server >> 16), ".", std::to_string((server >> 8) & 255U), ".",
              std::to_string(server & 255U), ":80"})};
  instance->weight = machines_[server]->group().weight;
  instances_[server] = std::move(instance);
}

void Fleet::Restart(std::size_t server) {
  const Restarts& restarts = scenario_.restarts;
  draining_[server] = true;
  on_change_({Change::Kind::kDraining, server});
  events_.After(restarts.drain, [this, server] {
    machines_[server]->Stop();
    on_change_({Change::Kind::kStopped, server});
  });
  events_.After(restarts.drain + restarts.down, [this, server] {
    draining_[server] = false;
    machines_[server]->Start(scenario_.restarts.cold_speed);
    Register(server);
    on_change_({Change::Kind::kJoined, server, instances_[server]});
  });
  events_.After(restarts.drain + restarts.down + restarts.cold,
                [this, server] { machines_[server]->SetSpeedFactor(1); });
  events_.After(restarts.every, [this, server] { Restart((server + 1) % size()); });
}

// Among equal costs, where the fewest calls are for what the server can do.
std::pair<double, double> Fleet::Cost(std::size_t server, double work) const {
  const Machine& machine = *machines_[server];
  const Processor& processor = machine.processor();
  if (machine.stopped() || draining_[server] || machine.group().failing_share > 0) {
    return {std::numeric_limits<double>::max(), 0};
  }
  return {processor.CostOf(work, events_.now()),
          static_cast<double>(processor.calls()) / (processor.cores() * processor.speed())};
}

std::size_t Fleet::Best(double work, base::RandomSource& random) const {
  std::size_t best = 0;
  auto least = Cost(best, work);
  std::uint64_t equals = 1;
  for (std::size_t server = 1; server < size(); ++server) {
    const auto cost = Cost(server, work);
    if (cost > least) continue;
    equals = cost < least ? 1 : equals + 1;
    least = cost;
    if (random.Below(equals) == 0) best = server;
  }
  return best;
}

}  // namespace turnout::simulate
