#include "src/route/route_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "src/balance/policy_config.h"
#include "src/balance/testing.h"
#include "src/model/text.h"
#include "src/route/testing.h"

namespace turnout::route {
namespace {

using balance::testing::BuilderFor;
using balance::testing::EndpointSpec;
using balance::testing::FakePickArgs;
using balance::testing::GroupOf;
using balance::testing::MakeEndpoint;
using balance::testing::MakeEndpoints;
using balance::testing::Show;
using model::Concat;
using testing::DecidedArgs;
using ::testing::ElementsAre;
using testing::FakeCall;
using ::testing::HasSubstr;
using testing::ParseRules;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

std::shared_ptr<const Router> RouterFor(std::string_view document, const Caller& caller = {}) {
  return std::make_shared<const Router>(ParseRules(document), caller);
}

// A document with one rule, "r", for every call.
std::shared_ptr<const Router> RouteOf(std::string_view route) {
  return RouterFor(Concat({R"({"rules":[{"name":"r","route":)", route, "}]}"}));
}
std::shared_ptr<const Router> RouteTo(std::string_view destination) {
  return RouteOf(Concat({R"({"destinations":[)", destination, "]}"}));
}

Decision Decide(const Router& router, std::uint64_t seed = 1) {
  base::SeededRandom random(seed);
  return router.Decide(FakeCall(), random);
}

// Endpoints, and what a channel does with them.
struct Channel {
  explicit Channel(std::vector<Endpoint> endpoints_in_use, std::shared_ptr<const Router> rules,
                   std::string_view configured = R"([{"version":{}}])",
                   std::vector<std::shared_ptr<const Router>> former = {})
      : endpoints(std::move(endpoints_in_use)),
        router(std::move(rules)),
        picker(RouteBuilder(BuilderFor(configured), router, std::move(former))
                   .Build(GroupOf(endpoints))) {}

  // What a call comes to that is decided anew each time; `args` gives its metadata.
  std::set<std::string> Reached(const FakePickArgs& args = {}) const {
    std::set<std::string> reached;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      DecidedArgs decided(Decide(*router, seed));
      decided.args() = args;
      reached.insert(Show(picker->Pick(decided)));
    }
    return reached;
  }
  std::string Pick(const FakePickArgs& args = {}) const {
    DecidedArgs decided(Decide(*router));
    decided.args() = args;
    return Show(picker->Pick(decided));
  }
  std::vector<std::string> Wanted() const {
    std::vector<std::string> wanted;
    for (const Endpoint& endpoint : endpoints) {
      if (picker->Wants(endpoint)) wanted.push_back(endpoint.instance().id);
    }
    return wanted;
  }

