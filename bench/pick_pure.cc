#include "bench/pick_pure.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/pick_policies.h"
#include "bench/support/benchmark.h"
#include "src/balance/policy_config.h"
#include "src/base/random.h"
#include "turnout/picker.h"

namespace turnout::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Endpoints = std::vector<Endpoint>;

constexpr int kSizes[] = {10, 1'000, 10'000, 100'000};
constexpr int kVersions = 5;
constexpr int kPicks = 20'000;  // timed together: a clock's reading costs as much as a pick
constexpr int kRepetitions = 31;

// Asks for v3; each call for another user, out of a few thousand.
class Args final : public PickArgs {
 public:
  Args() {
    for (std::size_t i = 0; i < kUsers; ++i) users_.push_back(absl::StrCat("user-", i));
  }
  void Next() { user_ = (user_ + 1) % kUsers; }

  std::string_view path() const override { return "/proto.Api/ApiTest"; }
  std::optional<std::string_view> Metadata(std::string_view key) const override {
    if (key == "version") return "v3";
    if (key == kHashHeader) return users_[user_];
    return std::nullopt;
  }
  int attempt() const override { return 0; }
  bool Tried(const Endpoint&) const override { return false; }

 private:
  static constexpr std::size_t kUsers = 4096;
  std::vector<std::string> users_;
  std::size_t user_ = 0;
};

// Instances of five versions, with calls under way and latencies, in no order in memory.
std::shared_ptr<const Endpoints> MakeEndpoints(int count) {
  base::SeededRandom random(17);
  auto endpoints = std::make_shared<Endpoints>();
  for (int i = 0; i < count; ++i) {
    auto instance = std::make_shared<Instance>();
    instance->service = "bench.app";
    instance->id = absl::StrFormat("app-%06d", i);
    instance->version = absl::StrCat("v", i % kVersions + 1);
    instance->addresses = {absl::StrFormat("10.%d.%d.%d:8089", i / 65536, i / 256 % 256, i % 256)};
    auto stats = std::make_shared<InstanceStats>();
    for (std::uint64_t calls = random.Below(4); calls > 0; --calls) stats->CallStarted();
    stats->Answered(std::chrono::microseconds(500 + random.Below(1000)), Clock::now());
    endpoints->push_back({.member = {.instance = std::move(instance), .stats = std::move(stats)},
                          .state = ConnectionState::kReady});
  }
  return endpoints;
}

// What a client written by hand would do: every instance in turn, whatever its version.
class PlainRoundRobin final : public Picker {
 public:
  explicit PlainRoundRobin(const Endpoints& endpoints) {
    for (const Endpoint& endpoint : endpoints) {
      endpoints_.push_back(std::make_shared<const Endpoint*>(&endpoint));
    }
  }
  PickResult Pick(const PickArgs&) const override {
    const std::size_t turn = next_.fetch_add(1, std::memory_order_relaxed);
    return PickResult::To(**endpoints_[turn % endpoints_.size()]);
  }

 private:
  std::vector<std::shared_ptr<const Endpoint*>> endpoints_;
  mutable std::atomic<std::size_t> next_{0};
};

// The reference system's way: looks at all, keeps those of the version, takes any of them.
class WalkAndFilter final : public Picker {
 public:
  explicit WalkAndFilter(const Endpoints& endpoints) : endpoints_(endpoints) {}
  PickResult Pick(const PickArgs& args) const override {
    const auto version = args.Metadata("version");
    std::vector<const Endpoint*> matching;
    for (const Endpoint& endpoint : endpoints_) {
      if (endpoint.instance().version == version) matching.push_back(&endpoint);
    }
    if (matching.empty()) return PickResult::Queue();
    return PickResult::To(*matching[base::ThreadRandom().Below(matching.size())]);
  }

 private:
  const Endpoints& endpoints_;
};

struct Subject {
  std::string policy;
  int instances;
  std::shared_ptr<const Endpoints> endpoints;
  std::shared_ptr<const balance::PolicyConfig> config;  // the picker may refer to it
  std::unique_ptr<const Picker> picker;
  int picks = kPicks;
  std::vector<double> ns = {};  // for each repetition
};

absl::StatusOr<Subject> MakeSubject(const PickPolicy& policy,
                                    std::shared_ptr<const Endpoints> endpoints) {
  const auto config = balance::ParsePolicyConfig(
      "turnout", absl::StrCat(R"({"picker":)", policy.UnderVersion(), "}"));
  if (!config.ok()) return config.status();
  const int instances = static_cast<int>(endpoints->size());
  Subject subject{"version, " + policy.name, instances, std::move(endpoints), *config, nullptr};
  subject.picker = balance::BuildRoot(*(*config)->picker, "bench.app", *subject.endpoints);
  return subject;
}

absl::Status Measure(Subject& subject, Args& args) {
  int completed = 0;
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < subject.picks; ++i) {
    args.Next();
    completed += subject.picker->Pick(args).kind() == PickResult::Kind::kEndpoint ? 1 : 0;
  }
  const std::chrono::duration<double, std::nano> taken = Clock::now() - begin;
  subject.ns.push_back(taken.count() / subject.picks);
  if (completed == subject.picks) return absl::OkStatus();
  return absl::InternalError(subject.policy + ": a pick found no instance");
}

