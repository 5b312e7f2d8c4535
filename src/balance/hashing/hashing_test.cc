// What ring_hash and maglev have in common, tested through both.
#include "src/balance/hashing/hashing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "src/balance/chi_square.h"
#include "src/balance/policy_config.h"
#include "src/balance/testing.h"
#include "src/model/text.h"

namespace turnout::balance {
namespace {

using testing::BuilderFor;
using testing::FakePickArgs;
using testing::FollowsWeights;
using testing::GroupOf;
using testing::MakeEndpoint;
using testing::MakeEndpoints;
using testing::Show;

FakePickArgs ForUser(int user) {
  FakePickArgs args;
  args.Set("x-user", "user-" + std::to_string(user));
  return args;
}

// Where the first `users` go.
std::vector<std::string> Owners(const Picker& picker, int users) {
  std::vector<std::string> owners;
  owners.reserve(static_cast<std::size_t>(users));
  for (int user = 0; user < users; ++user) owners.push_back(Show(picker.Pick(ForUser(user))));
  return owners;
}

class HashingTest : public ::testing::TestWithParam<const char*> {
 protected:
  static std::shared_ptr<const PickerBuilder> Builder(std::string_view further = "") {
    return BuilderFor(
        model::Concat({"[{\"", GetParam(), R"(":{"requestHashHeader":"x-user")", further, "}}]"}));
  }
};

INSTANTIATE_TEST_SUITE_P(Policy, HashingTest, ::testing::Values("ring_hash", "maglev"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(HashingTest, AKeyStaysWithItsEndpoint) {
  const auto endpoints = MakeEndpoints(20, {"v1"});
  const auto builder = Builder();
  const auto owners = Owners(*builder->Build(GroupOf(endpoints)), 200);
  EXPECT_GT((std::set<std::string>(owners.begin(), owners.end()).size()), 15u);
  EXPECT_EQ(Owners(*builder->Build(GroupOf(endpoints)), 200), owners);
  EXPECT_EQ(Owners(*Builder()->Build(GroupOf(endpoints)), 200), owners);  // as in another process
}

TEST_P(HashingTest, TheOrderOfTheEndpointsDoesNotMatter) {
  auto endpoints = MakeEndpoints(20, {"v1"});
  const auto owners = Owners(*Builder()->Build(GroupOf(endpoints)), 200);
  std::reverse(endpoints.begin(), endpoints.end());
  EXPECT_EQ(Owners(*Builder()->Build(GroupOf(endpoints)), 200), owners);
}

TEST_P(HashingTest, ARestartUnderAnotherIdKeepsTheKeys) {
  auto endpoints = MakeEndpoints(20, {"v1"});
  const auto before = Owners(*Builder()->Build(GroupOf(endpoints)), 200);
  auto restarted = std::make_shared<Instance>(endpoints[4].instance());
  restarted->id = "app-99";
  endpoints[4].member.instance = restarted;
  std::rotate(endpoints.begin(), endpoints.begin() + 5,
              endpoints.end());  // lists are in the order of the ids
  const auto after = Owners(*Builder()->Build(GroupOf(endpoints)), 200);
  for (std::size_t user = 0; user < before.size(); ++user) {
    EXPECT_EQ(after[user], before[user] == "app-5" ? "app-99" : before[user]);
  }
}

TEST_P(HashingTest, ACallWithoutTheHeaderGoesAnywhere) {
  const auto endpoints = MakeEndpoints(4, {"v1"});
  base::SeededRandom source(3);
  const base::ScopedRandom scope(source);
  for (const char* const header : {"x-user", ""}) {
    const auto picker = BuilderFor(model::Concat({"[{\"", GetParam(), R"(":{"requestHashHeader":")",
                                                  header, "\"}}]"}))
                            ->Build(GroupOf(endpoints));
    FakePickArgs args;
    if (*header == '\0') args.Set("", "a").Set("x-user", "b");
    std::set<std::string> reached;
    for (int i = 0; i < 100; ++i) reached.insert(Show(picker->Pick(args)));
    EXPECT_EQ(reached.size(), 4u);
  }
}

TEST_P(HashingTest, AnEmptyValueIsAKey) {
  const auto endpoints = MakeEndpoints(4, {"v1"});
  const auto picker = Builder()->Build(GroupOf(endpoints));
  std::set<std::string> reached;
  for (int i = 0; i < 50; ++i) reached.insert(Show(picker->Pick(FakePickArgs().Set("x-user", ""))));
  EXPECT_EQ(reached.size(), 1u);
}

TEST_P(HashingTest, NoneOneAndTwo) {
  EXPECT_EQ(
      Show(Builder()->Build(GroupOf({}))->Pick(ForUser(1))),
      "fail: UNAVAILABLE: no match found conn: no instance of hwholiday.srv.app is registered");
  const auto one = MakeEndpoints(1, {"v1"});
  EXPECT_EQ(Owners(*Builder()->Build(GroupOf(one)), 20), std::vector<std::string>(20, "app-1"));
  const auto two = MakeEndpoints(2, {"v1"});
  const auto owners = Owners(*Builder()->Build(GroupOf(two)), 1'000);
  EXPECT_NEAR(static_cast<double>(std::ranges::count(owners, "app-1")), 500, 100);
}

TEST_P(HashingTest, OnlyThoseThatCanTakeCallsAreAsked) {
  const std::vector<Endpoint> endpoints = {
      MakeEndpoint({.id = "app-1", .state = ConnectionState::kFailing}),
      MakeEndpoint({.id = "app-2"}),
      MakeEndpoint({.id = "app-3", .status = InstanceStatus::kDraining}),
      MakeEndpoint({.id = "app-4"})};
  for (const std::string& owner : Owners(*Builder()->Build(GroupOf(endpoints)), 100)) {
    EXPECT_TRUE(owner == "app-2" || owner == "app-4") << owner;
  }
}

TEST_P(HashingTest, KeysReturnWithTheirEndpoint) {
  auto endpoints = MakeEndpoints(10, {"v1"});
  const auto builder = Builder();
  const auto before = Owners(*builder->Build(GroupOf(endpoints)), 500);
  endpoints[3].state = ConnectionState::kFailing;
  const auto meanwhile = Owners(*builder->Build(GroupOf(endpoints)), 500);
  EXPECT_EQ(std::ranges::count(meanwhile, "app-4"), 0);
  endpoints[3].state = ConnectionState::kReady;
  EXPECT_EQ(Owners(*builder->Build(GroupOf(endpoints)), 500), before);
}

TEST_P(HashingTest, WeightsThatAreAllZeroAreEqual) {
  std::vector<Endpoint> zero;
  for (const char* const id : {"app-1", "app-2", "app-3"}) {
    zero.push_back(MakeEndpoint({.id = id, .weight = 0}));
  }
  EXPECT_EQ(Owners(*Builder()->Build(GroupOf(zero)), 100),
            Owners(*Builder()->Build(GroupOf(MakeEndpoints(3, {"v1"}))), 100));
}

TEST_P(HashingTest, OneHugeWeightTakesNearlyAll) {
  auto endpoints = MakeEndpoints(10, {"v1"});
  endpoints[6] = MakeEndpoint({.id = "app-7", .weight = 65'535});
  const auto owners = Owners(*Builder()->Build(GroupOf(endpoints)), 1'000);
  EXPECT_GT(std::ranges::count(owners, "app-7"), 980);
}

TEST_P(HashingTest, WeightZeroBesideOthersTakesNothing) {
  auto endpoints = MakeEndpoints(3, {"v1"});
  endpoints[1] = MakeEndpoint({.id = "app-2", .weight = 0});
  const auto owners = Owners(*Builder()->Build(GroupOf(endpoints)), 1'000);
  EXPECT_EQ(std::ranges::count(owners, "app-2"), 0);
}

// Half of app-1's weight goes: only its keys move, and about half of them.
TEST_P(HashingTest, AWeightThatChangesMovesFewOtherKeys) {
  auto endpoints = MakeEndpoints(10, {"v1"});
  endpoints[0] = MakeEndpoint({.id = "app-1", .weight = 2});
  const auto builder = Builder();
  const auto before = Owners(*builder->Build(GroupOf(endpoints)), 5'000);
  endpoints[0] = MakeEndpoint({.id = "app-1", .weight = 1});
  const auto after = Owners(*builder->Build(GroupOf(endpoints)), 5'000);
  int moved = 0;
  int others = 0;
  for (std::size_t user = 0; user < before.size(); ++user) {
    if (before[user] == after[user]) continue;
    ++(before[user] == "app-1" ? moved : others);
  }
  EXPECT_NEAR(moved, 5'000 * (2.0 / 11 - 1.0 / 10), 75);
  EXPECT_LT(others, 5'000 * 0.04);
}

TEST_P(HashingTest, ARetryGoesOnToTheNext) {
  const auto endpoints = MakeEndpoints(10, {"v1"});
  const auto picker = Builder()->Build(GroupOf(endpoints));
  std::set<std::string> seconds;
  for (int user = 0; user < 200; ++user) {
    FakePickArgs args = ForUser(user);
    std::set<const Endpoint*> tried;
    for (std::size_t attempt = 0; attempt < endpoints.size(); ++attempt) {
      const Endpoint* const endpoint = picker->Pick(args).endpoint();
      EXPECT_EQ(picker->Pick(args).endpoint(), endpoint) << "attempt " << attempt;
      EXPECT_TRUE(tried.insert(endpoint).second) << "attempt " << attempt;
      args.Retry(*endpoint);
    }
    EXPECT_NE(picker->Pick(args).endpoint(), nullptr);  // all have been tried
  }
}

// Calls of one key that never end.
TEST_P(HashingTest, BoundedLoadSpreadsAPopularKey) {
  constexpr int kCalls = 400;
  for (const double factor : {1.25, 2.0}) {
    const auto endpoints = MakeEndpoints(10, {"v1"});
    const auto builder = Builder(",\"boundedLoad\":" + std::to_string(factor));
    const auto picker = builder->Build(GroupOf(endpoints));
    const Endpoint* const owner = picker->Pick(ForUser(1)).endpoint();
    for (int call = 1; call <= kCalls; ++call) {
      picker->Pick(ForUser(1)).endpoint()->stats().CallStarted();
      for (const Endpoint& endpoint : endpoints) {
        ASSERT_LE(static_cast<double>(endpoint.stats().in_flight()), std::ceil(factor * call / 10));
      }
    }
    EXPECT_EQ(owner->stats().in_flight(), factor * kCalls / 10);  // it does take its share
  }
}

TEST_P(HashingTest, WithoutABoundAKeyHasOneEndpoint) {
  const auto endpoints = MakeEndpoints(10, {"v1"});
  const auto picker = Builder()->Build(GroupOf(endpoints));
  const Endpoint* const owner = picker->Pick(ForUser(1)).endpoint();
  for (int call = 0; call < 400; ++call) {
    EXPECT_EQ(picker->Pick(ForUser(1)).endpoint(), owner);
    owner->stats().CallStarted();
  }
}

TEST_P(HashingTest, TheBoundFollowsTheWeights) {
  std::vector<Endpoint> endpoints = MakeEndpoints(3, {"v1"});
  endpoints.push_back(MakeEndpoint({.id = "app-4", .weight = 3}));
  const auto picker = Builder(R"(,"boundedLoad":1.01)")->Build(GroupOf(endpoints));
  for (int call = 0; call < 600; ++call) picker->Pick(ForUser(1)).endpoint()->stats().CallStarted();
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(endpoints[i].stats().in_flight(), 100, 5);
  EXPECT_NEAR(endpoints[3].stats().in_flight(), 300, 5);
}

// An estimate of the sum bounds, too: a hundred calls that are not yet in it allow one more each.
TEST_P(HashingTest, BoundedLoadWithManyEndpoints) {
  constexpr int kEndpoints = 400;
  constexpr int kCalls = 8'000;
  const auto endpoints = MakeEndpoints(kEndpoints, {"v1"});
  const auto picker = Builder(R"(,"boundedLoad":1.25)")->Build(GroupOf(endpoints));
  for (int call = 0; call < kCalls; ++call) {
    picker->Pick(ForUser(call % 5)).endpoint()->stats().CallStarted();
  }
  for (const Endpoint& endpoint : endpoints) {
    EXPECT_LE(endpoint.stats().in_flight(), 1.25 * kCalls / kEndpoints + 1);
  }
}

// Statistics belong to the instance: what is in flight counts for the next picker, too.
TEST_P(HashingTest, BoundedLoadOutlivesThePicker) {
  const auto endpoints = MakeEndpoints(10, {"v1"});
  const auto builder = Builder(R"(,"boundedLoad":1.25)");
  const Endpoint* const owner = builder->Build(GroupOf(endpoints))->Pick(ForUser(1)).endpoint();
  for (int call = 0; call < 10; ++call) owner->stats().CallStarted();
  EXPECT_NE(builder->Build(GroupOf(endpoints))->Pick(ForUser(1)).endpoint(), owner);
  for (int call = 0; call < 10; ++call) owner->stats().CallEnded();
  EXPECT_EQ(builder->Build(GroupOf(endpoints))->Pick(ForUser(1)).endpoint(), owner);
}

TEST_P(HashingTest, ThreadsPickWhilePickersAreReplaced) {
  auto endpoints = MakeEndpoints(100, {"v1"});
  const auto builder = Builder(R"(,"boundedLoad":1.25)");
  const std::shared_ptr<const Picker> first = builder->Build(GroupOf(endpoints));
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 1'000; ++i) {
        InstanceStats& stats = first->Pick(ForUser(thread * 1'000 + i)).endpoint()->stats();
        stats.CallStarted();
        stats.CallEnded();
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_NE(builder->Build(GroupOf(endpoints))->Pick(ForUser(i)).endpoint(), nullptr);
  }
}

TEST_P(HashingTest, RandomKeysFollowTheWeights) {
  std::vector<Endpoint> endpoints;
  const std::vector<double> weights = {5, 1, 3};
  for (std::size_t i = 0; i < weights.size(); ++i) {
    endpoints.push_back(MakeEndpoint(
        {.id = "app-" + std::to_string(i + 1), .weight = static_cast<std::uint32_t>(weights[i])}));
  }
  const auto picker = Builder()->Build(GroupOf(endpoints));
  base::SeededRandom source(11);
  const base::ScopedRandom scope(source);
  std::map<std::string, int> picks;
  for (int i = 0; i < 9'000; ++i) ++picks[Show(picker->Pick(FakePickArgs()))];
  // A ring's shares are near the weights, a table's are theirs.
  constexpr double kTolerance = 450;
  if (GetParam() == std::string_view("maglev")) {
    EXPECT_TRUE(FollowsWeights({picks["app-1"], picks["app-2"], picks["app-3"]}, weights));
  } else {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      EXPECT_NEAR(picks["app-" + std::to_string(i + 1)], 1'000 * weights[i], kTolerance);
    }
  }
}

TEST_P(HashingTest, ParametersAreChecked) {
  const auto error = [](std::string_view parameters) {
    const auto config = ParsePolicyConfig(
        "turnout", model::Concat({R"({"picker":[{")", GetParam(), "\":", parameters, "}]}"}));
    return std::string{config.status().message()};
  };
  const std::string path = model::Concat({"turnout.picker[0].", GetParam(), "."});
  EXPECT_EQ(error(R"({"requestHashHeader":"X-User"})"),
            path +
                "requestHashHeader: must be a metadata key of [a-z0-9._-] that does not end in "
                "-bin, got \"X-User\"");
  EXPECT_EQ(error(R"({"boundedLoad":101})"), path + "boundedLoad: must be 0.0 to 100.0, got 101");
  EXPECT_EQ(error(R"({"boundedLoad":0.5})"),
            path + "boundedLoad: must be 0 (no bound), or 1.01 to 100");
  EXPECT_EQ(error(R"({"boundedLoad":0})"), "");
  EXPECT_EQ(error(R"({"boundedLoad":1.01})"), "");
}

}  // namespace
}  // namespace turnout::balance