  const std::vector<Endpoint> endpoints;
  const std::shared_ptr<const Router> router;
  const std::unique_ptr<const Picker> picker;
};

std::vector<Endpoint> Lanes() {
  return {MakeEndpoint({.id = "app-1", .version = "v1"}),
          MakeEndpoint({.id = "app-2", .version = "v2"}),
          MakeEndpoint({.id = "app-3", .version = "v1", .metadata = {{"lane", "blue"}}}),
          MakeEndpoint({.id = "app-4", .version = "v2", .metadata = {{"lane", "blue"}}}),
          MakeEndpoint({.id = "app-5", .version = "v2", .metadata = {{"lane", "red"}}})};
}

TEST(RouteBuilderTest, WithoutRulesTheChannelIsOnItsOwn) {
  const auto endpoints = MakeEndpoints(4, {"v1", "v2"});
  const auto picker =
      RouteBuilder(BuilderFor(R"([{"version":{}}])"), nullptr).Build(GroupOf(endpoints));
  EXPECT_EQ(Show(picker->Pick(FakePickArgs().Version("v3"))),
            "fail: UNAVAILABLE: no match found conn: asked for version v3 of hwholiday.srv.app; "
            "registered: v1 ×2, v2 ×2");
}

TEST(RouteBuilderTest, RulesNarrow) {
  const auto reached = [](std::string_view destination, const FakePickArgs& args = {}) {
    return Channel(Lanes(), RouteTo(destination)).Reached(args);
  };
  EXPECT_THAT(reached("{}"), UnorderedElementsAre("app-1", "app-2", "app-3", "app-4", "app-5"));
  EXPECT_THAT(reached(R"({"version":"v1"})"), UnorderedElementsAre("app-1", "app-3"));
  EXPECT_THAT(reached(R"({"version":">=2"})"), UnorderedElementsAre("app-2", "app-4", "app-5"));
  EXPECT_THAT(reached(R"({"labels":{"lane":"blue"}})"), UnorderedElementsAre("app-3", "app-4"));
  EXPECT_THAT(reached(R"({"version":"v2","labels":{"lane":"blue"}})"), ElementsAre("app-4"));
  EXPECT_THAT(reached(R"({"withoutLabels":["lane"]})"), UnorderedElementsAre("app-1", "app-2"));
  EXPECT_THAT(reached(R"({"labelsFromMetadata":{"lane":"turnout-lane"}})",
                      FakePickArgs().Set("turnout-lane", "red")),
              ElementsAre("app-5"));
  EXPECT_THAT(reached(R"({"version":"v1","labelsFromMetadata":{"lane":"turnout-lane"}})",
                      FakePickArgs().Set("turnout-lane", "blue")),
              ElementsAre("app-3"));
  EXPECT_THAT(reached(R"({"labelsFromMetadata":{"lane":"l","version":"w"}})",
                      FakePickArgs().Set("l", "blue").Set("w", "v2")),
              ElementsAre("app-4"));
}

TEST(RouteBuilderTest, EachDestinationGetsItsShare) {
  const Channel channel(MakeEndpoints(2, {"v1", "v2"}),
                        RouteOf(R"({"destinations":[{"weight":1,"version":"v1"},
                                                    {"weight":3,"version":"v2"}]})"));
  base::SeededRandom random(5);
  std::map<std::string, int> calls;
  for (int i = 0; i < 100'000; ++i) {
    ++calls[Show(channel.picker->Pick(DecidedArgs(channel.router->Decide(FakeCall(), random))))];
  }
  EXPECT_NEAR(calls["app-1"] / 1000.0, 25, 1);
  EXPECT_NEAR(calls["app-2"] / 1000.0, 75, 1);
}

TEST(RouteBuilderTest, ADecisionHoldsForEveryAttempt) {
  const Channel channel(MakeEndpoints(4, {"v1", "v2"}),
                        RouteOf(R"({"destinations":[{"version":"v1"},{"version":"v2"}]})"));
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Decision decision = Decide(*channel.router, seed);
    DecidedArgs args(decision);
    std::set<std::string> versions;
    for (int attempt = 0; attempt < 5; ++attempt) {
      const PickResult result = channel.picker->Pick(args);
      ASSERT_EQ(result.kind(), PickResult::Kind::kEndpoint);
      versions.insert(result.endpoint()->instance().version);
      args.args().Retry(*result.endpoint());
    }
    EXPECT_THAT(versions, ElementsAre(decision.destination == 0 ? "v1" : "v2"));
  }
}

TEST(RouteBuilderTest, NobodyThereFailsAndSaysWhoWanted) {
  const auto message = [](std::string_view route) {
    return Channel(MakeEndpoints(3, {"v1", "v2"}), RouteOf(route)).Pick();
  };
  EXPECT_EQ(message(R"({"destinations":[{"version":"v3"}]})"),
            "fail: UNAVAILABLE: no match found conn: rule \"r\" asks for version v3 of "
            "hwholiday.srv.app; registered: v1 ×2, v2 ×1");
  EXPECT_EQ(
      message(R"({"destinations":[{"version":"v3"},{"labels":{"lane":"blue"},"weight":0}],
                        "fallback":"next"})"),
      "fail: UNAVAILABLE: no match found conn: rule \"r\" asks for version v3 or lane=blue of "
      "hwholiday.srv.app; registered: v1 ×2, v2 ×1");
  EXPECT_EQ(Channel({}, RouteOf(R"({"destinations":[{"version":"v3"}],"fallback":"any"})")).Pick(),
            "fail: UNAVAILABLE: no match found conn: rule \"r\" asks for version v3 of "
            "hwholiday.srv.app; registered: none");
}