absl::StatusOr<std::vector<Subject>> MakeSubjects() {
  std::vector<std::shared_ptr<const Endpoints>> sets;
  for (const int size : kSizes) sets.push_back(MakeEndpoints(size));
  std::vector<Subject> subjects;
  for (const PickPolicy& policy : PickPolicies()) {
    for (const auto& endpoints : sets) {
      auto subject = MakeSubject(policy, endpoints);
      if (!subject.ok()) return subject.status();
      subjects.push_back(*std::move(subject));
    }
  }
  for (const auto& endpoints : sets) {
    const int size = static_cast<int>(endpoints->size());
    subjects.push_back({"plain round robin", size, endpoints, nullptr,
                        std::make_unique<PlainRoundRobin>(*endpoints)});
    // A walk over 100,000 takes a millisecond: a few of them are enough.
    subjects.push_back({"walk, filter, random", size, endpoints, nullptr,
                        std::make_unique<WalkAndFilter>(*endpoints),
                        std::max(10, std::min(kPicks, 1'000'000 / size))});
  }
  return subjects;
}

absl::Status MeasureCost(Report& report) {
  auto subjects = MakeSubjects();
  if (!subjects.ok()) return subjects.status();
  Args args;
  // In turn, so that all meet the same clock frequency.
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    for (Subject& subject : *subjects) {
      if (absl::Status status = Measure(subject, args); !status.ok()) return status;
    }
  }
  double at_10 = 0;
  for (const Subject& subject : *subjects) {
    const double ns = Median(subject.ns);
    report.figures()["pure"][subject.policy][absl::StrCat(subject.instances)] = Summary(subject.ns);
    Progress(absl::StrFormat("%s, %d instances: %.1f ns", subject.policy, subject.instances, ns));
    if (subject.instances == 10) at_10 = ns;
    if (subject.instances == 10'000 && subject.config != nullptr) {
      const std::string what = subject.policy + ", pure, 10,000 instances: ";
      report.AtMost(what + "one pick", ns, 150, "ns");
      report.AtMost(what + "of the cost at 10", ns / at_10, 3, "times");
    }
  }
  return absl::OkStatus();
}

// Millions of picks a second by `threads` at once on `picker`.
double PickRate(const Picker& picker, int threads) {
  constexpr int kPicksEach = 4'000'000;  // long enough for the scheduler to spread the threads
  std::atomic<int> waiting{threads};
  std::atomic<int> completed{0};
  Clock::time_point begin;
  {
    std::vector<std::jthread> running;
    for (int i = 0; i < threads; ++i) {
      running.emplace_back([&] {
        Args args;
        int mine = 0;
        if (--waiting == 0) begin = Clock::now();
        while (waiting > 0) {
        }
        for (int pick = 0; pick < kPicksEach; ++pick) {
          args.Next();
          mine += picker.Pick(args).kind() == PickResult::Kind::kEndpoint ? 1 : 0;
        }
        completed += mine;
      });
    }
  }
  const std::chrono::duration<double, std::micro> taken = Clock::now() - begin;
  return completed / taken.count();
}

absl::Status MeasureThreads(Report& report) {
  constexpr int kThreads[] = {1, 2, 4};
  constexpr int kRounds = 5;
  const auto endpoints = MakeEndpoints(1'000);
  for (const PickPolicy& policy : PickPolicies()) {
    const auto subject = MakeSubject(policy, endpoints);
    if (!subject.ok()) return subject.status();
    std::string line = subject->policy + ", million picks/s:";
    for (const int threads : kThreads) {
      std::vector<double> rates;
      for (int round = 0; round < kRounds; ++round) {
        rates.push_back(PickRate(*subject->picker, threads));
      }
      report.figures()["threads"][subject->policy][absl::StrCat(threads)] = Summary(rates);
      line += absl::StrFormat(" %d threads %.1f", threads, Median(rates));
    }
    Progress(line);
  }
  return absl::OkStatus();
}

// Afresh each time: what a builder keeps from the last Build (a table) is of another configuration.
absl::Status MeasureBuild(Report& report) {
  constexpr int kInstances = 10'000;
  constexpr int kRounds = 21;
  const auto endpoints = MakeEndpoints(kInstances);
  for (const PickPolicy& policy : PickPolicies()) {
    const std::string text = absl::StrCat(R"({"picker":)", policy.UnderVersion(), "}");
    std::vector<double> first, again;
    for (int round = 0; round < kRounds; ++round) {
      const auto config = balance::ParsePolicyConfig("turnout", text);
      if (!config.ok()) return config.status();
      std::unique_ptr<const Picker> kept;
      for (std::vector<double>* const times : {&first, &again}) {
        const Clock::time_point begin = Clock::now();
        auto picker = balance::BuildRoot(*(*config)->picker, "bench.app", *endpoints);
        const std::chrono::duration<double, std::milli> taken = Clock::now() - begin;
        times->push_back(taken.count());
        kept = std::move(picker);  // as a channel keeps the last one until the next is there
      }
    }
    auto& figures = report.figures()["build_10000"]["version, " + policy.name];
    figures = {{"first_ms", Summary(first)}, {"again_ms", Summary(again)}};
    Progress(absl::StrFormat("version, %s: built over %d in %.2f ms, again in %.2f ms", policy.name,
                             kInstances, Median(first), Median(again)));
    report.AtMost("version, " + policy.name + ": built again over 10,000 instances", Median(again),
                  2, "ms");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status MeasurePurePicks(Report& report) {
  if (absl::Status status = MeasureCost(report); !status.ok()) return status;
  if (absl::Status status = MeasureThreads(report); !status.ok()) return status;
  return MeasureBuild(report);
}

}  // namespace turnout::bench
