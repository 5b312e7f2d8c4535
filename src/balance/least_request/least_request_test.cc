#include "src/balance/least_request/least_request.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "src/balance/chi_square.h"
#include "src/balance/testing.h"

namespace turnout::balance {
namespace {

using testing::BuilderFor;
using testing::FakePickArgs;
using testing::FollowsWeights;
using testing::GroupOf;
using testing::MakeEndpoint;
using testing::MakeEndpoints;
using testing::ScriptedRandom;
using testing::Show;

constexpr std::string_view kConfig = R"([{"least_request":{}}])";

std::vector<Endpoint> WithWeights(const std::vector<std::uint32_t>& weights) {
  std::vector<Endpoint> endpoints;
  endpoints.reserve(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    endpoints.push_back(MakeEndpoint({.id = "app-" + std::to_string(i + 1), .weight = weights[i]}));
  }
  return endpoints;
}

void SetInFlight(const Endpoint& endpoint, int calls) {
  while (endpoint.stats().in_flight() < calls) endpoint.stats().CallStarted();
  while (endpoint.stats().in_flight() > calls) endpoint.stats().CallEnded();
}

std::string Sequence(const Picker& picker, int picks) {
  std::string sequence;
  for (int i = 0; i < picks; ++i) sequence += Show(picker.Pick(FakePickArgs())) + " ";
  return sequence;
}

// Where the calls in flight stay as they are.
std::vector<int> CountPicks(const std::vector<Endpoint>& endpoints, int picks,
                            std::string_view config = kConfig) {
  base::SeededRandom source(21);
  const base::ScopedRandom scope(source);
  const auto picker = BuilderFor(config)->Build(GroupOf(endpoints));
  std::vector<int> counts(endpoints.size());
  for (int i = 0; i < picks; ++i) {
    const Endpoint* const picked = picker->Pick(FakePickArgs()).endpoint();
    ++counts[static_cast<std::size_t>(picked - endpoints.data())];
  }
  return counts;
}

TEST(LeastRequestTest, TheOneWithFewerCallsInFlightWins) {
  const auto endpoints = MakeEndpoints(10, {"v1"});
  for (int i = 0; i < 10; ++i) SetInFlight(endpoints[static_cast<std::size_t>(i)], i);
  // Pairs of 3 and 7, 7 and 3, 9 and 0. The second is drawn among the nine others.
  ScriptedRandom source(10, {3, 7, 7, 3, 9, 0});
  const base::ScopedRandom scope(source);
  EXPECT_EQ(Sequence(*BuilderFor(kConfig)->Build(GroupOf(endpoints)), 3), "app-4 app-4 app-1 ");
}

TEST(LeastRequestTest, OfEqualsTheFirstDrawnWins) {
  const auto endpoints = MakeEndpoints(10, {"v1"});
  ScriptedRandom source(10, {3, 7, 7, 3, 9, 0});
  const base::ScopedRandom scope(source);
  EXPECT_EQ(Sequence(*BuilderFor(kConfig)->Build(GroupOf(endpoints)), 3), "app-4 app-8 app-10 ");
}

TEST(LeastRequestTest, MoreChoicesFindTheIdleOneMoreOften) {
  const auto endpoints = MakeEndpoints(10, {"v1"});
  for (std::size_t i = 1; i < 10; ++i) SetInFlight(endpoints[i], 1);
  const auto share = [&](std::string_view config) {
    return CountPicks(endpoints, 10'000, config)[0] / 10'000.0;
  };
  EXPECT_NEAR(share(kConfig), 0.2, 0.02);
  EXPECT_NEAR(share(R"([{"least_request":{"choiceCount":5}}])"), 0.5, 0.02);
  EXPECT_EQ(share(R"([{"least_request":{"choiceCount":10}}])"), 1);
}

TEST(LeastRequestTest, IdleOnesShareEvenly) {
  EXPECT_TRUE(
      FollowsWeights(CountPicks(MakeEndpoints(10, {"v1"}), 20'000), std::vector<double>(10, 1)));
}

// Each call stays in flight: none may be ahead of another by more than the draws allow.
TEST(LeastRequestTest, CallsInFlightStayLevel) {
  const auto endpoints = MakeEndpoints(100, {"v1"});
  base::SeededRandom source(22);
  const base::ScopedRandom scope(source);
  const auto picker = BuilderFor(kConfig)->Build(GroupOf(endpoints));
  for (int i = 0; i < 10'000; ++i) picker->Pick(FakePickArgs()).endpoint()->stats().CallStarted();
  for (const Endpoint& endpoint : endpoints) EXPECT_NEAR(endpoint.stats().in_flight(), 100, 5);
}

TEST(LeastRequestTest, NoneOneAndTwo) {
  EXPECT_EQ(
      Show(BuilderFor(kConfig)->Build(GroupOf({}))->Pick(FakePickArgs())),
      "fail: UNAVAILABLE: no match found conn: no instance of hwholiday.srv.app is registered");
  EXPECT_EQ(CountPicks(MakeEndpoints(1, {"v1"}), 3), (std::vector<int>{3}));
  const auto two = MakeEndpoints(2, {"v1"});
  EXPECT_TRUE(FollowsWeights(CountPicks(two, 1'000), {1, 1}));
  SetInFlight(two[0], 1);
  EXPECT_EQ(CountPicks(two, 1'000), (std::vector<int>{0, 1'000}));
}

TEST(LeastRequestTest, AHundredThousand) {
  const auto endpoints = MakeEndpoints(100'000, {"v1"});
  for (std::size_t i = 0; i < 50'000; ++i) SetInFlight(endpoints[i], 1);
  int busy = 0;
  const auto counts = CountPicks(endpoints, 10'000);
  for (std::size_t i = 0; i < 50'000; ++i) busy += counts[i];
  EXPECT_TRUE(FollowsWeights({busy, 10'000 - busy}, {1, 3}));  // only where both are busy
}

TEST(LeastRequestTest, InFlightSurvivesTheNextPicker) {
  auto endpoints = MakeEndpoints(3, {"v1"});
  SetInFlight(endpoints[0], 2);
  SetInFlight(endpoints[1], 1);
  const std::string_view all = R"([{"least_request":{"choiceCount":3}}])";
  EXPECT_EQ(CountPicks(endpoints, 100, all), (std::vector<int>{0, 0, 100}));
  endpoints[2].state = ConnectionState::kFailing;
  EXPECT_EQ(CountPicks(endpoints, 100, all), (std::vector<int>{0, 100, 0}));
}

TEST(LeastRequestTest, ByWeightTheScriptDecides) {
  const auto endpoints = WithWeights({1, 2, 3});  // the table is worked out in alias_table.h
  SetInFlight(endpoints[2], 1);
  // Two draws and the winner's number: app-1 and app-3 count 1 and 1/2, so from 2/3 on it is app-3.
  ScriptedRandom source(6, {0, 5, 3, 0, 5, 4, 2, 2, 5});
  const base::ScopedRandom scope(source);
  EXPECT_EQ(Sequence(*BuilderFor(kConfig)->Build(GroupOf(endpoints)), 3), "app-1 app-3 app-2 ");
}

TEST(LeastRequestTest, IdleOnesShareByWeight) {
  EXPECT_TRUE(FollowsWeights(CountPicks(WithWeights({1, 3}), 10'000), {1, 3}));
  EXPECT_TRUE(FollowsWeights(CountPicks(WithWeights({1, 2, 0, 3, 4}), 10'000), {1, 2, 0, 3, 4}));
  EXPECT_TRUE(FollowsWeights(
      CountPicks(WithWeights({1, 2, 0, 4}), 10'000, R"([{"least_request":{"choiceCount":10}}])"),
      {1, 2, 0, 4}));
}

TEST(LeastRequestTest, CallsInFlightCountAgainstWeight) {
  const auto endpoints = WithWeights({1, 3});
  SetInFlight(endpoints[0], 1);
  SetInFlight(endpoints[1], 8);
  EXPECT_TRUE(FollowsWeights(CountPicks(endpoints, 10'000), {1.0 / 2, 3.0 / 9}));
  EXPECT_TRUE(FollowsWeights(
      CountPicks(endpoints, 10'000, R"([{"least_request":{"activeRequestBias":0.5}}])"),
      {1 / 1.4142, 3.0 / 3}));
  EXPECT_TRUE(FollowsWeights(
      CountPicks(endpoints, 10'000, R"([{"least_request":{"activeRequestBias":0}}])"), {1, 3}));
}

TEST(LeastRequestTest, AllZeroIsAllAlike) {
  const auto endpoints = WithWeights({0, 0, 0});
  EXPECT_TRUE(FollowsWeights(CountPicks(endpoints, 10'000), {1, 1, 1}));
}

TEST(LeastRequestTest, OneHugeWeightAmongThousands) {
  std::vector<std::uint32_t> weights(10'000, 1);
  weights[3] = 65'535;
  const auto counts = CountPicks(WithWeights(weights), 10'000);
  EXPECT_TRUE(FollowsWeights({counts[3], 10'000 - counts[3]}, {65'535, 9'999}));
}

TEST(LeastRequestTest, ChangedWeightsTakeEffectWithTheNextPicker) {
  EXPECT_TRUE(FollowsWeights(CountPicks(WithWeights({1, 1, 1}), 10'000), {1, 1, 1}));
  EXPECT_TRUE(FollowsWeights(CountPicks(WithWeights({1, 1, 8}), 10'000), {1, 1, 8}));
}

}  // namespace
}  // namespace turnout::balance
