#include "src/balance/panic/panic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "src/balance/chi_square.h"
#include "src/balance/policy_config.h"
#include "src/balance/testing.h"

namespace turnout::balance {
namespace {

using testing::BuilderFor;
using ::testing::ElementsAre;
using testing::FakePickArgs;
using testing::FollowsWeights;
using testing::GroupOf;
using testing::MakeEndpoint;
using testing::MakeEndpoints;
using testing::ScriptedRandom;
using testing::Show;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;
using enum ConnectionState;

std::vector<Endpoint> Fleet(const std::vector<ConnectionState>& states,
                            InstanceStatus status = InstanceStatus::kRegistered) {
  std::vector<Endpoint> endpoints;
  for (const ConnectionState state : states) {
    endpoints.push_back(MakeEndpoint({.id = "app-" + std::to_string(endpoints.size() + 1),
                                      .state = state,
                                      .status = status,
                                      .error = "refused"}));
  }
  return endpoints;
}

std::unique_ptr<const Picker> PickerOver(const std::vector<Endpoint>& endpoints,
                                         std::string_view parameters = "{}") {
  return BuilderFor("[{\"panic\":" + std::string(parameters) + "}]")->Build(GroupOf(endpoints));
}

std::set<std::string> Reached(const Picker& picker) {
  std::set<std::string> reached;
  for (int i = 0; i < 200; ++i) reached.insert(Show(picker.Pick(FakePickArgs())));
  return reached;
}

std::string ErrorOf(std::string_view parameters) {
  const std::string policy = R"({"picker":[{"panic":)" + std::string(parameters) + "}]}";
  return std::string(ParsePolicyConfig("turnout", policy).status().message());
}

constexpr std::string_view kFail = R"({"unreachable":"fail"})";

TEST(PanicTest, HealthCountsAtTheThreshold) {
  const auto endpoints = Fleet({kReady, kUnhealthy});
  EXPECT_THAT(Reached(*PickerOver(endpoints)), ElementsAre("app-1"));
}

TEST(PanicTest, HealthIsIgnoredBelowTheThreshold) {
  const auto endpoints = Fleet({kReady, kUnhealthy, kUnhealthy});
  EXPECT_THAT(Reached(*PickerOver(endpoints)), UnorderedElementsAre("app-1", "app-2", "app-3"));
}

TEST(PanicTest, TheThresholdIsConfigurable) {
  const auto endpoints = Fleet({kReady, kReady, kReady, kUnhealthy});
  EXPECT_EQ(Reached(*PickerOver(endpoints, R"({"threshold":0.75})")).size(), 3u);
  EXPECT_EQ(Reached(*PickerOver(endpoints, R"({"threshold":0.76})")).size(), 4u);
  EXPECT_EQ(Reached(*PickerOver(endpoints, R"({"threshold":1})")).size(), 4u);
  const auto one = Fleet({kReady, kUnhealthy, kUnhealthy, kUnhealthy});
  EXPECT_EQ(Reached(*PickerOver(one, R"({"threshold":0})")).size(), 1u);
}

TEST(PanicTest, AllUnhealthyIsBetterThanNone) {
  const auto endpoints = Fleet({kUnhealthy, kUnhealthy});
  EXPECT_THAT(Reached(*PickerOver(endpoints)), UnorderedElementsAre("app-1", "app-2"));
  EXPECT_THAT(Show(PickerOver(endpoints, R"({"threshold":0})")->Pick(FakePickArgs())),
              StartsWith("fail: UNAVAILABLE: all 2 matching instances"));
}

TEST(PanicTest, WhatIsNotYetConnectedIsNotUnhealthy) {
  const auto endpoints = Fleet({kReady, kUnhealthy, kIdle, kIdle, kConnecting, kConnecting});
  EXPECT_EQ(Show(PickerOver(endpoints)->Pick(FakePickArgs())), "app-1, connect app-3 app-4");
  EXPECT_EQ(Show(PickerOver(Fleet({kConnecting}))->Pick(FakePickArgs())), "queue");
}

TEST(PanicTest, WhoLeavesDoesNotCount) {
  auto endpoints = Fleet({kReady});
  const auto leaving = Fleet({kReady, kUnhealthy, kUnhealthy, kFailing}, InstanceStatus::kDraining);
  endpoints.insert(endpoints.end(), leaving.begin(), leaving.end());
  EXPECT_THAT(Reached(*PickerOver(endpoints, kFail)), ElementsAre("app-1"));
  endpoints[0].state = kUnhealthy;  // no READY one that stays: draining ones are no candidates
  EXPECT_THAT(Reached(*PickerOver(endpoints)), ElementsAre("app-1"));
}

TEST(PanicTest, TheUnreachableArePassedOver) {
  const auto endpoints = Fleet({kReady, kUnhealthy, kFailing, kFailing});
  EXPECT_THAT(Reached(*PickerOver(endpoints)), UnorderedElementsAre("app-1", "app-2"));
}

TEST(PanicTest, TheUnreachablesShareOfCallsFails) {
  const auto endpoints = Fleet({kReady, kUnhealthy, kFailing, kFailing, kFailing});
  const auto picker = PickerOver(endpoints, kFail);
  // Of 5: 0 to 2 fail. Then the leaf chooses one of 2.
  ScriptedRandom source(10, {5, 6, 0, 9, 9, 0});
  const base::ScopedRandom scope(source);
  const std::string failure =
      "fail: UNAVAILABLE: panic: of 5 instances of hwholiday.srv.app 1 are ready, 1 unhealthy, 3 "
      "cannot be reached; this call would have gone to one of the last";
  EXPECT_EQ(Show(picker->Pick(FakePickArgs())), failure);
  EXPECT_EQ(Show(picker->Pick(FakePickArgs())), "app-1");
  EXPECT_EQ(Show(picker->Pick(FakePickArgs())), "app-2");
  EXPECT_EQ(Show(picker->Pick(FakePickArgs())), failure);
}

TEST(PanicTest, EachGetsItsShareOfAllCalls) {
  const auto endpoints = Fleet({kReady, kUnhealthy, kFailing, kFailing, kFailing});
  const auto picker = PickerOver(endpoints, kFail);
  constexpr int kCalls = 100'000;
  base::SeededRandom source(11);
  const base::ScopedRandom scope(source);
  std::map<std::string, int> calls;
  for (int i = 0; i < kCalls; ++i) ++calls[Show(picker->Pick(FakePickArgs()))];
  const int failed = kCalls - calls["app-1"] - calls["app-2"];
  EXPECT_TRUE(FollowsWeights({calls["app-1"], calls["app-2"], failed}, {1, 1, 3}));
}

TEST(PanicTest, WhereNoneCanBeReachedTheReasonIsGiven) {
  EXPECT_THAT(Show(PickerOver(Fleet({kFailing, kFailing}), kFail)->Pick(FakePickArgs())),
              StartsWith("fail: UNAVAILABLE: all 2 matching instances of hwholiday.srv.app are "
                         "failing; last error of app-2"));
  EXPECT_EQ(Show(PickerOver(Fleet({kFailing, kConnecting}), kFail)->Pick(FakePickArgs())), "queue");
}

TEST(PanicTest, WithoutUnreachableOnesNothingFails) {
  const auto endpoints = Fleet({kReady, kUnhealthy, kUnhealthy});
  EXPECT_EQ(Reached(*PickerOver(endpoints, kFail)).size(), 3u);
}

TEST(PanicTest, WhatTheChildWantsIsWanted) {
  std::vector<ConnectionState> states(40, kUnhealthy);
  states.resize(50, kFailing);
  for (const std::string_view unreachable : {"skip", "fail"}) {
    const auto endpoints = Fleet(states);
    const auto picker = PickerOver(endpoints, R"({"unreachable":")" + std::string(unreachable) +
                                                  R"(","child":[{"subset":{"subsetSize":3}}]})");
    int wanted = 0;
    for (const Endpoint& each : endpoints) wanted += picker->Wants(each) ? 1 : 0;
    EXPECT_EQ(wanted, 3);
  }
}

