// What an instance costs a client in memory: known to discovery, and connected in a channel, beside
// a stock channel to the same addresses. Each measurement is a process of its own; an instance's
// share is the difference between 4,000 and 1,000 of them.
#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/support/benchmark.h"
#include "bench/support/client.h"
#include "bench/support/machine.h"
#include "bench/support/server.h"
#include "tests/support/process.h"
#include "tests/support/records.h"
#include "tests/support/scripted_etcd.h"
#include "turnout/discovery.h"

namespace turnout::bench {
namespace {

constexpr int kFew = 1000;
constexpr int kMany = 4000;
constexpr int kRepetitions = 3;
constexpr char kDiscovery[] = "discovery";
constexpr char kChannel[] = "channel, all connected";
constexpr char kStock[] = "round_robin, all connected";
constexpr std::chrono::seconds kPatience{60};

std::string ServiceOf(int count) { return absl::StrCat("bench.memory.of", count); }

double MemoryInUse() {
  malloc_trim(0);
  return static_cast<double>(ResidentBytes());
}

// Follows the service; returns once all its instances are known.
absl::StatusOr<std::unique_ptr<Subscription>> Know(const std::string& etcd, int count) {
  const auto known = std::make_shared<std::promise<void>>();
  const auto first = std::make_shared<std::once_flag>();
  auto subscription = Watch(ServiceOf(count), {.endpoints = {etcd}},
                            {.on_snapshot = [known, first](const std::shared_ptr<const Snapshot>&) {
                              std::call_once(*first, [&] { known->set_value(); });
                            }});
  if (!subscription.ok()) return subscription;
  if (known->get_future().wait_for(kPatience) != std::future_status::ready) {
    return absl::DeadlineExceededError("no snapshot");
  }
  return subscription;
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> Connect(const std::string& what, int count,
                                                       const std::string& etcd,
                                                       const std::string& port) {
  std::vector<std::string> addresses;
  for (int i = 0; i < count; ++i) addresses.push_back(Server::Address(port, i));
  auto channel = what == kStock ? StockChannel(addresses)
                                : EtcdChannel(absl::StrCat("etcd://", etcd, "/", ServiceOf(count)),
                                              kVersionThenRoundRobin);
  const auto stub = proto::Api::NewStub(channel);
  const auto reached = ReachAll(*stub, what == kStock ? "" : "v1", addresses.size());
  if (!reached.ok()) return reached.status();
  return channel;
}

// --child WHAT COUNT ETCD SERVER-PORT: prints how many bytes that took.
absl::Status MeasureHere(const std::vector<std::string>& arguments) {
  int count = 0;
  if (arguments.size() != 4 || !absl::SimpleAtoi(arguments[1], &count)) {
    return absl::InvalidArgumentError("--child WHAT COUNT ETCD SERVER-PORT");
  }
  const std::string& what = arguments[0];
  if (!AllowOpenFiles(static_cast<std::uint64_t>(count) + 200)) {
    return absl::ResourceExhaustedError("the limit of open files is too low (ulimit -Hn)");
  }
  const double before = MemoryInUse();
  std::unique_ptr<Subscription> subscription;
  std::shared_ptr<grpc::Channel> channel;
  if (what == kDiscovery) {
    auto known = Know(arguments[2], count);
    if (!known.ok()) return known.status();
    subscription = *std::move(known);
  } else {
    auto connected = Connect(what, count, arguments[2], arguments[3]);
    if (!connected.ok()) return connected.status();
    channel = *std::move(connected);
  }
  std::printf("%.0f\n", MemoryInUse() - before);
  return absl::OkStatus();
}

absl::Status Run(Report& report) {
  testing::ScriptedEtcd etcd;
  std::map<std::string, std::vector<double>> per_instance;
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    for (const std::string what : {kDiscovery, kChannel, kStock}) {
      std::map<int, double> bytes;
      for (const int count : {kFew, kMany}) {
        // A fresh server each time: it remembers nothing of earlier connections.
        auto server = Server::Start();
        if (!server.ok()) return server.status();
        std::map<std::string, std::string> records;
        for (int i = 0; i < count; ++i) {
          const testing::GoRecord record{.service = ServiceOf(count),
                                         .id = absl::StrFormat("of-%05d", i),
                                         .version = "v1",
                                         .address = (*server)->Address(i)};
          records[record.key()] = record.value();
        }
        etcd.PutAll(records);
        testing::Process child(
            {SelfPath(), "--child", what, absl::StrCat(count), etcd.endpoint(), (*server)->port()});
        const auto line = child.ReadLine(kPatience);
        if (!line.has_value() || !absl::SimpleAtod(*line, &bytes[count])) {
          return absl::UnknownError(what + ": the process found nothing");
        }
        report.figures()[what][absl::StrCat(count, " instances, bytes")].push_back(bytes[count]);
      }
      const double each = (bytes[kMany] - bytes[kFew]) / (kMany - kFew);
      per_instance[what].push_back(each);
      Progress(absl::StrFormat("%s: %.0f bytes for each instance", what, each));
    }
  }
  for (const auto& [what, values] : per_instance) {
    report.figures()[what]["bytes_per_instance"] = {{"median", Median(values)}, {"values", values}};
  }
  report.AtMost("memory of an instance in discovery", Median(per_instance[kDiscovery]) / 1024, 8,
                "KiB");
  report.AtMost("memory of a connected instance, against round_robin",
                Median(per_instance[kChannel]) / Median(per_instance[kStock]), 1.25, "x");
  return absl::OkStatus();
}

}  // namespace
}  // namespace turnout::bench

int main(int argc, char** argv) {
  return turnout::bench::Main(
      {.name = "memory", .run = turnout::bench::Run, .child = turnout::bench::MeasureHere}, argc,
      argv);
}
