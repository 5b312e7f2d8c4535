// Calls are decided and picked for while documents and callers change, for ThreadSanitizer to
// watch.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "src/balance/testing.h"
#include "src/base/mutex.h"
#include "src/model/text.h"
#include "src/route/caller.h"
#include "src/route/route_builder.h"
#include "src/route/testing.h"

namespace turnout::route {
namespace {

using model::Concat;
using testing::DecidedArgs;
using testing::FakeCall;
using testing::ParseRules;

constexpr int kThreads = 8;
constexpr int kCalls = 3000;  // of each thread

// What a channel holds: the rules in force, and the picker that obeys them and the last ones.
struct View {
  std::shared_ptr<const Router> router;
  std::vector<Endpoint> endpoints;
  std::unique_ptr<const Picker> picker;
};

class Channel {
 public:
  void Change(std::shared_ptr<const RuleSet> rules) {
    auto view = std::make_shared<View>();
    view->router = std::make_shared<const Router>(std::move(rules), GetCaller());
    view->endpoints = balance::testing::MakeEndpoints(6, {"v1", "v2"});
    std::vector<std::shared_ptr<const Router>> former;
    if (const auto before = this->view()) former.push_back(before->router);
    view->picker = RouteBuilder(configured_, view->router, std::move(former))
                       .Build(balance::testing::GroupOf(view->endpoints));
    const base::MutexLock lock(mutex_);
    view_ = std::move(view);
  }
  std::shared_ptr<const View> view() const {
    const base::MutexLock lock(mutex_);
    return view_;
  }

 private:
  const std::shared_ptr<const PickerBuilder> configured_ =
      balance::testing::BuilderFor(R"([{"version":{"child":[{"round_robin":{}}]}}])");
  mutable base::Mutex mutex_;
  std::shared_ptr<const View> view_ ABSL_GUARDED_BY(mutex_);
};

// `percent` of the users go to v2, by a picker of the rule's own; callers of version 2 to v1.
std::shared_ptr<const RuleSet> Document(std::uint64_t percent) {
  return ParseRules(Concat({R"({"rules":[
      {"name":"callers","match":{"caller":{"version":"2"},
                                 "metadata":[{"key":"user","regex":"u-[0-9]*5"}]},
       "route":{"destinations":[{"version":"v1"}]}},
      {"name":"canary","match":{"percentage":{"key":"user","percent":)",
                            std::to_string(percent), R"(}},
       "route":{"destinations":[{"version":"v2"},{"version":"v2","weight":2}],
                "picker":[{"least_request":{}}]}}],
      "default":{"route":{"destinations":[{"version":"v1"},{"weight":0,"version":"v9"}]}}})"}));
}

// How many calls were answered; each by what its decision allows.
int MakeCalls(const Channel& channel, std::uint64_t seed) {
  base::SeededRandom random(seed);
  int answered = 0;
  for (int i = 0; i < kCalls; ++i) {
    const std::shared_ptr<const View> deciding = channel.view();
    const auto call = FakeCall().Set("user", "u-" + std::to_string(random.Below(1000)));
    DecidedArgs args(deciding->router->Decide(call, random));
    // The picker may be a newer one by now.
    const std::shared_ptr<const View> picking = channel.view();
    const PickResult result = picking->picker->Pick(args);
    if (result.kind() != PickResult::Kind::kEndpoint) continue;
    const Decision& decision = *args.decision();
    EXPECT_TRUE(decision.rule->route()->destinations[decision.destination].Matches(
        result.endpoint()->instance()));
    ++answered;
  }
  return answered;
}

TEST(ConcurrencyTest, CallsAreDecidedWhileDocumentsChange) {
  Channel channel;
  channel.Change(Document(50));
  const auto subscription = OnCallerChange([] {});
  std::atomic<int> calling{kThreads};
  std::atomic<int> answered{0};
  {
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (std::uint64_t seed = 1; seed <= kThreads; ++seed) {
      threads.emplace_back([&, seed] {
        answered += MakeCalls(channel, seed);
        --calling;
      });
    }
    std::uint64_t changes = 0;
    while (calling > 0) {
      SetCaller({.service = "app", .version = std::to_string(++changes % 3), .labels = {}});
      channel.Change(Document(changes * 10 % 101));
      std::this_thread::yield();  // calls have their turn on few processors, too
    }
  }
  EXPECT_GT(answered, 0) << "the others waited for a newer picker";
}

}  // namespace
}  // namespace turnout::route
