// What one pick costs: in the pure layer (no gRPC), where its cost must not grow with the number of
// instances, and through the adapter, as a real channel's calls make it.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/support/benchmark.h"
#include "bench/support/client.h"
#include "bench/support/machine.h"
#include "bench/support/registry.h"
#include "bench/support/server.h"
#include "src/balance/policy_config.h"
#include "src/grpc/v1_51/pick_timer.h"

namespace turnout::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kVersions = 5;
const std::string& VersionOf(int instance) {
  static const auto& names = *new std::vector<std::string>{"v1", "v2", "v3", "v4", "v5"};
  return names[static_cast<std::size_t>(instance % kVersions)];
}

// --- in the pure layer

constexpr int kSizes[] = {10, 1000, 10000};
constexpr int kPicks = 20000;  // timed together: a clock's reading costs as much as a pick
constexpr int kRepetitions = 51;

class Args final : public PickArgs {
 public:
  std::string_view path() const override { return "/proto.Api/ApiTest"; }
  std::optional<std::string_view> Metadata(std::string_view key) const override {
    if (key == "version") return "v3";
    return std::nullopt;
  }
  int attempt() const override { return 0; }
  bool Tried(const Endpoint&) const override { return false; }
};

std::vector<Endpoint> MakeEndpoints(int count) {
  std::vector<Endpoint> endpoints;
  for (int i = 0; i < count; ++i) {
    auto instance = std::make_shared<Instance>();
    instance->service = "bench.app";
    instance->id = absl::StrFormat("app-%05d", i);
    instance->version = VersionOf(i);
    instance->addresses = {absl::StrFormat("10.%d.%d.%d:8089", i / 65536, i / 256 % 256, i % 256)};
    endpoints.push_back(
        {.member = {.instance = std::move(instance), .stats = std::make_shared<InstanceStats>()},
         .state = ConnectionState::kReady});
  }
  return endpoints;
}

struct Subject {
  std::string choice;
  int instances;
  std::vector<Endpoint> endpoints;
  std::shared_ptr<const balance::PolicyConfig> config;  // the picker may refer to it
  std::unique_ptr<const Picker> picker;
  std::vector<double> ns = {};  // for each repetition
};

absl::StatusOr<Subject> MakeSubject(const std::string& choice, int instances) {
  const auto config = balance::ParsePolicyConfig(
      "turnout", absl::StrCat(R"({"picker":[{"version":{"child":[{")", choice, R"(":{}}]}}]})"));
  if (!config.ok()) return config.status();
  Subject subject{choice, instances, MakeEndpoints(instances), *config, nullptr};
  subject.picker = balance::BuildRoot(**config, "bench.app", subject.endpoints);
  return subject;
}

absl::Status Measure(Subject& subject) {
  const Args args;
  int completed = 0;
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < kPicks; ++i) {
    completed += subject.picker->Pick(args).kind() == PickResult::Kind::kEndpoint ? 1 : 0;
  }
  const std::chrono::duration<double, std::nano> taken = Clock::now() - begin;
  subject.ns.push_back(taken.count() / kPicks);
  if (completed == kPicks) return absl::OkStatus();
  return absl::InternalError(subject.choice + ": a pick found no instance");
}

absl::Status MeasurePure(Report& report) {
  std::vector<Subject> subjects;
  for (const char* choice : {"random", "round_robin"}) {
    for (const int instances : kSizes) {
      auto subject = MakeSubject(choice, instances);
      if (!subject.ok()) return subject.status();
      subjects.push_back(*std::move(subject));
    }
  }
  // In turn, so that all meet the same clock frequency.
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    for (Subject& subject : subjects) {
      if (absl::Status status = Measure(subject); !status.ok()) return status;
    }
  }
  double at_10 = 0;
  for (const Subject& subject : subjects) {
    const std::string name = absl::StrCat("version, ", subject.choice);
    const double ns = Median(subject.ns);
    report.figures()["pure"][name][absl::StrCat(subject.instances)] = Summary(subject.ns);
    Progress(absl::StrFormat("%s, %d instances: %.1f ns", name, subject.instances, ns));
    if (subject.instances == 10) at_10 = ns;
    if (subject.instances == 10000) {
      report.AtMost(name + ", pure, 10,000 instances: one pick", ns, 150, "ns");
      report.AtMost(name + ", pure, 10,000 instances: of the cost at 10", ns / at_10, 3, "times");
    }
  }
  return absl::OkStatus();
}

