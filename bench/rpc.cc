// What version-aware picking from etcd costs a whole call: a channel to `etcd:///…` that asks for a
// version, beside stock round_robin on a fixed list of the same servers.
//
// Each channel is in a process of its own, as in real programs: what serves one could help or
// hinder another. The processes take turns by the clock, so that what disturbs the machine disturbs
// all, and each turn is compared with stock's of the same round. Stock is measured three times:
// alone; again, which shows the noise; and in a process that follows a service in etcd too, which
// tells what the picking costs from what the thread costs that keeps watches and leases.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "bench/support/benchmark.h"
#include "bench/support/client.h"
#include "bench/support/machine.h"
#include "bench/support/registry.h"
#include "bench/support/server.h"
#include "bench/support/statistics.h"
#include "tests/support/process.h"

namespace turnout::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kService[] = "bench.app";
constexpr int kServers = 3;
constexpr int kRounds = 30;
constexpr int kThreads = 4;
constexpr std::chrono::milliseconds kLatencyBlock{200};
constexpr std::chrono::milliseconds kThroughputBlock{300};
constexpr int kYourTurn = SIGUSR1;  // to a channel's process

struct Variant {
  const char* name;
  const char* load_balancing_config;  // of an etcd: channel, null for a stock one
  bool follows_etcd = true;
};
constexpr Variant kVariants[] = {
    {"round_robin", nullptr, /*follows_etcd=*/false},
    {"round_robin again", nullptr, /*follows_etcd=*/false},
    {"round_robin, in a process that follows etcd", nullptr},
    {"etcd, version, round_robin", kVersionThenRoundRobin},
    {"etcd, version, random", kVersionThenRandom},  // without further configuration
};
constexpr std::size_t kStock = 0;
constexpr std::size_t kStockFollowing = 2;
constexpr std::size_t kDefault = 4;

// What one turn has given.
struct Turn {
  double median_us = 0, p99_us = 0, calls_per_s = 0, cpu_us_per_call = 0;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(Turn, median_us, p99_us, calls_per_s, cpu_us_per_call)
};

// One value for each round.
struct Measured {
  std::vector<double> median_us, p99_us, calls_per_s, cpu_us_per_call;

  void Add(const Turn& turn) {
    median_us.push_back(turn.median_us);
    p99_us.push_back(turn.p99_us);
    calls_per_s.push_back(turn.calls_per_s);
    cpu_us_per_call.push_back(turn.cpu_us_per_call);
  }
};

double Microseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

absl::Status MeasureLatency(proto::Api::Stub& stub, const std::string& version, Turn& turn) {
  std::vector<double> latencies_us;
  Clock::time_point begin = Clock::now();
  const Clock::time_point end = begin + kLatencyBlock;
  while (begin < end) {
    if (Answer answer = Call(stub, version); !answer.status.ok()) return answer.status;
    const Clock::time_point now = Clock::now();
    latencies_us.push_back(Microseconds(now - begin));
    begin = now;
  }
  turn.median_us = Median(latencies_us);
  turn.p99_us = Percentile(latencies_us, 99);
  return absl::OkStatus();
}

absl::Status MeasureThroughput(proto::Api::Stub& stub, const std::string& version, Turn& turn) {
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
        if (!Call(stub, version).status.ok()) failed = true;
      }
      calls += own;
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (failed) return absl::UnavailableError("calls failed");
  const std::chrono::duration<double> taken = Clock::now() - begin;
  turn.calls_per_s = calls / taken.count();
  turn.cpu_us_per_call = Microseconds(CpuTime() - cpu_before) / calls;
  return absl::OkStatus();
}

// --child VARIANT TARGET ADDRESS,…: a line when connected, then one for each turn that it is given.
absl::Status MeasureHere(const std::vector<std::string>& arguments) {
  std::size_t index = 0;
  if (arguments.size() != 3 || !absl::SimpleAtoi(arguments[0], &index)) {
    return absl::InvalidArgumentError("--child VARIANT TARGET ADDRESS,...");
  }
  // In all threads that there will be: this one asks for it.
  sigset_t turns;
  sigemptyset(&turns);
  sigaddset(&turns, kYourTurn);
  pthread_sigmask(SIG_BLOCK, &turns, nullptr);

  const Variant& variant = kVariants[index];
  const bool stock = variant.load_balancing_config == nullptr;
  const auto channel = stock ? StockChannel(absl::StrSplit(arguments[2], ','))
                             : EtcdChannel(arguments[1], variant.load_balancing_config);
  const auto stub = proto::Api::NewStub(channel);
  const std::string version = stock ? "" : "v1";
  if (auto reached = ReachAll(*stub, version, kServers); !reached.ok()) return reached.status();
  std::unique_ptr<proto::Api::Stub> idle;
  if (stock && variant.follows_etcd) {
    idle = proto::Api::NewStub(EtcdChannel(arguments[1], kVersionThenRandom));
    if (auto reached = ReachAll(*idle, "v1", 1); !reached.ok()) return reached.status();
  }
  std::puts("connected");
  std::fflush(stdout);
  while (true) {
    int signal = 0;
    sigwait(&turns, &signal);
    Turn turn;
    if (absl::Status status = MeasureLatency(*stub, version, turn); !status.ok()) return status;
    if (absl::Status status = MeasureThroughput(*stub, version, turn); !status.ok()) return status;
    std::puts(nlohmann::json(turn).dump().c_str());
    std::fflush(stdout);
  }
}