TEST(RouteBuilderTest, ALaneThatTheCallLacksIsNobodys) {
  const Channel channel(Lanes(), RouteTo(R"({"labelsFromMetadata":{"lane":"turnout-lane"}})"));
  const std::string nobody =
      "fail: UNAVAILABLE: no match found conn: rule \"r\" asks for lane=(metadata turnout-lane) of "
      "hwholiday.srv.app; registered: v1 ×2, v2 ×3";
  EXPECT_EQ(channel.Pick(), nobody + "; metadata turnout-lane: absent");
  EXPECT_EQ(channel.Pick(FakePickArgs().Set("turnout-lane", "green")),
            nobody + "; metadata turnout-lane: green");
}

TEST(RouteBuilderTest, TheNextDestinationThatHasInstances) {
  const auto reached = [](std::string_view destinations) {
    return Channel(MakeEndpoints(3, {"v1", "v2", "v3"}),
                   RouteOf(Concat({R"({"fallback":"next","destinations":[)", destinations, "]}"})))
        .Reached();
  };
  EXPECT_THAT(reached(R"({"version":"v9"},{"weight":0,"version":"v8"},{"weight":0,"version":"v2"},
                         {"weight":0,"version":"v1"})"),
              ElementsAre("app-2"));
  EXPECT_THAT(reached(R"({"weight":0,"version":"v3"},{"weight":0,"version":"v2"},
                         {"version":"v9"})"),
              ElementsAre("app-3"))
      << "in a circle";
  EXPECT_THAT(reached(R"({"version":"v1"},{"weight":0,"version":"v2"})"), ElementsAre("app-1"));
}

// The lane where it exists, and the baseline where it does not.
TEST(RouteBuilderTest, ALaneFallsBackToTheBaseline) {
  const Channel channel(Lanes(), RouteOf(R"({"fallback":"next",
                           "destinations":[{"labelsFromMetadata":{"lane":"turnout-lane"}},
                                           {"weight":0,"withoutLabels":["lane"]}]})"));
  EXPECT_THAT(channel.Reached(FakePickArgs().Set("turnout-lane", "blue")),
              UnorderedElementsAre("app-3", "app-4"));
  EXPECT_THAT(channel.Reached(FakePickArgs().Set("turnout-lane", "green")),
              UnorderedElementsAre("app-1", "app-2"));
  EXPECT_THAT(channel.Reached(), UnorderedElementsAre("app-1", "app-2"));
}

TEST(RouteBuilderTest, AnyInstanceInsteadIsTheConfiguredPickers) {
  const Channel channel(MakeEndpoints(3, {"v1", "v2"}),
                        RouteOf(R"({"fallback":"any","destinations":[{"version":"v9"}]})"));
  EXPECT_THAT(channel.Reached(), UnorderedElementsAre("app-1", "app-2", "app-3"));
  EXPECT_THAT(channel.Reached(FakePickArgs().Version("v2")), ElementsAre("app-2"));
}

TEST(RouteBuilderTest, TheCallsVersionNarrowsInsideTheDestination) {
  const Channel channel(Lanes(), RouteTo(R"({"labels":{"lane":"blue"}})"));
  EXPECT_THAT(channel.Reached(FakePickArgs().Version("v2")), ElementsAre("app-4"));
  EXPECT_EQ(channel.Pick(FakePickArgs().Version("v3")),
            "fail: UNAVAILABLE: no match found conn: asked for version v3 of hwholiday.srv.app; "
            "registered: v1 ×1, v2 ×1; rule \"r\" leaves lane=blue of hwholiday.srv.app, which has "
            "v1 ×2, v2 ×3")
      << "the call's version ruled it out, in what the rule left";
}

