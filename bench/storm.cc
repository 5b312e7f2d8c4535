// Calls while etcd sends 10,000 changes of their service a second, beside the same calls in quiet
// times: 10 s of each in turn. The changes come from a scripted etcd in a process of its own, so
// that what etcd itself would use is not measured.
//
// Of ten changes, nine are of an instance's metadata, and one gives an instance that nobody calls
// another version, which calls must hear of soon.
#include "tests/support/storm.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "bench/support/benchmark.h"
#include "bench/support/client.h"
#include "bench/support/machine.h"
#include "bench/support/server.h"
#include "tests/support/process.h"
#include "tests/support/records.h"
#include "tests/support/scripted_etcd.h"
#include "turnout/observer.h"
#include "turnout/picker.h"

namespace turnout::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kService[] = "bench.storm";
constexpr int kInstances = 100;
constexpr int kPutsPerSecond = 10'000;
constexpr std::chrono::seconds kPhase{10};
constexpr int kRounds = 3;
constexpr int kCallers = 4;
constexpr std::chrono::milliseconds kBetweenCalls{4};  // of one caller: 1,000 calls a second
constexpr double kLongestWindowMs = 80;                // src/discovery/follower.cc

// --- etcd's process

testing::GoRecord RecordOf(const std::string& port, int index, int load) {
  return {.service = kService,
          .id = absl::StrFormat("storm-%03d", index),
          .version = "v1",
          .address = Server::Address(port, index),
          .metadata = absl::StrCat(R"({"load":")", load, R"("})")};
}

void Say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