// --- through the adapter

constexpr int kConnected[] = {10, 1000};
constexpr int kCalls = 10000;

// Between two readings of the clock without anything in between.
double ClockCost() {
  std::vector<double> ns;
  for (int i = 0; i < kCalls; ++i) {
    const Clock::time_point begin = Clock::now();
    ns.push_back(std::chrono::duration<double, std::nano>(Clock::now() - begin).count());
  }
  return Median(ns);
}

absl::StatusOr<std::vector<double>> TimePicks(const std::shared_ptr<grpc::Channel>& channel,
                                              const std::string& version, std::size_t instances,
                                              double clock_cost) {
  const auto stub = proto::Api::NewStub(channel);
  if (auto reached = ReachAll(*stub, version, instances); !reached.ok()) return reached.status();
  adapter::TakePickTimes();
  for (int i = 0; i < kCalls; ++i) {
    if (Answer answer = Call(*stub, version); !answer.status.ok()) return answer.status;
  }
  std::vector<double> ns;
  for (const std::chrono::nanoseconds taken : adapter::TakePickTimes()) {
    ns.push_back(static_cast<double>(taken.count()) - clock_cost);
  }
  return ns;
}

nlohmann::json Quantiles(const std::vector<double>& ns) {
  return {{"count", ns.size()},
          {"p10", Percentile(ns, 10)},
          {"median", Median(ns)},
          {"p90", Percentile(ns, 90)},
          {"p99", Percentile(ns, 99)}};
}

std::string Timed(const std::string& policy) {
  return absl::StrCat(R"([{"pick_timer":{"child":)", policy, "}}]");
}

absl::Status MeasureThroughAdapter(Report& report) {
  Registry registry;
  report.machine()["etcd"] = registry.etcd_version();
  auto server = Server::Start();
  if (!server.ok()) return server.status();
  const double clock_cost = ClockCost();
  report.figures()["adapter"] = {{"clock_cost_ns", clock_cost}};
  for (const int instances : kConnected) {
    const std::string service = absl::StrCat("bench.of", instances);
    std::vector<Registry::Entry> entries;
    std::vector<std::string> addresses;
    for (int i = 0; i < instances; ++i) {
      addresses.push_back((*server)->Address(i));
      entries.push_back({absl::StrFormat("app-%05d", i), VersionOf(i), addresses.back()});
    }
    registry.RegisterAll(service, entries);
    const std::string target = registry.Target(service);
    const struct {
      std::string name;
      std::shared_ptr<grpc::Channel> channel;
      std::string version;
      int reachable;
    } variants[] = {
        {"version, random", EtcdChannel(target, Timed(kVersionThenRandom)), "v3",
         instances / kVersions},
        {"version, round_robin", EtcdChannel(target, Timed(kVersionThenRoundRobin)), "v3",
         instances / kVersions},
        {"stock round_robin", StockChannel(addresses, Timed(kStockRoundRobin)), "", instances},
    };
    for (const auto& variant : variants) {
      const auto ns = TimePicks(variant.channel, variant.version,
                                static_cast<std::size_t>(variant.reachable), clock_cost);
      if (!ns.ok()) return ns.status();
      report.figures()["adapter"][variant.name][absl::StrCat(instances)] = Quantiles(*ns);
      Progress(absl::StrFormat("%s in a channel, %d instances: %.0f ns", variant.name, instances,
                               Median(*ns)));
    }
  }
  return absl::OkStatus();
}

absl::Status Run(Report& report) {
  adapter::RegisterPickTimer();
  AllowOpenFiles(2 * kConnected[1] + 2000);
  if (absl::Status status = MeasurePure(report); !status.ok()) return status;
  return MeasureThroughAdapter(report);
}

}  // namespace
}  // namespace turnout::bench

int main(int argc, char** argv) {
  return turnout::bench::Main({.name = "pick", .run = turnout::bench::Run}, argc, argv);
}