TEST(PanicTest, NoneAndAHundredThousand) {
  EXPECT_THAT(Show(PickerOver({})->Pick(FakePickArgs())),
              StartsWith("fail: UNAVAILABLE: no match found conn"));
  const auto endpoints = MakeEndpoints(100'000, {"v1"}, kUnhealthy);
  EXPECT_EQ(PickerOver(endpoints)->Pick(FakePickArgs()).kind(), PickResult::Kind::kEndpoint);
}

TEST(PanicConfigTest, ParametersAreChecked) {
  const std::string at = "turnout.picker[0].panic.";
  EXPECT_EQ(ErrorOf(R"({"threshold":50})"), at + "threshold: must be 0.0 to 1.0, got 50");
  EXPECT_EQ(ErrorOf(R"({"threshold":"50%"})"),
            at + "threshold: must be a number, 0.0 to 1.0, got \"50%\"");
  EXPECT_EQ(ErrorOf(R"({"unreachable":"drop"})"),
            at + "unreachable: must be one of skip, fail, got \"drop\"");
  EXPECT_EQ(ErrorOf(R"({"treshold":0.5})"),
            at + "treshold: unknown field; allowed: threshold, unreachable, child; did you mean "
                 "threshold?");
  EXPECT_THAT(ErrorOf(R"({"child":[{"panics":{}}]})"),
              StartsWith(at + "child: names no known picker"));
}

}  // namespace
}  // namespace turnout::balance