// --child SERVER-PORT: says where it is, then which phase begins, and what the storms were.
absl::Status BeEtcd(const std::vector<std::string>& arguments) {
  if (arguments.size() != 1) return absl::InvalidArgumentError("--child SERVER-PORT");
  const std::string& port = arguments[0];
  testing::ScriptedEtcd etcd;
  const auto put = [&](const testing::GoRecord& record) { etcd.Put(record.key(), record.value()); };
  for (int i = 0; i < kInstances; ++i) put(RecordOf(port, i, 0));
  Say(etcd.endpoint());
  std::this_thread::sleep_for(std::chrono::seconds(3));  // until all are connected
  for (int round = 0; round < kRounds; ++round) {
    Say("calm");
    std::this_thread::sleep_for(kPhase);
    Say("storm");
    int changes = 0;
    {
      const testing::Storm storm(kPutsPerSecond, [&](int i) {
        testing::GoRecord record = RecordOf(port, i % 10 == 0 ? kInstances : i % kInstances, i);
        if (i % 10 == 0) record.version = i % 20 == 0 ? "v8" : "v9";
        put(record);
      });
      std::this_thread::sleep_for(kPhase);
      changes = storm.changes();
    }
    Say(absl::StrCat("storm over ", changes));
    etcd.Compact(etcd.revision());
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  Say("end");
  return absl::OkStatus();
}

// --- the client's

constexpr char kCountedPolicy[] =
    R"([{"turnout":{"picker":[{"version":{"child":[{"counted_round_robin":{}}]}}]}}])";

// Goes round, and counts how often a picker for v1 was built: each time that the channel publishes
// a picker, whatever the reason. (For calls without a version there is another one each time.)
class CountedBuilder final : public ChoosingPickerBuilder {
 public:
  static std::atomic<int>& builds() {
    static std::atomic<int> count{0};
    return count;
  }

 protected:
  std::unique_ptr<const Picker> BuildChoice(const EndpointGroup& group) const override {
    class RoundRobin final : public Picker {
     public:
      explicit RoundRobin(std::span<const Endpoint* const> endpoints) : endpoints_(endpoints) {}
      PickResult Pick(const PickArgs& /*args*/) const override {
        return PickResult::To(*endpoints_[next_++ % endpoints_.size()]);
      }

     private:
      const std::span<const Endpoint* const> endpoints_;
      mutable std::atomic<std::uint64_t> next_{0};
    };
    if (group.key() == "/v1") ++builds();
    return std::make_unique<RoundRobin>(group.candidates());
  }
};

// Calls at their times, whether or not those before are late: a call that waits for its turn counts
// from when it was due.
class Callers {
 public:
  explicit Callers(proto::Api::Stub& stub) : stub_(stub) {
    for (int i = 0; i < kCallers; ++i) threads_.emplace_back([this, i] { Run(i); });
  }
  ~Callers() {
    stopped_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  Callers(const Callers&) = delete;
  Callers& operator=(const Callers&) = delete;

  // What there was since the last time, in microseconds.
  std::vector<double> Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(latencies_, {});
  }
  absl::Status status() {
    const std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  void Run(int index) {
    Clock::time_point due = Clock::now() + kBetweenCalls * index / kCallers;
    for (; !stopped_; due += kBetweenCalls) {
      std::this_thread::sleep_until(due);
      const Answer answer = Call(stub_, "v1");
      const std::chrono::duration<double, std::micro> took = Clock::now() - due;
      const std::lock_guard lock(mutex_);
      latencies_.push_back(took.count());
      if (!answer.status.ok()) status_ = answer.status;
    }
  }

  proto::Api::Stub& stub_;
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::vector<double> latencies_;
  absl::Status status_;
  std::vector<std::thread> threads_;
};

struct Phases {
  std::vector<double> median_us, p99_us, calls, cpu_percent;
};

void Add(Phases& phases, const std::vector<double>& latencies, std::chrono::nanoseconds cpu,
         Clock::duration took) {
  phases.median_us.push_back(Median(latencies));
  phases.p99_us.push_back(Percentile(latencies, 99));
  phases.calls.push_back(static_cast<double>(latencies.size()));
  phases.cpu_percent.push_back(100.0 * static_cast<double>(cpu.count()) /
                               static_cast<double>(std::chrono::nanoseconds(took).count()));
}

nlohmann::json ToJson(const Phases& phases) {
  return {{"median_us", phases.median_us},
          {"p99_us", phases.p99_us},
          {"calls", phases.calls},
          {"client_cpu_percent", phases.cpu_percent}};
}

struct Measured {
  Phases calm, storm;
  std::vector<double> p99_ratios, puts_per_second, snapshots_per_window, pickers_per_window;
};

// From one line of etcd's to the next is a phase.
absl::Status Follow(testing::Process& etcd, Callers& callers, Measured& measured) {
  std::string phase;
  Clock::time_point begin;
  std::chrono::nanoseconds cpu{};
  std::uint64_t snapshots = 0;
  int pickers = 0;
  while (true) {
    const auto line = etcd.ReadLine(std::chrono::seconds(60));
    if (!line.has_value()) return absl::UnknownError("etcd's process has ended");
    const auto now = Clock::now();
    const std::vector<double> latencies = callers.Take();
    if (phase == "calm") Add(measured.calm, latencies, CpuTime() - cpu, now - begin);
    if (phase == "storm") {
      Add(measured.storm, latencies, CpuTime() - cpu, now - begin);
      const std::chrono::duration<double> took = now - begin;
      int puts = 0;
      if (!absl::SimpleAtoi(std::vector<std::string>(absl::StrSplit(*line, ' ')).back(), &puts)) {
        return absl::UnknownError("etcd's process says " + *line);
      }
      measured.puts_per_second.push_back(puts / took.count());
      const double windows = took.count() * 1000 / kLongestWindowMs;
      measured.snapshots_per_window.push_back(
          static_cast<double>(GetCounters().snapshots - snapshots) / windows);
      measured.pickers_per_window.push_back((CountedBuilder::builds() - pickers) / windows);
      measured.p99_ratios.push_back(measured.storm.p99_us.back() / measured.calm.p99_us.back());
      Progress(absl::StrFormat("p99: %.0f us in calm, %.0f us in the storm of %.0f puts a second",
                               measured.calm.p99_us.back(), measured.storm.p99_us.back(),
                               measured.puts_per_second.back()));
    }
    if (!callers.status().ok()) return callers.status();
    if (*line == "end") return absl::OkStatus();
    phase = *line;
    begin = now;
    cpu = CpuTime();
    snapshots = GetCounters().snapshots;
    pickers = CountedBuilder::builds();
  }
}

absl::Status Run(Report& report) {
  auto server = Server::Start();
  if (!server.ok()) return server.status();
  testing::Process etcd({SelfPath(), "--child", (*server)->port()});
  const auto endpoint = etcd.ReadLine();
  if (!endpoint.has_value()) return absl::UnknownError("etcd's process does not start");
  if (absl::Status status =
          RegisterPickerBuilder("counted_round_robin", std::make_shared<CountedBuilder>());
      !status.ok()) {
    return status;
  }
  const auto channel =
      EtcdChannel(absl::StrCat("etcd://", *endpoint, "/", kService), kCountedPolicy);
  const auto stub = proto::Api::NewStub(channel);
  if (auto reached = ReachAll(*stub, "v1", kInstances); !reached.ok()) return reached.status();

  Callers callers(*stub);
  Measured measured;
  if (absl::Status status = Follow(etcd, callers, measured); !status.ok()) return status;
  report.figures() = {{"instances", kInstances},
                      {"calm", ToJson(measured.calm)},
                      {"storm", ToJson(measured.storm)},
                      {"p99_ratios", measured.p99_ratios},
                      {"puts_per_second", measured.puts_per_second},
                      {"snapshots_per_window", measured.snapshots_per_window},
                      {"pickers_per_window", measured.pickers_per_window}};
  report.AtLeast("storm: changes of one service sent", Median(measured.puts_per_second), 9'500,
                 "/s");
  report.AtMost("storm: p99 of a call, against calm", Median(measured.p99_ratios), 2, "x");
  // While the windows grow there are four more, and departures may take as many.
  report.AtMost("storm: snapshots in each window of 80 ms", Median(measured.snapshots_per_window),
                1.1, "");
  // One for each snapshot: the changes touch no connection. One that does, as a join or a lost
  // connection, adds a picker for each change of its state.
  report.AtMost("storm: picker rebuilds in each window of 80 ms",
                Median(measured.pickers_per_window), 1.1, "");
  return absl::OkStatus();
}

}  // namespace
}  // namespace turnout::bench

int main(int argc, char** argv) {
  return turnout::bench::Main(
      {.name = "storm", .run = turnout::bench::Run, .child = turnout::bench::BeEtcd}, argc, argv);
}
