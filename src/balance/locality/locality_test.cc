#include "src/balance/locality/locality.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
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
using testing::ScriptedRandom;
using testing::Show;
using ::testing::UnorderedElementsAre;
using enum ConnectionState;

struct Place {
  std::string region;
  std::string zone;
  std::vector<ConnectionState> states;
  InstanceStatus status = InstanceStatus::kRegistered;
};

std::vector<Endpoint> Fleet(const std::vector<Place>& places) {
  std::vector<Endpoint> endpoints;
  for (const Place& place : places) {
    for (const ConnectionState state : place.states) {
      endpoints.push_back(MakeEndpoint({.id = "app-" + std::to_string(endpoints.size() + 1),
                                        .state = state,
                                        .status = place.status,
                                        .locality = {place.region, place.zone}}));
    }
  }
  return endpoints;
}

std::vector<ConnectionState> Ready(std::size_t count) { return {count, kReady}; }

constexpr std::string_view kInZoneA = R"({"region":"eu","zone":"a","minimumClusterSize":1})";

std::unique_ptr<const Picker> PickerOver(const std::vector<Endpoint>& endpoints,
                                         std::string_view parameters = kInZoneA) {
  return BuilderFor("[{\"locality\":" + std::string(parameters) + "}]")->Build(GroupOf(endpoints));
}

std::set<std::string> Reached(const Picker& picker) {
  std::set<std::string> reached;
  for (int i = 0; i < 500; ++i) reached.insert(Show(picker.Pick(FakePickArgs())));
  return reached;
}

// Calls to each zone.
std::map<std::string, int> CallsByZone(const Picker& picker, int calls) {
  base::SeededRandom source(3);
  const base::ScopedRandom scope(source);
  std::map<std::string, int> counts;
  for (int i = 0; i < calls; ++i) {
    ++counts[picker.Pick(FakePickArgs()).endpoint()->instance().locality.zone];
  }
  return counts;
}

std::string ErrorOf(std::string_view parameters) {
  const std::string policy = R"({"picker":[{"locality":)" + std::string(parameters) + "}]}";
  return std::string(ParsePolicyConfig("turnout", policy).status().message());
}

TEST(LocalityTest, AHealthyZoneKeepsItsCalls) {
  const auto endpoints =
      Fleet({{"eu", "a", Ready(2)}, {"eu", "b", Ready(2)}, {"us", "a", Ready(2)}});
  EXPECT_THAT(Reached(*PickerOver(endpoints)), UnorderedElementsAre("app-1", "app-2"));
}

TEST(LocalityTest, TheRegionComesBeforeTheRest) {
  const auto endpoints =
      Fleet({{"us", "a", Ready(2)}, {"eu", "b", Ready(1)}, {"eu", "", Ready(1)}});
  EXPECT_THAT(Reached(*PickerOver(endpoints)), UnorderedElementsAre("app-3", "app-4"));
}

TEST(LocalityTest, ARegionOrAZoneAloneWillDo) {
  const auto endpoints =
      Fleet({{"eu", "a", Ready(1)}, {"eu", "b", Ready(1)}, {"us", "a", Ready(1)}});
  EXPECT_THAT(Reached(*PickerOver(endpoints, R"({"region":"eu","minimumClusterSize":1})")),
              UnorderedElementsAre("app-1", "app-2"));
  EXPECT_THAT(Reached(*PickerOver(endpoints, R"({"zone":"a","minimumClusterSize":1})")),
              UnorderedElementsAre("app-1", "app-3"));
}

TEST(LocalityTest, WithoutNeighboursNobodyIsPreferred) {
  const auto endpoints = Fleet({{"us", "a", Ready(1)}, {"", "", Ready(1)}});
  EXPECT_EQ(Reached(*PickerOver(endpoints)).size(), 2u);
  EXPECT_EQ(Reached(*PickerOver(endpoints, R"({"minimumClusterSize":1})")).size(), 2u);
}

TEST(LocalityTest, ASmallClusterIsNotDivided) {
  const auto five = Fleet({{"eu", "a", Ready(2)}, {"us", "c", Ready(3)}});
  const auto six = Fleet({{"eu", "a", Ready(2)}, {"us", "c", Ready(4)}});
  constexpr std::string_view kParameters = R"({"region":"eu","zone":"a"})";
  EXPECT_EQ(Reached(*PickerOver(five, kParameters)).size(), 5u);
  EXPECT_EQ(Reached(*PickerOver(six, kParameters)).size(), 2u);
}

