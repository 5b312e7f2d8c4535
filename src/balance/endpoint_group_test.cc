// The table of outcomes, row by row.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/balance/testing.h"

namespace turnout {
namespace {

using balance::testing::GroupOf;
using balance::testing::MakeEndpoint;
using balance::testing::MakeEndpoints;
using balance::testing::Show;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr auto kIdle = ConnectionState::kIdle;
constexpr auto kConnecting = ConnectionState::kConnecting;
constexpr auto kReady = ConnectionState::kReady;
constexpr auto kFailing = ConnectionState::kFailing;
constexpr auto kUnhealthy = ConnectionState::kUnhealthy;
constexpr auto kRegistered = InstanceStatus::kRegistered;
constexpr auto kDraining = InstanceStatus::kDraining;
constexpr auto kLapsed = InstanceStatus::kLapsed;

// Endpoints app-1, app-2, … in these states.
std::vector<Endpoint> In(const std::vector<std::pair<InstanceStatus, ConnectionState>>& states) {
  std::vector<Endpoint> endpoints;
  endpoints.reserve(states.size());
  for (const auto& [status, state] : states) {
    endpoints.push_back(MakeEndpoint({.id = "app-" + std::to_string(endpoints.size() + 1),
                                      .state = state,
                                      .status = status,
                                      .error = state == kFailing ? "connection refused" : ""}));
  }
  return endpoints;
}

std::vector<std::string> Candidates(const std::vector<Endpoint>& endpoints) {
  std::vector<std::string> ids;
  const EndpointGroup group = GroupOf(endpoints);
  for (const Endpoint* const endpoint : group.candidates()) ids.push_back(endpoint->instance().id);
  return ids;
}

std::string Verdict(const std::vector<Endpoint>& endpoints) {
  return Show(GroupOf(endpoints).Unavailable());
}

TEST(EndpointGroupTest, RegisteredAndReadyComeFirst) {
  EXPECT_THAT(Candidates(In({{kLapsed, kReady},
                             {kDraining, kReady},
                             {kRegistered, kReady},
                             {kRegistered, kConnecting},
                             {kRegistered, kReady}})),
              ElementsAre("app-3", "app-5"));
}

TEST(EndpointGroupTest, DrainingAndReadyComeSecond) {
  EXPECT_THAT(Candidates(In({{kLapsed, kReady},
                             {kDraining, kReady},
                             {kRegistered, kConnecting},
                             {kRegistered, kFailing},
                             {kRegistered, kIdle},
                             {kDraining, kFailing}})),
              ElementsAre("app-2"));
}

TEST(EndpointGroupTest, LapsedAndReadyComeThird) {
  EXPECT_THAT(
      Candidates(In({{kRegistered, kConnecting}, {kDraining, kFailing}, {kLapsed, kReady}})),
      ElementsAre("app-3"));
}

TEST(EndpointGroupTest, WhileSomeConnectCallsAreQueued) {
  const auto endpoints =
      In({{kRegistered, kFailing}, {kRegistered, kIdle}, {kLapsed, kConnecting}});
  EXPECT_THAT(Candidates(endpoints), IsEmpty());
  EXPECT_EQ(Verdict(endpoints), "queue, connect app-2");
}

TEST(EndpointGroupTest, WhileOneConnectsAndNoneIsIdleCallsJustWait) {
  EXPECT_EQ(Verdict(In({{kRegistered, kFailing}, {kDraining, kConnecting}})), "queue");
}

TEST(EndpointGroupTest, IdleOnesBesideFailingOnesAreConnected) {
  EXPECT_EQ(Verdict(In({{kRegistered, kIdle}, {kRegistered, kFailing}, {kDraining, kIdle}})),
            "queue, connect app-1 app-3");
}

TEST(EndpointGroupTest, UnhealthyOnesCountAsFailing) {
  const auto endpoints = In({{kRegistered, kUnhealthy}, {kRegistered, kReady}});
  EXPECT_THAT(Candidates(endpoints), ElementsAre("app-2"));
  EXPECT_THAT(Verdict(In({{kRegistered, kUnhealthy}})), StartsWith("fail: UNAVAILABLE: the only"));
}

TEST(EndpointGroupTest, UnhealthyOnesMayBeTakenForReady) {
  const auto endpoints = In({{kRegistered, kUnhealthy},
                             {kDraining, kReady},
                             {kRegistered, kFailing},
                             {kRegistered, kReady}});
  const EndpointGroup group = GroupOf(endpoints).IgnoringHealth();
  EXPECT_THAT(group.candidates(), ElementsAre(&endpoints[0], &endpoints[3]));
  const EndpointGroup part = group.With({&endpoints[0], &endpoints[1]}, "part");
  EXPECT_THAT(part.candidates(), ElementsAre(&endpoints[0])) << "parts inherit it";
}

TEST(EndpointGroupTest, OneFailingAlone) {
  EXPECT_EQ(Verdict(In({{kRegistered, kFailing}})),
            "fail: UNAVAILABLE: the only matching instance of hwholiday.srv.app is failing; last "
            "error of app-1 (10.0.0.1:80): connection refused");
}

TEST(EndpointGroupTest, SeveralFailing) {
  EXPECT_EQ(Verdict(In({{kRegistered, kFailing}, {kDraining, kFailing}, {kLapsed, kFailing}})),
            "fail: UNAVAILABLE: all 3 matching instances of hwholiday.srv.app are failing; last "
            "error of app-3 (10.0.0.3:80): connection refused");
}

TEST(EndpointGroupTest, FailingWithoutAKnownError) {
  const std::vector<Endpoint> endpoints = {MakeEndpoint({.state = kFailing})};
  EXPECT_EQ(Verdict(endpoints),
            "fail: UNAVAILABLE: the only matching instance of hwholiday.srv.app is failing; last "
            "error of app-1 (10.0.0.1:80): none is known");
}

TEST(EndpointGroupTest, NoneAtAll) {
  EXPECT_EQ(Verdict({}),
            "fail: UNAVAILABLE: no match found conn: no instance of hwholiday.srv.app is "
            "registered");
}

TEST(EndpointGroupTest, APartStandsForItself) {
  const auto endpoints = In({{kRegistered, kReady}, {kDraining, kReady}});
  const EndpointGroup part = GroupOf(endpoints).With({&endpoints[1]}, "v1");
  EXPECT_EQ(part.key(), "/v1");
  EXPECT_EQ(part.With({}, "zone-a").key(), "/v1/zone-a");
  EXPECT_EQ(part.service(), balance::testing::kService);
  EXPECT_THAT(part.members(), ElementsAre(&endpoints[1]));
  EXPECT_THAT(part.candidates(), ElementsAre(&endpoints[1]));
}

TEST(EndpointGroupTest, AHundredThousandReady) {
  EXPECT_EQ(GroupOf(MakeEndpoints(100'000, {"v1"})).candidates().size(), 100'000u);
}

}  // namespace
}  // namespace turnout