// Also when the fallback could have done what the call wants: a destination with instances stays.
TEST(RouteBuilderTest, TheCallsVersionIsNoReasonToFallBack) {
  const Channel channel(
      MakeEndpoints(2, {"v1", "v2"}),
      RouteOf(
          R"({"fallback":"next","destinations":[{"version":"v1"},{"weight":0,"version":"v2"}]})"));
  EXPECT_THAT(channel.Pick(FakePickArgs().Version("v2")),
              HasSubstr("asked for version v2 of hwholiday.srv.app; registered: v1 ×1; rule \"r\" "
                        "leaves version v1"));
}

TEST(RouteBuilderTest, TheCallsVersionCanBeIgnored) {
  const Channel channel(Lanes(), RouteOf(R"({"callVersion":"ignore","fallback":"any",
                                             "destinations":[{"version":"v1"}]})"));
  EXPECT_THAT(channel.Reached(FakePickArgs().Version("v2")),
              UnorderedElementsAre("app-1", "app-3"));
  const Channel elsewhere(Lanes(), RouteOf(R"({"callVersion":"ignore","fallback":"any",
                                               "destinations":[{"version":"v9"}]})"));
  EXPECT_EQ(elsewhere.Reached(FakePickArgs().Version("v2")).size(), 5u);
  const Channel by_label(Lanes(), RouteOf(R"({"callVersion":"ignore",
                           "destinations":[{"labelsFromMetadata":{"version":"version"}}]})"));
  EXPECT_THAT(by_label.Reached(FakePickArgs().Version("v1")),
              UnorderedElementsAre("app-1", "app-3"))
      << "what the destination itself asks for is looked at";
}

// round_robin tells itself from random in four picks over two instances.
TEST(RouteBuilderTest, ARuleMayNameThePicker) {
  const auto picks = [](std::string_view route, const FakePickArgs& args) {
    const Channel channel(MakeEndpoints(4, {"v1", "v2"}), RouteOf(route),
                          R"([{"ring_hash":{"requestHashHeader":"user"}}])");
    std::string all;
    std::string last;
    for (int i = 0; i < 40; ++i) {
      const std::string picked = channel.Pick(args);
      all += picked == last ? "=" : "/";
      last = picked;
    }
    return all;
  };
  const FakePickArgs args = FakePickArgs().Set("user", "u");
  EXPECT_EQ(picks(R"({"destinations":[{"version":"v1"}]})", args), "/" + std::string(39, '='))
      << "as the channel is configured";
  EXPECT_EQ(picks(R"({"destinations":[{"version":"v1"}],"picker":[{"round_robin":{}}]})", args),
            std::string(40, '/'));
}

TEST(RouteBuilderTest, TheCallsVersionNarrowsUnderARulesPickerToo) {
  const auto channel = [](std::string_view call_version) {
    return Channel(Lanes(),
                   RouteOf(Concat({R"({"destinations":[{"labels":{"lane":"blue"}}],
                                       "picker":[{"round_robin":{}}],"callVersion":")",
                                   call_version, "\"}"})),
                   R"([{"random":{}}])");
  };
  EXPECT_THAT(channel("within").Reached(FakePickArgs().Version("v2")), ElementsAre("app-4"));
  EXPECT_THAT(channel("ignore").Reached(FakePickArgs().Version("v2")),
              UnorderedElementsAre("app-3", "app-4"));
}

TEST(RouteBuilderTest, WhoCannotBeCalledStillBelongsToItsDestination) {
  const auto picked = [](EndpointSpec spec) {
    spec.id = "app-2";
    spec.version = "v2";
    return Channel({MakeEndpoint({.id = "app-1", .version = "v1"}), MakeEndpoint(spec)},
                   RouteOf(R"({"fallback":"next","destinations":[{"version":"v2"},
                                                   {"weight":0,"version":"v1"}]})"))
        .Pick();
  };
  EXPECT_EQ(picked({.status = InstanceStatus::kDraining}), "app-2");
  EXPECT_EQ(picked({.status = InstanceStatus::kLapsed}), "app-2");
  EXPECT_EQ(picked({.state = ConnectionState::kConnecting}), "queue");
  EXPECT_EQ(picked({.state = ConnectionState::kIdle}), "queue, connect app-2");
  EXPECT_EQ(picked({.state = ConnectionState::kFailing, .error = "refused"}),
            "fail: UNAVAILABLE: the only matching instance of hwholiday.srv.app is failing; last "
            "error of app-2 (10.0.0.2:80): refused; rule \"r\" leaves version v2 of "
            "hwholiday.srv.app, which has v1 ×1, v2 ×1");
  EXPECT_THAT(picked({.state = ConnectionState::kUnhealthy}), StartsWith("fail: UNAVAILABLE"));
}

