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
#include "bench/pick_policies.h"
#include "bench/pick_pure.h"
#include "bench/support/benchmark.h"
#include "bench/support/client.h"
#include "bench/support/machine.h"
#include "bench/support/registry.h"
#include "bench/support/server.h"
#include "src/grpc/v1_51/pick_timer.h"

namespace turnout::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kVersions = 5;
const std::string& VersionOf(int instance) {
  static const auto& names = *new std::vector<std::string>{"v1", "v2", "v3", "v4", "v5"};
  return names[static_cast<std::size_t>(instance % kVersions)];
}

constexpr int kConnected[] = {10, 1000};
constexpr int kWarmUpCalls = 5000;
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
                                              const std::string& version, double clock_cost) {
  const auto stub = proto::Api::NewStub(channel);
  for (int i = 0; i < kWarmUpCalls; ++i) {  // while connections come up
    if (Answer answer = Call(*stub, version); !answer.status.ok()) return answer.status;
  }
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

struct Variant {
  std::string name;
  std::string config;
};

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
    std::vector<Variant> variants = {{"stock round_robin", kStockRoundRobin}};
    for (const PickPolicy& policy : PickPolicies()) {
      variants.push_back({"version, " + policy.name,
                          absl::StrCat(R"([{"turnout":{"picker":)", policy.UnderVersion(), "}}]")});
    }
    for (const Variant& variant : variants) {
      const bool stock = variant.config == kStockRoundRobin;
      const std::string timed = Timed(variant.config);
      const auto channel = stock ? StockChannel(addresses, timed) : EtcdChannel(target, timed);
      const auto ns = TimePicks(channel, stock ? "" : "v3", clock_cost);
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
  if (absl::Status status = MeasurePurePicks(report); !status.ok()) return status;
  return MeasureThroughAdapter(report);
}

}  // namespace
}  // namespace turnout::bench

int main(int argc, char** argv) {
  return turnout::bench::Main({.name = "pick", .run = turnout::bench::Run}, argc, argv);
}