// Round by round: what `values` are to `base`, in percent.
std::vector<double> PercentOf(const std::vector<double>& base, const std::vector<double>& values) {
  std::vector<double> percent;
  for (std::size_t i = 0; i < base.size(); ++i) percent.push_back(100 * values[i] / base[i]);
  return percent;
}

nlohmann::json Compared(const std::vector<double>& percent) {
  const Interval interval = MedianInterval95(percent);
  return {{"median", Median(percent)}, {"interval95", {interval.low, interval.high}}};
}

nlohmann::json Figures(const Variant& variant, const Measured& measured, const Measured& stock) {
  return {{"name", variant.name},
          {"latency_median_us", Summary(measured.median_us)},
          {"latency_p99_us", Summary(measured.p99_us)},
          {"calls_per_s", Summary(measured.calls_per_s)},
          {"client_cpu_us_per_call", Summary(measured.cpu_us_per_call)},
          {"percent_of_stock",
           {{"latency_median", Compared(PercentOf(stock.median_us, measured.median_us))},
            {"latency_p99", Compared(PercentOf(stock.p99_us, measured.p99_us))},
            {"calls_per_s", Compared(PercentOf(stock.calls_per_s, measured.calls_per_s))},
            {"client_cpu_per_call",
             Compared(PercentOf(stock.cpu_us_per_call, measured.cpu_us_per_call))}}}};
}

void Judge(Report& report, const Measured& ours, const Measured& stock, const std::string& whose) {
  const auto latency = PercentOf(stock.median_us, ours.median_us);
  report.AtMost("median latency of a call, of round_robin's" + whose, Median(latency), 103, "%",
                MedianInterval95(latency));
  const auto throughput = PercentOf(stock.calls_per_s, ours.calls_per_s);
  report.AtLeast(
      absl::StrCat("calls a second from ", kThreads, " threads, of round_robin's", whose),
      Median(throughput), 97, "%", MedianInterval95(throughput));
}

void ReportResults(Report& report, const std::vector<Measured>& measured) {
  report.figures() = {{"servers", kServers}, {"rounds", kRounds}, {"threads", kThreads}};
  for (std::size_t i = 0; i < measured.size(); ++i) {
    report.figures()["channels"].push_back(Figures(kVariants[i], measured[i], measured[kStock]));
  }
  Judge(report, measured[kDefault], measured[kStock], "");
  Judge(report, measured[kDefault], measured[kStockFollowing], " in a process that follows etcd");
}

absl::Status Run(Report& report) {
  Registry registry;
  report.machine()["etcd"] = registry.etcd_version();
  std::vector<std::unique_ptr<Server>> servers;
  std::vector<std::string> addresses;
  for (int i = 0; i < kServers; ++i) {
    auto server = Server::Start();
    if (!server.ok()) return server.status();
    addresses.push_back((*server)->Address(i));
    registry.Register(kService, {absl::StrCat("app-", i), "v1", addresses.back()});
    servers.push_back(*std::move(server));
  }
  std::vector<std::unique_ptr<testing::Process>> children;
  for (std::size_t i = 0; i < std::size(kVariants); ++i) {
    children.push_back(std::make_unique<testing::Process>(
        std::vector<std::string>{SelfPath(), "--child", absl::StrCat(i), registry.Target(kService),
                                 absl::StrJoin(addresses, ",")}));
    if (!children.back()->ReadLine().has_value()) {
      return absl::UnavailableError("a channel's process does not connect");
    }
  }
  std::vector<Measured> measured(children.size());
  for (std::size_t round = 0; round < kRounds; ++round) {
    for (std::size_t turn = 0; turn < children.size(); ++turn) {
      const std::size_t i = (round + turn) % children.size();  // each is first as often
      children[i]->Signal(kYourTurn);
      const auto line = children[i]->ReadLine();
      if (!line.has_value()) return absl::UnavailableError("a channel's process has ended");
      measured[i].Add(nlohmann::json::parse(*line).get<Turn>());
    }
    Progress(absl::StrFormat("round %2d of %d: %.1f us against %.1f us", round + 1, kRounds,
                             measured[kDefault].median_us.back(),
                             measured[kStock].median_us.back()));
  }
  ReportResults(report, measured);
  return absl::OkStatus();
}

}  // namespace
}  // namespace turnout::bench

int main(int argc, char** argv) {
  return turnout::bench::Main(
      {.name = "rpc", .run = turnout::bench::Run, .child = turnout::bench::MeasureHere}, argc,
      argv);
}