TEST(RouteBuilderTest, WhoDrainsIsTheLastChoiceInItsDestination) {
  const Channel channel(
      {MakeEndpoint({.id = "app-1", .version = "v2"}),
       MakeEndpoint({.id = "app-2", .version = "v2", .status = InstanceStatus::kDraining}),
       MakeEndpoint({.id = "app-3", .version = "v1"})},
      RouteTo(R"({"version":"v2"})"));
  EXPECT_THAT(channel.Reached(), ElementsAre("app-1"));
}

TEST(RouteBuilderTest, UndecidedCallsAreTheConfiguredPickers) {
  const Channel channel(
      MakeEndpoints(2, {"v1", "v2"}),
      RouterFor(R"({"rules":[{"name":"r","match":{"metadata":[{"key":"k","exact":"x"}]},
                              "route":{"destinations":[{"version":"v1"}]}}]})"));
  EXPECT_EQ(Decide(*channel.router).rule, nullptr);
  EXPECT_THAT(channel.Reached(), UnorderedElementsAre("app-1", "app-2"));
  EXPECT_EQ(Show(channel.picker->Pick(FakePickArgs().Version("v2"))), "app-2")
      << "begun when there were no rules";
}

TEST(RouteBuilderTest, CallsOfAnUnknownRouterWait) {
  const auto others = RouteTo(R"({"version":"v1"})");
  const Channel channel(MakeEndpoints(2, {"v1", "v2"}), RouteTo(R"({"version":"v1"})"));
  EXPECT_EQ(Show(channel.picker->Pick(DecidedArgs(Decide(*others)))), "queue");
}

TEST(RouteBuilderTest, CallsUnderFormerRulesGoByThem) {
  const auto former = RouteTo(R"({"version":"v1"})");
  const auto older = RouteOf(R"({"fallback":"any","destinations":[{"version":"v9"}]})");
  const Channel channel(MakeEndpoints(3, {"v1", "v2", "v3"}), RouteTo(R"({"version":"v2"})"),
                        R"([{"version":{}}])", {former, older});
  EXPECT_EQ(channel.Pick(), "app-2");
  EXPECT_EQ(Show(channel.picker->Pick(DecidedArgs(Decide(*former)))), "app-1");
  EXPECT_EQ(Show(channel.picker->Pick(DecidedArgs(Decide(*older)).Version("v3"))), "app-3");
  // The rules have been deleted.
  const auto endpoints = MakeEndpoints(2, {"v1", "v2"});
  const auto picker =
      RouteBuilder(BuilderFor(R"([{"version":{}}])"), nullptr, {former}).Build(GroupOf(endpoints));
  EXPECT_EQ(Show(picker->Pick(DecidedArgs(Decide(*former)))), "app-1");
  EXPECT_EQ(Show(picker->Pick(FakePickArgs().Version("v2"))), "app-2");
}

