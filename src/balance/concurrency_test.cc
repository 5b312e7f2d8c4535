// Calls pick while snapshots change, for ThreadSanitizer to watch: every built-in policy under
// eight threads that pick and finish calls, and one that builds picker after picker from endpoints
// whose members, states and weights change.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "src/balance/picker_registry.h"
#include "src/balance/policy_config.h"
#include "src/balance/testing.h"
#include "src/base/clock.h"
#include "src/base/mutex.h"
#include "src/base/random.h"
#include "src/model/text.h"

namespace turnout::balance {
namespace {

using model::Concat;

constexpr std::size_t kInstances = 12;
constexpr int kThreads = 8;
constexpr int kPicks = 300;  // of each thread

// What a channel holds: the endpoints of one snapshot and the picker over them.
struct View {
  std::vector<Endpoint> endpoints;
  std::unique_ptr<const Picker> picker;
};

// A channel's picker, as calls and the control plane share it.
class Channel {
 public:
  explicit Channel(std::shared_ptr<const PolicyConfig> config)
      : config_(std::move(config)), instances_(testing::MakeEndpoints(kInstances, {"v1", "v2"})) {}

  // The next snapshot: some of the instances, in any state, with any weight; statistics stay.
  void Change(base::RandomSource& random) {
    auto view = std::make_shared<View>();
    for (const Endpoint& endpoint : instances_) {
      if (random.Below(6) == 0) continue;
      Endpoint& copy = view->endpoints.emplace_back(endpoint);
      auto instance = std::make_shared<Instance>(endpoint.instance());
      instance->weight = static_cast<std::uint32_t>(random.Below(4));
      instance->locality = {.region = "r1", .zone = random.Below(2) == 0 ? "a" : "b"};
      copy.member.instance = std::move(instance);
      if (random.Below(3) == 0) copy.state = static_cast<ConnectionState>(random.Below(5));
      copy.serving_since = base::Now() - std::chrono::seconds(random.Below(60));
    }
    view->picker = BuildRoot(*config_->picker, testing::kService, view->endpoints);
    const base::MutexLock lock(mutex_);
    view_ = std::move(view);
  }

  std::shared_ptr<const View> view() const {
    const base::MutexLock lock(mutex_);
    return view_;
  }

 private:
  const std::shared_ptr<const PolicyConfig> config_;
  const std::vector<Endpoint> instances_;
  mutable base::Mutex mutex_;
  std::shared_ptr<const View> view_ ABSL_GUARDED_BY(mutex_);
};

// From the start of a call at `endpoint` to its end, as the adapter reports it.
void Call(const Endpoint& endpoint, const PickResult::FinishCallback& on_finish,
          base::RandomSource& random) {
  InstanceStats& stats = endpoint.stats();
  const absl::Status status = random.Below(10) == 0 ? absl::UnavailableError("") : absl::OkStatus();
  const std::chrono::nanoseconds latency(random.Below(1'000'000));
  LoadReport load;
  load.cpu_utilization = 0.1 + random.Fraction();
  load.request_cost = {{std::string(LoadReport::kQps), 100}};
  stats.CallStarted();
  stats.Answered(latency, base::Now());
  stats.LoadReported(load, base::Now());
  stats.CallFinished(status, base::Now());
  if (on_finish != nullptr) {
    on_finish({.status = status, .duration = latency, .latency = latency, .load = &load});
  }
  stats.CallEnded();
}

// Picks and calls; how many found an endpoint.
int MakeCalls(const Channel& channel, std::uint64_t seed) {
  base::SeededRandom random(seed);
  int calls = 0;
  for (int i = 0; i < kPicks; ++i) {
    const std::shared_ptr<const View> view = channel.view();
    testing::FakePickArgs args;
    if (random.Below(3) != 0) args.Version(random.Below(2) == 0 ? "v1" : "v2");
    args.Set("key", std::to_string(random.Below(100)));
    PickResult result = view->picker->Pick(args);
    if (random.Below(4) == 0 && result.kind() == PickResult::Kind::kEndpoint) {
      result = view->picker->Pick(args.Retry(*result.endpoint()));
    }
    if (result.kind() != PickResult::Kind::kEndpoint) continue;
    Call(*result.endpoint(), result.TakeFinishCallback(), random);
    ++calls;
  }
  return calls;
}

void PickWhileChanging(std::shared_ptr<const PolicyConfig> config) {
  base::SeededRandom random(41);
  Channel channel(std::move(config));
  channel.Change(random);
  std::atomic<int> picking{kThreads};
  std::atomic<int> calls{0};
  {
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (std::uint64_t seed = 1; seed <= kThreads; ++seed) {
      threads.emplace_back([&, seed] {
        calls += MakeCalls(channel, seed);
        --picking;
      });
    }
    while (picking > 0) {
      channel.Change(random);
      std::this_thread::yield();  // calls have their turn on few processors, too
    }
  }
  EXPECT_GT(calls, 0);
}

// Every policy that works without parameters, and those of interest with some.
std::vector<std::string> Policies() {
  std::vector<std::string> policies;
  for (const std::string& name : PickerNames()) {
    policies.push_back(Concat({R"({")", name, R"(":{}})"}));
  }
  for (const char* const more :
       {R"({"weighted_round_robin":{"weights":"reported","blackoutPeriod":"0s"}})",
        R"({"least_request":{"choiceCount":5,"activeRequestBias":0.5}})",
        R"({"version":{"child":[{"peak_ewma":{}}]}})",
        R"({"version":{"child":[{"weighted_round_robin":{}}]}})"}) {
    policies.emplace_back(more);
  }
  return policies;
}

TEST(ConcurrencyTest, CallsPickWhileSnapshotsChange) {
  std::size_t run = 0;
  for (const std::string& policy : Policies()) {
    SCOPED_TRACE(policy);
    auto config = ParsePolicyConfig("turnout", Concat({R"({"picker":[)", policy, "]}"}));
    if (!config.ok()) continue;  // it needs parameters
    PickWhileChanging(*std::move(config));
    ++run;
  }
  EXPECT_GE(run, 10u);
}

}  // namespace
}  // namespace turnout::balance
