// What one change among 4,000 connected instances costs a channel in CPU time. The channel lives in
// a process of its own, which does nothing else: its CPU time during changes of its service, less
// that during as many changes of another service, is what the changes cost. Both alternate.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
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

namespace turnout::bench {
namespace {

constexpr char kService[] = "bench.app";
constexpr char kOther[] = "bench.other";
constexpr int kInstances = 4000;
constexpr int kTurns = 20;
constexpr int kChangesInATurn = 10;  // of each service
constexpr std::chrono::milliseconds kBetweenChanges{25};
constexpr std::chrono::seconds kSettle{2};
constexpr std::chrono::seconds kPatience{60};

double Milliseconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// --child TARGET COUNT: connects to all instances, says so, stays.
absl::Status HoldChannel(const std::vector<std::string>& arguments) {
  std::size_t count = 0;
  if (arguments.size() != 2 || !absl::SimpleAtoi(arguments[1], &count)) {
    return absl::InvalidArgumentError("--child TARGET COUNT");
  }
  if (!AllowOpenFiles(count + 200)) {
    return absl::ResourceExhaustedError("the limit of open files is too low (ulimit -Hn)");
  }
  const auto channel = EtcdChannel(arguments[0], kVersionThenRoundRobin);
  const auto stub = proto::Api::NewStub(channel);
  if (auto reached = ReachAll(*stub, "v1", count); !reached.ok()) return reached.status();
  std::printf("connected\n");
  std::fflush(stdout);
  while (true) pause();
}

Registry::Entry EntryOf(const Server& server, int index, const std::string& note) {
  return {absl::StrFormat("of-%05d", index), "v1", server.Address(index), {{"note", note}}};
}

// CPU time of `process` while instances of `service` change, for each change.
double CpuOfChanges(Registry& registry, const Server& server, const testing::Process& process,
                    const std::string& service, int turn) {
  const std::chrono::nanoseconds before = CpuTimeOf(process.pid());
  for (int change = 0; change < kChangesInATurn; ++change) {
    const int index = (turn * kChangesInATurn + change) * 17 % kInstances;
    registry.Register(service, EntryOf(server, index, absl::StrCat("turn ", turn)));
    std::this_thread::sleep_for(kBetweenChanges);
  }
  return Milliseconds(CpuTimeOf(process.pid()) - before) / kChangesInATurn;
}

absl::Status Run(Report& report) {
  Registry registry;
  report.machine()["etcd"] = registry.etcd_version();
  auto server = Server::Start();
  if (!server.ok()) return server.status();
  std::vector<Registry::Entry> entries;
  entries.reserve(kInstances);
  for (int i = 0; i < kInstances; ++i) entries.push_back(EntryOf(**server, i, "first"));
  registry.RegisterAll(kService, entries);
  testing::Process client(
      {SelfPath(), "--child", registry.Target(kService), absl::StrCat(kInstances)});
  if (!client.ReadLine(kPatience).has_value()) {
    return absl::UnknownError("the client's process does not reach all instances");
  }
  Progress(absl::StrFormat("%d instances connected", kInstances));
  std::this_thread::sleep_for(kSettle);
  std::vector<double> with_changes;
  std::vector<double> without;
  std::vector<double> change;
  for (int turn = 0; turn < kTurns; ++turn) {
    without.push_back(CpuOfChanges(registry, **server, client, kOther, turn));
    with_changes.push_back(CpuOfChanges(registry, **server, client, kService, turn));
    change.push_back(with_changes.back() - without.back());
    Progress(absl::StrFormat("turn %2d of %d: %.3f ms", turn + 1, kTurns, change.back()));
  }
  report.figures() = {{"instances", kInstances},
                      {"changes_in_a_turn", kChangesInATurn},
                      {"cpu_with_changes_ms", Summary(with_changes)},
                      {"cpu_with_changes_elsewhere_ms", Summary(without)},
                      {"cpu_of_a_change_ms", Summary(change)}};
  report.AtMost("4,000 instances: CPU time of one record's change", Median(change), 2, "ms",
                MedianInterval95(change));
  return absl::OkStatus();
}

}  // namespace
}  // namespace turnout::bench

int main(int argc, char** argv) {
  return turnout::bench::Main(
      {.name = "change_cpu", .run = turnout::bench::Run, .child = turnout::bench::HoldChannel},
      argc, argv);
}