TEST(RouteBuilderTest, OnlyWhatCallsCanReachIsWanted) {
  const auto wanted = [](std::string_view document,
                         std::vector<std::shared_ptr<const Router>> former = {}) {
    return Channel(Lanes(), RouterFor(document), R"([{"version":{}}])", std::move(former)).Wanted();
  };
  const std::vector<std::string> all = {"app-1", "app-2", "app-3", "app-4", "app-5"};
  EXPECT_THAT(wanted(R"({"default":{"route":{"destinations":[{"version":"v1"}]}}})"),
              ElementsAre("app-1", "app-3"));
  EXPECT_THAT(wanted(R"({"default":{"route":{"destinations":[
                         {"labelsFromMetadata":{"lane":"turnout-lane"}}]}}})"),
              ElementsAre("app-3", "app-4", "app-5"));
  EXPECT_THAT(wanted(R"({"default":{"route":{"fallback":"next","destinations":[
                         {"version":"v9"},{"weight":0,"labels":{"lane":"red"}}]}}})"),
              ElementsAre("app-5"));
  EXPECT_THAT(wanted(R"({"default":{"deny":{}}})"), ElementsAre());
  EXPECT_EQ(wanted(R"({"default":{"route":{"fallback":"any","destinations":[{"version":"v9"}]}}})"),
            all);
  EXPECT_EQ(wanted(R"({"rules":[{"name":"r","match":{"metadata":[{"key":"k","exact":"x"}]},
                                 "deny":{}}]})"),
            all)
      << "calls without a rule go anywhere";

  constexpr std::string_view kOnlyV1 =
      R"({"default":{"route":{"destinations":[{"version":"v1"}]}}})";
  EXPECT_THAT(wanted(kOnlyV1, {RouteTo(R"({"labels":{"lane":"red"}})")}),
              ElementsAre("app-1", "app-3", "app-5"));
  EXPECT_EQ(wanted(kOnlyV1, {RouteOf(R"({"fallback":"any","destinations":[{"version":"v9"}]})")}),
            all);
  EXPECT_EQ(wanted(kOnlyV1, {RouterFor("{}")}), all);
}

TEST(RouteBuilderTest, RulesOfOtherCallersWantNothing) {
  const Channel channel(Lanes(),
                        RouterFor(R"({"rules":[{"name":"r","match":{"caller":{"service":"web"}},
                                       "route":{"destinations":[{}]}}],
                             "default":{"route":{"destinations":[{"labels":{"lane":"red"}}]}}})",
                                  {.service = "app", .version = "", .labels = {}}));
  EXPECT_THAT(channel.Wanted(), ElementsAre("app-5"));
}

// A client's subset is taken of the destination, not the destination of a subset, in which nobody
// might be left.
TEST(RouteBuilderTest, SubsetsAreTakenInsideTheDestination) {
  auto endpoints = MakeEndpoints(60, {"v1", "v1", "v1", "v1", "v1", "v2"});
  const Channel channel(std::move(endpoints), RouteTo(R"({"version":"v2"})"),
                        R"([{"subset":{"subsetSize":4}}])");
  const auto reached = channel.Reached();
  EXPECT_EQ(reached.size(), 4u);
  for (const std::string& id : reached) {
    EXPECT_EQ(std::stoi(id.substr(4)) % 6, 0) << id << " is not v2";
  }
  EXPECT_EQ(channel.Wanted().size(), 4u);
}

// Methods that are switched off are left out before the rules look.
TEST(RouteBuilderTest, TheMethodGateStandsOutside) {
  const std::vector<Endpoint> endpoints = {
      MakeEndpoint({.id = "app-1", .version = "v2", .methods_off = {"ApiTest"}}),
      MakeEndpoint({.id = "app-2", .version = "v2"}),
      MakeEndpoint({.id = "app-3", .version = "v1"})};
  const auto router = RouteOf(R"({"fallback":"next","destinations":[{"version":"v2"},
                                                     {"weight":0,"version":"v1"}]})");
  const RouteBuilder builder(BuilderFor(R"([{"version":{}}])"), router);
  const auto picker = balance::BuildRoot(builder, balance::testing::kService, endpoints);
  DecidedArgs args(Decide(*router));
  for (int i = 0; i < 50; ++i) ASSERT_EQ(Show(picker->Pick(args)), "app-2");
  args.args().Method("Other");
  std::set<std::string> others;
  for (int i = 0; i < 50; ++i) others.insert(Show(picker->Pick(args)));
  EXPECT_THAT(others, UnorderedElementsAre("app-1", "app-2"));

  const std::vector<Endpoint> off = {endpoints[0], endpoints[2]};
  const auto without = balance::BuildRoot(builder, balance::testing::kService, off);
  EXPECT_EQ(Show(without->Pick(DecidedArgs(Decide(*router)))), "app-3")
      << "no instance that takes the method belongs to v2";
}

