// What version-aware picking from etcd costs a whole call: a channel to `etcd:///…` that asks for a
// version, beside stock round_robin on a fixed list of the same servers. Blocks of calls alternate
// between the channels, so that what disturbs the machine disturbs all; each block is compared with
// stock's of the same turn. A second stock channel, compared in the same way, shows the noise.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/support/benchmark.h"
#include "bench/support/client.h"
#include "bench/support/machine.h"
#include "bench/support/registry.h"
#include "bench/support/server.h"
#include "bench/support/statistics.h"

namespace turnout::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kServers = 3;
constexpr int kTurns = 32;
constexpr int kThreads = 4;
constexpr std::chrono::milliseconds kLatencyBlock{250};
constexpr std::chrono::milliseconds kThroughputBlock{350};

struct Variant {
  std::string name;
  std::shared_ptr<grpc::Channel> channel;
  std::string version;
  std::unique_ptr<proto::Api::Stub> stub = proto::Api::NewStub(channel);

  // One value for each turn.
  std::vector<double> median_us = {}, p99_us = {}, calls_per_s = {}, cpu_us_per_call = {};
};

double Microseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

absl::Status MeasureLatency(Variant& variant) {
  std::vector<double> latencies_us;
  const Clock::time_point end = Clock::now() + kLatencyBlock;
  for (Clock::time_point begin = Clock::now(); begin < end;) {
    if (Answer answer = Call(*variant.stub, variant.version); !answer.status.ok()) {
      return answer.status;
    }
    const Clock::time_point now = Clock::now();
    latencies_us.push_back(Microseconds(now - begin));
    begin = now;
  }
  variant.median_us.push_back(Median(latencies_us));
  variant.p99_us.push_back(Percentile(latencies_us, 99));
  return absl::OkStatus();
}

absl::Status MeasureThroughput(Variant& variant) {
  std::atomic<int> calls = 0;
  std::atomic<bool> failed = false;
  const std::chrono::nanoseconds cpu_before = CpuTime();
  const Clock::time_point begin = Clock::now();
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      int own = 0;
      for (; Clock::now() < begin + kThroughputBlock; ++own) {
        if (!Call(*variant.stub, variant.version).status.ok()) failed = true;
      }
      calls += own;
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (failed) return absl::UnavailableError(variant.name + ": calls failed");
  variant.calls_per_s.push_back(calls /
                                std::chrono::duration<double>(Clock::now() - begin).count());
  variant.cpu_us_per_call.push_back(Microseconds(CpuTime() - cpu_before) / calls);
  return absl::OkStatus();
}

// Turn by turn: what `values` are to `base`, in percent.
std::vector<double> PercentOf(const std::vector<double>& base, const std::vector<double>& values) {
  std::vector<double> percent;
  for (std::size_t i = 0; i < base.size(); ++i) percent.push_back(100 * values[i] / base[i]);
  return percent;
}

nlohmann::json Compared(const std::vector<double>& percent) {
  const Interval interval = MedianInterval95(percent);
  return {{"median", Median(percent)}, {"interval95", {interval.low, interval.high}}};
}

nlohmann::json Figures(const Variant& variant, const Variant& stock) {
  return {{"name", variant.name},
          {"latency_median_us", Summary(variant.median_us)},
          {"latency_p99_us", Summary(variant.p99_us)},
          {"calls_per_s", Summary(variant.calls_per_s)},
          {"client_cpu_us_per_call", Summary(variant.cpu_us_per_call)},
          {"percent_of_stock",
           {{"latency_median", Compared(PercentOf(stock.median_us, variant.median_us))},
            {"latency_p99", Compared(PercentOf(stock.p99_us, variant.p99_us))},
            {"calls_per_s", Compared(PercentOf(stock.calls_per_s, variant.calls_per_s))},
            {"client_cpu_per_call",
             Compared(PercentOf(stock.cpu_us_per_call, variant.cpu_us_per_call))}}}};
}

void ReportResults(Report& report, const std::vector<Variant>& variants) {
  const Variant& stock = variants[0];
  const Variant& turnout = variants.back();
  report.figures() = {{"servers", kServers}, {"turns", kTurns}, {"threads", kThreads}};
  for (const Variant& variant : variants) {
    report.figures()["channels"].push_back(Figures(variant, stock));
  }
  const auto latency = PercentOf(stock.median_us, turnout.median_us);
  report.AtMost("median latency of a call, of round_robin's", Median(latency), 103, "%",
                MedianInterval95(latency));
  const auto throughput = PercentOf(stock.calls_per_s, turnout.calls_per_s);
  report.AtLeast(absl::StrCat("calls a second from ", kThreads, " threads, of round_robin's"),
                 Median(throughput), 97, "%", MedianInterval95(throughput));
}

absl::Status Run(Report& report) {
  Registry registry;
  report.machine()["etcd"] = registry.etcd_version();
  const std::string service = "bench.app";
  std::vector<std::unique_ptr<Server>> servers;
  std::vector<std::string> addresses;
  for (int i = 0; i < kServers; ++i) {
    auto server = Server::Start();
    if (!server.ok()) return server.status();
    addresses.push_back((*server)->Address(i));
    registry.Register(service, {absl::StrCat("app-", i), "v1", addresses.back()});
    servers.push_back(*std::move(server));
  }
  std::vector<Variant> variants;
  variants.push_back({"round_robin", StockChannel(addresses), ""});
  variants.push_back({"round_robin again", StockChannel(addresses), ""});
  variants.push_back({"etcd, version, round_robin",
                      EtcdChannel(registry.Target(service), kVersionThenRoundRobin), "v1"});
  variants.push_back(
      {"etcd, version, random", EtcdChannel(registry.Target(service), kVersionThenRandom), "v1"});
  for (Variant& variant : variants) {
    if (auto reached = ReachAll(*variant.stub, variant.version, kServers); !reached.ok()) {
      return reached.status();
    }
  }
  for (std::size_t turn = 0; turn < kTurns; ++turn) {
    for (std::size_t i = 0; i < variants.size(); ++i) {
      Variant& variant = variants[(turn + i) % variants.size()];  // each begins as often
      if (absl::Status status = MeasureLatency(variant); !status.ok()) return status;
      if (absl::Status status = MeasureThroughput(variant); !status.ok()) return status;
    }
    Progress(absl::StrFormat("turn %2d of %d: %.1f us against %.1f us", turn + 1, kTurns,
                             variants.back().median_us.back(), variants[0].median_us.back()));
  }
  ReportResults(report, variants);
  return absl::OkStatus();
}

}  // namespace
}  // namespace turnout::bench

int main(int argc, char** argv) {
  return turnout::bench::Main({.name = "rpc", .run = turnout::bench::Run}, argc, argv);
}
