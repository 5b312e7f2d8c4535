// Many instances at once, beside stock round_robin on the same addresses: when the first call is
// answered, when every instance has answered, and what that took. Each measurement is a process of
// its own, so that CPU time and memory are its own.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/support/benchmark.h"
#include "bench/support/client.h"
#include "bench/support/machine.h"
#include "bench/support/registry.h"
#include "bench/support/server.h"
#include "tests/support/process.h"
#include "turnout/discovery.h"

namespace turnout::bench {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;

constexpr int kRepetitions = 3;
constexpr int kCounts[] = {1000, 4000};
constexpr char kEtcd[] = "etcd, version, round_robin";
constexpr char kStock[] = "round_robin";
constexpr int kSteadyCalls = 2000;
constexpr std::chrono::seconds kPatience{60};

double Milliseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

std::string ServiceOf(int count) { return absl::StrCat("bench.of", count); }

// When this process heard of its first snapshot.
class FirstSnapshot {
 public:
  explicit FirstSnapshot(const std::string& endpoint, const std::string& service) {
    auto subscription = Watch(service, {.endpoints = {endpoint}},
                              {.on_snapshot = [this](const std::shared_ptr<const Snapshot>&) {
                                std::call_once(once_, [this] { at_ = Clock::now(); });
                              }});
    if (subscription.ok()) subscription_ = *std::move(subscription);
  }
  // Read it after a call has been answered, which cannot be before.
  Clock::time_point at() const { return at_; }

 private:
  std::once_flag once_;
  Clock::time_point at_;
  std::unique_ptr<Subscription> subscription_;
};

// --child VARIANT COUNT SERVER-PORT ETCD: one JSON object on standard output.
absl::Status MeasureHere(const std::vector<std::string>& arguments) {
  int count = 0;
  if (arguments.size() != 4 || !absl::SimpleAtoi(arguments[1], &count)) {
    return absl::InvalidArgumentError("--child VARIANT COUNT SERVER-PORT ETCD");
  }
  const bool stock = arguments[0] == kStock;
  if (!AllowOpenFiles(static_cast<std::uint64_t>(count) + 200)) {
    return absl::ResourceExhaustedError("the limit of open files is too low (ulimit -Hn)");
  }
  std::vector<std::string> addresses;
  addresses.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) addresses.push_back(Server::Address(arguments[2], i));
  const std::int64_t memory_before = ResidentBytes();
  const std::chrono::nanoseconds cpu_before = CpuTime();
  const Clock::time_point begin = Clock::now();
  std::unique_ptr<FirstSnapshot> snapshot;
  if (!stock) snapshot = std::make_unique<FirstSnapshot>(arguments[3], ServiceOf(count));
  const auto channel =
      stock ? StockChannel(addresses)
            : EtcdChannel(absl::StrCat("etcd://", arguments[3], "/", ServiceOf(count)),
                          kVersionThenRoundRobin);
  const auto stub = proto::Api::NewStub(channel);
  const std::string version = stock ? "" : "v1";
  const auto reached = ReachAll(*stub, version, addresses.size());
  if (!reached.ok()) return reached.status();
  const std::chrono::nanoseconds cpu_reached = CpuTime() - cpu_before;
  const std::int64_t memory = ResidentBytes() - memory_before;

  const std::chrono::nanoseconds cpu_steady = CpuTime();
  for (int i = 0; i < kSteadyCalls; ++i) {
    if (Answer answer = Call(*stub, version); !answer.status.ok()) return answer.status;
  }
  const double call_ms = Milliseconds(CpuTime() - cpu_steady) / kSteadyCalls;
  const Clock::time_point known = stock ? begin : snapshot->at();
  const json result = {
      {"snapshot_ms", Milliseconds(known - begin)},
      {"first_call_ms", Milliseconds(reached->first - known)},
      {"all_reached_ms", Milliseconds(reached->all - known)},
      {"cpu_ms", Milliseconds(cpu_reached)},
      {"calls", reached->calls},
      {"cpu_without_calls_ms",
       Milliseconds(cpu_reached) - call_ms * static_cast<double>(reached->calls)},
      {"memory_mb", static_cast<double>(memory) / 1e6},
  };
  std::printf("%s\n", result.dump().c_str());
  return absl::OkStatus();
}

absl::StatusOr<json> MeasureApart(const std::string& variant, int count, const Server& server,
                                  const Registry& registry) {
  testing::Process child(
      {SelfPath(), "--child", variant, absl::StrCat(count), server.port(), registry.endpoint()});
  const auto line = child.ReadLine(kPatience);
  if (!line.has_value()) return absl::UnknownError(variant + ": the process found nothing");
  return json::parse(*line, nullptr, /*allow_exceptions=*/false);
}

// What was measured, by variant and count: for each figure the values of all repetitions.
using Measured = std::map<std::string, std::map<std::string, std::vector<double>>>;

std::string Name(const std::string& variant, int count) {
  return absl::StrCat(count, " instances, ", variant);
}

void ReportResults(Report& report, const Measured& measured) {
  for (const auto& [name, figures] : measured) {
    for (const auto& [figure, values] : figures) {
      report.figures()[name][figure] = {{"median", Median(values)}, {"values", values}};
    }
  }
  const auto first_call = [&](int count, const char* variant) {
    return Median(measured.at(Name(variant, count)).at("first_call_ms"));
  };
  for (const int count : kCounts) {
    report.figures()["stock_to_turnout"][absl::StrCat(count)]["first_call"] =
        first_call(count, kStock) / first_call(count, kEtcd);
  }
  report.AtMost("4,000 instances: first call after the snapshot", first_call(4000, kEtcd), 50,
                "ms");
}

absl::Status Run(Report& report) {
  Registry registry;
  report.machine()["etcd"] = registry.etcd_version();
  Measured measured;
  for (const int count : kCounts) {
    for (int repetition = 0; repetition < kRepetitions; ++repetition) {
      for (const std::string variant : {kStock, kEtcd}) {
        // A fresh server each time: it remembers nothing of earlier connections.
        auto server = Server::Start();
        if (!server.ok()) return server.status();
        std::vector<Registry::Entry> entries;
        entries.reserve(static_cast<std::size_t>(count));
        for (int i = 0; i < count; ++i) {
          entries.push_back({absl::StrFormat("of-%05d", i), "v1", (*server)->Address(i)});
        }
        if (variant == kEtcd) registry.RegisterAll(ServiceOf(count), entries);
        const auto result = MeasureApart(variant, count, **server, registry);
        if (!result.ok()) return result.status();
        for (const auto& [figure, value] : result->items()) {
          measured[Name(variant, count)][figure].push_back(value);
        }
        Progress(Name(variant, count) + ": " + result->dump());
      }
    }
  }
  ReportResults(report, measured);
  return absl::OkStatus();
}

}  // namespace
}  // namespace turnout::bench

int main(int argc, char** argv) {
  return turnout::bench::Main(
      {.name = "scale", .run = turnout::bench::Run, .child = turnout::bench::MeasureHere}, argc,
      argv);
}