TEST(RouteBuilderTest, EqualDestinationsShareAPicker) {
  // round_robin goes on where the other rule's calls left off.
  const Channel channel(
      MakeEndpoints(4, {"v1"}),
      RouterFor(R"({"rules":[{"name":"a","match":{"metadata":[{"key":"k","exact":"x"}]},
                              "route":{"destinations":[{"version":"v1","weight":3}]}}],
                    "default":{"route":{"destinations":[{"version":"v1"}]}}})"),
      R"([{"round_robin":{}}])");
  base::SeededRandom random(1);
  const Decision a = channel.router->Decide(FakeCall().Set("k", "x"), random);
  const Decision rest = channel.router->Decide(FakeCall(), random);
  ASSERT_NE(a.rule, rest.rule);
  std::set<std::string> reached;
  for (int i = 0; i < 2; ++i) {
    reached.insert(Show(channel.picker->Pick(DecidedArgs(a))));
    reached.insert(Show(channel.picker->Pick(DecidedArgs(rest))));
  }
  EXPECT_EQ(reached.size(), 4u);
}

// Messages shorten what is long; destinations are told apart by all of it.
TEST(RouteBuilderTest, DestinationsThatReadAlikeAreNotOne) {
  const std::string long_version(100, 'v');
  const Channel channel(
      MakeEndpoints(2, {long_version + "1", long_version + "2"}),
      RouteOf(Concat({R"({"fallback":"next","destinations":[{"version":")", long_version,
                      R"(1"},{"version":")", long_version, "2\"}]}"})));
  EXPECT_THAT(channel.Reached(), UnorderedElementsAre("app-1", "app-2"));
}

TEST(RouteBuilderTest, TheShortestRebuildPeriodCounts) {
  const auto period = [](std::string_view configured, std::shared_ptr<const Router> router) {
    return RouteBuilder(BuilderFor(configured), std::move(router)).rebuild_period();
  };
  const auto with_picker = [](std::string_view picker) {
    return RouteOf(Concat({R"({"destinations":[{}],"picker":[)", picker, "]}"}));
  };
  const auto weighted = [](std::string_view seconds) {
    return Concat({R"({"weighted_round_robin":{"weights":"reported","weightUpdatePeriod":")",
                   seconds, "\"}}"});
  };
  const auto listed = [](std::string_view picker) { return Concat({"[", picker, "]"}); };
  constexpr std::string_view kRandom = R"({"random":{}})";
  using std::chrono::seconds;
  EXPECT_EQ(period(listed(kRandom), nullptr), std::nullopt);
  EXPECT_EQ(period(listed(kRandom), with_picker(kRandom)), std::nullopt);
  EXPECT_EQ(period(listed(kRandom), with_picker(weighted("3s"))), seconds(3));
  EXPECT_EQ(period(listed(weighted("2s")), with_picker(weighted("3s"))), seconds(2));
  EXPECT_EQ(period(listed(weighted("4s")), with_picker(weighted("3s"))), seconds(3));
  EXPECT_EQ(period(listed(weighted("4s")), with_picker(kRandom)), seconds(4));
  EXPECT_EQ(period(listed(weighted("4s")), nullptr), seconds(4));
}

TEST(RouteBuilderTest, WhatOthersWroteIsMadeHarmless) {
  const Channel channel({MakeEndpoint({.id = "app-1", .version = "\x1b[31mred"})},
                        RouterFor("{\"rules\":[{\"name\":\"a\\nb\",\"route\":{\"destinations\":"
                                  "[{\"labels\":{\"x\":\"\\u001b[31m\"}}]}}]}"));
  EXPECT_EQ(channel.Pick(),
            "fail: UNAVAILABLE: no match found conn: rule \"a\\nb\" asks for x=\\x1b[31m of "
            "hwholiday.srv.app; registered: \\x1b[31mred ×1");
}

}  // namespace
}  // namespace turnout::route