// Own zone: 1 of 2 is healthy and takes 0.7; the region takes the rest.
TEST(LocalityTest, TheRandomSourceDecidesBetweenLevels) {
  const auto endpoints = Fleet({{"eu", "a", {kReady, kFailing}}, {"eu", "b", Ready(1)}});
  const auto picker = PickerOver(endpoints);
  // One number for the level, one for the leaf's choice of one; 65% and 75% in turn.
  ScriptedRandom source(10, {6, 0, 7, 0, 0, 0, 9, 0});
  const base::ScopedRandom scope(source);
  std::string sequence;
  for (int i = 0; i < 4; ++i) sequence += Show(picker->Pick(FakePickArgs())) + " ";
  EXPECT_EQ(sequence, "app-1 app-3 app-1 app-3 ");
}

TEST(LocalityTest, CallsSpillByTheShareThatIsHealthy) {
  auto states = Ready(5);
  states.insert(states.end(), 5, kUnhealthy);  // takes 0.7
  const auto endpoints =
      Fleet({{"eu", "a", states},
             {"eu",
              "b",
              {kReady, kFailing, kFailing, kFailing, kFailing, kFailing, kFailing}},  // takes 0.2
             {"us", "c", Ready(3)}});
  constexpr int kCalls = 100'000;
  auto calls = CallsByZone(*PickerOver(endpoints), kCalls);
  EXPECT_TRUE(FollowsWeights({calls["a"], calls["b"], calls["c"]}, {0.7, 0.2, 0.1}));
}

TEST(LocalityTest, ALevelWithoutCandidatesGetsNoCalls) {
  const auto endpoints = Fleet({{"eu", "a", {kConnecting, kFailing}}, {"us", "c", Ready(1)}});
  EXPECT_THAT(Reached(*PickerOver(endpoints)), ElementsAre("app-3"));
}

// A zone that is restarted one by one is not short of what leaves; one that leaves as a whole is.
TEST(LocalityTest, WhoDrainsDoesNotCount) {
  auto endpoints = Fleet({{"eu", "a", Ready(2)},
                          {"eu", "a", Ready(4), InstanceStatus::kDraining},
                          {"us", "c", Ready(1)}});
  EXPECT_THAT(Reached(*PickerOver(endpoints)), UnorderedElementsAre("app-1", "app-2"));
  endpoints.erase(endpoints.begin(), endpoints.begin() + 2);
  EXPECT_THAT(Reached(*PickerOver(endpoints)), ElementsAre("app-7"));
  endpoints.pop_back();
  EXPECT_EQ(Reached(*PickerOver(endpoints)).size(), 4u);
}

TEST(LocalityTest, WhereNothingIsRegisteredAllDecide) {
  const auto endpoints = Fleet({{"eu", "a", {kIdle}},
                                {"eu", "a", {kFailing}, InstanceStatus::kLapsed},
                                {"us", "c", Ready(1), InstanceStatus::kLapsed}});
  EXPECT_THAT(Show(PickerOver(endpoints)->Pick(FakePickArgs())), "app-3, connect app-1");
}

TEST(LocalityTest, WhereAllFailTheMessageIsTheGroups) {
  const auto endpoints = Fleet({{"eu", "a", {kFailing}}, {"us", "c", {kFailing}}});
  EXPECT_THAT(Show(PickerOver(endpoints)->Pick(FakePickArgs())),
              ::testing::StartsWith(
                  "fail: UNAVAILABLE: all 2 matching instances of hwholiday.srv.app are failing"));
}

TEST(LocalityTest, OnlyNearOnesAreConnectedForACall) {
  const auto endpoints = Fleet({{"eu", "a", {kIdle, kIdle}}, {"eu", "b", {kIdle}}});
  EXPECT_EQ(Show(PickerOver(endpoints)->Pick(FakePickArgs())), "queue, connect app-1 app-2");
}

TEST(LocalityTest, WhatFailsNearIsReplacedByConnectionsFurtherAway) {
  const auto endpoints = Fleet(
      {{"eu", "a", {kReady, kFailing, kFailing}}, {"eu", "b", {kIdle}}, {"us", "c", {kIdle}}});
  const auto picker = PickerOver(endpoints);
  EXPECT_EQ(Show(picker->Pick(FakePickArgs())), "app-1, connect app-4");  // takes the other 0.53
  EXPECT_EQ(Show(picker->Pick(FakePickArgs())), "app-1");
}

