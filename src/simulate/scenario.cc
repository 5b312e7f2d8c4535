#include "src/simulate/scenario.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "src/balance/config_place.h"
#include "src/balance/json.h"
#include "src/model/text.h"
#include "src/simulate/event_queue.h"
#include "turnout/config_reader.h"

namespace turnout::simulate {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kHour = std::chrono::hours(1);
constexpr std::size_t kMostServers = 10'000;
constexpr int kDeadlineFactor = 20;  // times the mean service

Antagonist ReadAntagonist(ConfigReader& config) {
  Antagonist antagonist;
  antagonist.mean_on = config.Duration("antagonistOn", {milliseconds(0), milliseconds(0), kHour});
  antagonist.mean_off = config.Duration("antagonistOff", {milliseconds(0), milliseconds(0), kHour});
  antagonist.least_share = config.Number("antagonistLeast", {0, 0, 0.99});
  antagonist.most_share = config.Number("antagonistMost", {0, 0, 0.99});
  if (antagonist.least_share > antagonist.most_share) {
    config.Error("antagonistLeast", "must be at most antagonistMost");
  }
  return antagonist;
}

ServerGroup ReadServers(ConfigReader& config) {
  constexpr std::string_view kDisciplines[] = {"processorSharing", "fifo"};
  ServerGroup group;
  group.count = config.Integer("count", {group.count, 1, static_cast<int>(kMostServers)});
  group.cores = config.Integer("cores", {group.cores, 1, 1024});
  group.speed = config.Number("speed", {group.speed, 0.001, 1000});
  group.discipline = static_cast<Discipline>(config.Choice("queue", kDisciplines, 0));
  group.weight = static_cast<std::uint32_t>(config.Integer("weight", {group.weight, 0, 65535}));
  group.failing_share = config.Number("failingShare", {0, 0, 1});
  group.antagonist = ReadAntagonist(config);
  return group;
}

Restarts ReadRestarts(ConfigReader& config) {
  const auto duration = [&config](std::string_view key) {
    return config.Duration(key, {milliseconds(0), milliseconds(0), kHour});
  };
  Restarts restarts;
  restarts.every = duration("restartEvery");
  restarts.drain = duration("restartDrain");
  restarts.down = duration("restartDown");
  restarts.cold = duration("restartCold");
  restarts.cold_speed = config.Number("restartColdSpeed", {1, 0.01, 1});
  return restarts;
}

Scenario ReadScenario(ConfigReader& config) {
  Scenario scenario;
  scenario.description = config.String("description", "");
  scenario.clients = config.Integer("clients", {scenario.clients, 1, 10'000});
  scenario.calls = config.Integer("calls", {scenario.calls, 1, 100'000'000});
  scenario.warm_up = config.Duration("warmUp", {milliseconds(0), milliseconds(0), kHour});
  scenario.mean_service =
      config.Duration("meanService", {scenario.mean_service, milliseconds(1), kHour});
  scenario.service_sigma = config.Number("serviceSigma", {scenario.service_sigma, 0, 3});
  scenario.deadline = config.Duration("deadline", {scenario.mean_service * kDeadlineFactor,
                                                   milliseconds(1), 2 * kDeadlineFactor * kHour});
  scenario.network_delay =
      config.Duration("networkDelay", {milliseconds(0), milliseconds(0), kHour});
  scenario.view_delay = config.Duration("viewDelay", {milliseconds(0), milliseconds(0), kHour});
  scenario.retries = config.Integer("retries", {0, 0, 10});
  scenario.reports_in_flight = config.Bool("reportsInFlight", false);
  config.Objects("servers",
                 [&](ConfigReader& group) { scenario.servers.push_back(ReadServers(group)); });
  scenario.restarts = ReadRestarts(config);

  std::int64_t servers = 0;
  for (const ServerGroup& group : scenario.servers) servers += group.count;
  if (servers < 1 || servers > static_cast<std::int64_t>(kMostServers)) {
    config.Error("servers", "must be 1 to 10000 in all, got " + std::to_string(servers));
  } else if (scenario.Capacity() <= 0) {
    config.Error("servers", "must be able to serve some calls in the mean");
  }
  return scenario;
}

}  // namespace

double Antagonist::MeanShare() const {
  if (!present()) return 0;
  const double on = Seconds(mean_on);
  return on / (on + Seconds(mean_off)) * (least_share + most_share) / 2;
}

double ServerGroup::Capacity() const {
  return static_cast<double>(count * cores) * speed * (1 - antagonist.MeanShare()) *
         (1 - failing_share);
}

double Scenario::Capacity() const {
  double capacity = 0;
  std::int64_t count = 0;
  for (const ServerGroup& group : servers) {
    capacity += group.Capacity();
    count += group.count;
  }
  if (restarts.every.count() == 0) return capacity;
  const double away = Seconds(restarts.drain + restarts.down) / Seconds(restarts.every);
  return capacity * (1 - away / static_cast<double>(count));
}

double Scenario::FastestSpeed() const {
  double fastest = 0;
  for (const ServerGroup& group : servers) {
    if (group.failing_share < 1) fastest = std::max(fastest, group.speed);
  }
  return fastest;
}

absl::StatusOr<Scenario> ParseScenario(std::string_view json_text) {
  const auto json = balance::ParseJson(json_text);
  if (!json.ok()) return json.status();
  Scenario scenario;
  std::vector<std::string> errors;
  balance::ReadObject(*json, {.path = "scenario", .errors = &errors},
                      [&](ConfigReader& config) { scenario = ReadScenario(config); });
  if (absl::Status status = balance::ToStatus(errors); !status.ok()) return status;
  return scenario;
}

}  // namespace turnout::simulate
