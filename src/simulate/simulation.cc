#include "src/simulate/simulation.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "src/balance/policy_config.h"
#include "src/base/clock.h"
#include "src/base/random.h"
#include "src/model/text.h"
#include "src/simulate/client.h"
#include "src/simulate/event_queue.h"
#include "src/simulate/fleet.h"
#include "src/simulate/variates.h"

namespace turnout::simulate {
namespace {

// Hash policies are given the user: so many, each as active as the others.
constexpr std::uint64_t kUsers = 10'000;

struct Call final : public PickArgs {
  std::string_view path() const override { return "/simulated.Service/Call"; }
  std::optional<std::string_view> Metadata(std::string_view key) const override {
    return key == "user" ? std::optional<std::string_view>(user) : std::nullopt;
  }
  int attempt() const override { return attempts; }
  bool Tried(const Endpoint& endpoint) const override {
    return std::ranges::find(tried, &endpoint.stats()) != tried.end();
  }

  std::size_t client = 0;
  bool measured = false;
  double work = 0;
  std::string user;
  base::TimePoint start;
  int attempts = 0;  // that were sent
  std::vector<const InstanceStats*> tried;

  // Of the attempt that is under way.
  base::TimePoint attempt_start;
  std::size_t server = 0;
  std::shared_ptr<InstanceStats> stats;  // null: there is none, or nobody keeps any
  PickResult::FinishCallback on_finish;
};

// What is drawn from the seed: streams that do not disturb each other.
struct Streams {
  explicit Streams(base::SeededRandom seeds)
      : arrivals(seeds.Next()),
        fleet_seed(seeds.Next()),
        view(seeds.Next()),
        pickers(seeds.Next()),
        bound(seeds.Next()) {}

  base::SeededRandom arrivals;
  std::uint64_t fleet_seed;
  base::SeededRandom view, pickers, bound;
};

class Run {
 public:
  Run(const Scenario& scenario, Policy::Kind kind, const RunOptions& options)
      : scenario_(scenario),
        kind_(kind),
        streams_(base::SeededRandom(options.seed)),
        clock_(events_.now()),
        random_(streams_.pickers),
        fleet_(
            scenario, streams_.fleet_seed, events_,
            [this](CallId id, const absl::Status& status, const LoadReport& report) {
              Answer(id, status, report);
            },
            [this](const Change& change) { Publish(change); }),
        mean_gap_(Seconds(scenario.mean_service) / (options.load * scenario.Capacity())),
        calls_(options.calls > 0 ? options.calls : scenario.calls) {}

  absl::Status SetUp(std::string_view picker_json);
  Summary Go();

 private:
  void Publish(const Change& change);
  void Rebuild(std::size_t client);
  void RebuildEvery(std::size_t client, std::chrono::nanoseconds period);

  void ExpectArrival();
  void Arrive();
  void Attempt(CallId id);
  void Send(CallId id);
  void Reach(CallId id);
  void Answer(CallId id, const absl::Status& status, const LoadReport& report);
  void Return(CallId id, const absl::Status& status, const LoadReport& report);
  void Expire(CallId id);
  void CloseAttempt(Call& call, const absl::Status& status, const LoadReport* report);
  void End(CallId id, const absl::Status& status);

  void MarkUtilization();
  std::vector<double> Utilizations() const;

  const Scenario& scenario_;
  const Policy::Kind kind_;
  EventQueue events_;
  Streams streams_;
  const base::ScopedClock clock_;
  const base::ScopedRandom random_;
  Fleet fleet_;
  std::vector<Client> clients_;
  std::vector<std::chrono::nanoseconds> view_delays_;
  std::vector<std::vector<CallId>> waiting_;  // of each client: until its next picker