TEST(LocalityTest, TheChildsOwnConnectionsComeFirst) {
  const auto endpoints = Fleet(
      {{"eu", "a", {kReady, kIdle, kFailing, kFailing, kFailing, kFailing}}, {"eu", "b", {kIdle}}});
  const auto picker = PickerOver(endpoints);
  EXPECT_EQ(Show(picker->Pick(FakePickArgs())), "app-1, connect app-2");
  EXPECT_EQ(Show(picker->Pick(FakePickArgs())), "app-1, connect app-7");
}

TEST(LocalityTest, TwoLevelsAreConnectedByTwoCalls) {
  const auto endpoints = Fleet({{"eu", "a", {kReady, kFailing, kFailing}},
                                {"eu", "b", {kIdle, kFailing, kFailing, kFailing, kFailing}},
                                {"us", "c", {kIdle}}});
  const auto picker = PickerOver(endpoints);
  EXPECT_EQ(Show(picker->Pick(FakePickArgs())), "app-1, connect app-4");
  EXPECT_EQ(Show(picker->Pick(FakePickArgs())), "app-1, connect app-9");
  EXPECT_EQ(Show(picker->Pick(FakePickArgs())), "app-1");
}

TEST(LocalityTest, WhatLevelsWantIsWanted) {
  const auto endpoints = Fleet({{"eu", "a", Ready(4)}, {"us", "c", Ready(4)}});
  const auto picker = PickerOver(endpoints, R"({"region":"eu","zone":"a",
      "child":[{"subset":{"subsetSize":1}}]})");
  std::map<std::string, int> wanted;
  for (const Endpoint& each : endpoints) {
    wanted[each.instance().locality.zone] += picker->Wants(each) ? 1 : 0;
  }
  EXPECT_THAT(wanted, UnorderedElementsAre(std::pair("a", 1), std::pair("c", 1)));
}

TEST(LocalityTest, NoneAndAHundredThousand) {
  EXPECT_THAT(Show(PickerOver({})->Pick(FakePickArgs())),
              ::testing::StartsWith("fail: UNAVAILABLE: no match found conn"));
  const auto endpoints = Fleet({{"us", "c", Ready(99'999)}, {"eu", "a", Ready(1)}});
  EXPECT_THAT(Reached(*PickerOver(endpoints)), ElementsAre("app-100000"));
}

TEST(LocalityConfigTest, ThePlaceIsTheEnvironmentsUnlessStated) {
  const auto endpoints = Fleet({{"eu", "a", Ready(1)}, {"us", "b", Ready(1)}});
  setenv("TURNOUT_REGION", "us", 1);
  setenv("TURNOUT_ZONE", "b", 1);
  const auto by_environment = PickerOver(endpoints, R"({"minimumClusterSize":0})");
  const auto by_parameters = PickerOver(endpoints, kInZoneA);
  unsetenv("TURNOUT_REGION");
  unsetenv("TURNOUT_ZONE");
  EXPECT_THAT(Reached(*by_environment), ElementsAre("app-2"));
  EXPECT_THAT(Reached(*by_parameters), ElementsAre("app-1"));
}

TEST(LocalityConfigTest, ParametersAreChecked) {
  const std::string at = "turnout.picker[0].locality.";
  EXPECT_EQ(ErrorOf(R"({"overprovisioning":0.9})"),
            at + "overprovisioning: must be 1.0 to 100.0, got 0.9");
  EXPECT_EQ(ErrorOf(R"({"overprovisioning":"1.4"})"),
            at + "overprovisioning: must be a number, 1.0 to 100.0, got \"1.4\"");
  EXPECT_EQ(ErrorOf(R"({"minimumClusterSize":-1})"),
            at + "minimumClusterSize: must be 0 to 1000000, got -1");
  EXPECT_EQ(ErrorOf(R"({"region":1})"), at + "region: must be a string, got 1");
  EXPECT_EQ(ErrorOf(R"({"zone":null})"), at + "zone: must be a string, got null");
  EXPECT_EQ(ErrorOf(R"({"zones":"a"})"),
            at + "zones: unknown field; allowed: region, zone, overprovisioning, "
                 "minimumClusterSize, child; did you mean zone?");
  EXPECT_THAT(ErrorOf(R"({"child":[]})"), ::testing::StartsWith(at + "child: names no picker"));
}

}  // namespace
}  // namespace turnout::balance