  const double mean_gap_;
  const std::int64_t calls_;
  std::int64_t measured_ = 0;  // that have arrived
  CallId last_id_ = 0;
  std::unordered_map<CallId, Call> under_way_;
  Measurement measurement_;
  std::vector<double> busy_before_, busy_after_;
  base::TimePoint measured_since_, measured_until_;
};

// The clients: the two bounds have none.
absl::Status Run::SetUp(std::string_view picker_json) {
  const std::string json = model::Concat({R"({"picker":)", picker_json, "}"});
  const auto clients = static_cast<std::size_t>(scenario_.clients);
  waiting_.resize(clients);
  for (std::size_t client = 0; client < clients; ++client) {
    // Each is a process of its own: it shares no state of a builder with others.
    auto config = balance::ParsePolicyConfig("turnout", json);
    if (!config.ok()) return config.status();
    clients_.emplace_back(*std::move(config), events_);
    view_delays_.push_back(
        Nanoseconds(Seconds(scenario_.view_delay) * Uniform(streams_.view, 0.5, 1.5)));
    for (std::size_t server = 0; server < fleet_.size(); ++server) {
      clients_[client].Learn({Change::Kind::kJoined, server, fleet_.instance(server)});
    }
    clients_[client].Rebuild();
    if (const auto period = clients_[client].builder().rebuild_period(); period.has_value()) {
      const auto offset = *period * Uniform(streams_.view, 0, 1);
      events_.After(std::chrono::duration_cast<std::chrono::nanoseconds>(offset),
                    [this, client, period] { RebuildEvery(client, *period); });
    }
  }
  return absl::OkStatus();
}

void Run::Publish(const Change& change) {
  for (std::size_t client = 0; client < clients_.size(); ++client) {
    if (change.kind == Change::Kind::kStopped) {  // a broken connection shows sooner than a record
      events_.After(scenario_.network_delay, [this, client, server = change.server] {
        clients_[client].Disconnected(server);
        Rebuild(client);
      });
    }
    events_.After(view_delays_[client], [this, client, change] {
      clients_[client].Learn(change);
      Rebuild(client);
    });
  }
}

void Run::Rebuild(std::size_t client) {
  clients_[client].Rebuild();
  for (const CallId id : std::exchange(waiting_[client], {})) {
    if (under_way_.contains(id)) Attempt(id);
  }
}

void Run::RebuildEvery(std::size_t client, std::chrono::nanoseconds period) {
  Rebuild(client);
  events_.After(period, [this, client, period] { RebuildEvery(client, period); });
}

Summary Run::Go() {
  events_.After(scenario_.warm_up, [this] { MarkUtilization(); });
  ExpectArrival();
  while (measurement_.calls() < static_cast<std::size_t>(calls_)) events_.RunNext();
  return measurement_.Summarize(Utilizations());
}

void Run::ExpectArrival() {
  events_.After(Nanoseconds(Exponential(streams_.arrivals, mean_gap_)), [this] { Arrive(); });
}

// Arrivals go on until the last measured call has ended, so that it meets the load that all met.
void Run::Arrive() {
  const CallId id = ++last_id_;
  Call& call = under_way_[id];
  call.client = streams_.arrivals.Below(static_cast<std::uint64_t>(scenario_.clients));
  call.work =
      Seconds(scenario_.mean_service) * LogNormal(streams_.arrivals, scenario_.service_sigma);
  call.user = std::to_string(streams_.arrivals.Below(kUsers));
  call.start = events_.now();
  call.measured = busy_before_.size() == fleet_.size() && measured_ < calls_;
  if (call.measured && ++measured_ == calls_) MarkUtilization();
  ExpectArrival();
  events_.After(scenario_.deadline, [this, id] { Expire(id); });
  Attempt(id);
}

void Run::Attempt(CallId id) {
  Call& call = under_way_.at(id);
  if (kind_ != Policy::Kind::kPickers) return Send(id);
  const Client& client = clients_[call.client];
  PickResult result = client.Pick(call);
  switch (result.kind()) {
    case PickResult::Kind::kQueue:
      waiting_[call.client].push_back(id);
      return;
    case PickResult::Kind::kFail:
    case PickResult::Kind::kDrop:
      return End(id, result.status());
    case PickResult::Kind::kEndpoint:
      break;
  }
  call.server = client.ServerOf(*result.endpoint());
  call.stats = result.endpoint()->member.stats;
  call.on_finish = result.TakeFinishCallback();
  call.stats->CallStarted();
  Send(id);
}

void Run::Send(CallId id) {
  Call& call = under_way_.at(id);
  ++call.attempts;
  call.attempt_start = events_.now();
  events_.After(scenario_.network_delay, [this, id] { Reach(id); });
}

void Run::Reach(CallId id) {
  const auto found = under_way_.find(id);
  if (found == under_way_.end()) return;  // its deadline was shorter than the way
  Call& call = found->second;
  if (kind_ == Policy::Kind::kAlone) {
    events_.After(Nanoseconds(call.work / scenario_.FastestSpeed()),
                  [this, id] { Answer(id, absl::OkStatus(), {}); });
    return;
  }
  if (kind_ == Policy::Kind::kBound) call.server = fleet_.Best(call.work, streams_.bound);
  fleet_.machine(call.server).Arrive(id, call.work);
}

void Run::Answer(CallId id, const absl::Status& status, const LoadReport& report) {
  events_.After(scenario_.network_delay,
                [this, id, status, report] { Return(id, status, report); });
}

void Run::Return(CallId id, const absl::Status& status, const LoadReport& report) {
  const auto found = under_way_.find(id);
  if (found == under_way_.end()) return;  // expired in the meantime
  Call& call = found->second;
  CloseAttempt(call, status, &report);
  const bool again = absl::IsUnavailable(status) && call.attempts <= scenario_.retries;
  if (!again) return End(id, status);
  Attempt(id);
}

void Run::Expire(CallId id) {
  const auto found = under_way_.find(id);
  if (found == under_way_.end()) return;
  Call& call = found->second;
  const absl::Status status = absl::DeadlineExceededError("deadline");
  // The cancellation travels, too.
  events_.After(scenario_.network_delay,
                [this, id, server = call.server] { fleet_.machine(server).Cancel(id); });
  CloseAttempt(call, status, nullptr);
  End(id, status);
}

// As the adapter does it for a channel.
void Run::CloseAttempt(Call& call, const absl::Status& status, const LoadReport* report) {
  if (call.stats == nullptr) return;
  const base::TimePoint now = events_.now();
  CallOutcome outcome{.status = status, .duration = now - call.attempt_start};
  outcome.latency = outcome.duration;
  outcome.load = report;
  if (status.ok() || absl::IsDeadlineExceeded(status)) {
    call.stats->Answered(outcome.duration, now);
  }
  call.stats->CallFinished(status, now);
  if (report != nullptr) call.stats->LoadReported(*report, now);
  if (call.on_finish) std::exchange(call.on_finish, nullptr)(outcome);
  call.stats->CallEnded();
  call.tried.push_back(call.stats.get());
  call.stats.reset();
}

void Run::End(CallId id, const absl::Status& status) {
  const Call& call = under_way_.at(id);
  if (call.measured) measurement_.Add(status, events_.now() - call.start);
  under_way_.erase(id);
}

void Run::MarkUtilization() {
  std::vector<double>& busy = busy_before_.empty() ? busy_before_ : busy_after_;
  (busy_before_.empty() ? measured_since_ : measured_until_) = events_.now();
  busy.reserve(fleet_.size());
  for (std::size_t server = 0; server < fleet_.size(); ++server) {
    busy.push_back(fleet_.machine(server).processor().BusySeconds(events_.now()));
  }
}

std::vector<double> Run::Utilizations() const {
  std::vector<double> shares;
  if (kind_ == Policy::Kind::kAlone) return shares;
  const double seconds = Seconds(measured_until_ - measured_since_);
  for (std::size_t server = 0; server < fleet_.size(); ++server) {
    const Machine& machine = fleet_.machine(server);
    if (machine.group().failing_share >= 1 || seconds <= 0) continue;
    shares.push_back((busy_after_[server] - busy_before_[server]) /
                     (seconds * machine.processor().cores()));
  }
  return shares;
}

}  // namespace

absl::StatusOr<Summary> Simulate(const Scenario& scenario, const Policy& policy,
                                 const RunOptions& options) {
  Run run(scenario, policy.kind, options);
  if (policy.kind == Policy::Kind::kPickers) {
    if (absl::Status status = run.SetUp(policy.json); !status.ok()) return status;
  }
  return run.Go();
}

}  // namespace turnout::simulate
