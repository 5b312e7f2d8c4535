#include "src/route/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <new>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "src/balance/testing.h"
#include "src/model/text.h"
#include "src/route/testing.h"

namespace {

thread_local std::size_t allocations = 0;

}  // namespace

// Counted for the test that there are none.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace turnout::route {
namespace {

using balance::testing::ScriptedRandom;
using model::Concat;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::FakeCall;
using ::testing::Ge;
using ::testing::IsEmpty;
using ::testing::Le;
using testing::ParseRules;

Caller CallerOf(std::string service, std::string version) {
  return {.service = std::move(service), .version = std::move(version), .labels = {}};
}

// The rule's name and the destination: "canary 1"; "silent" if none matches.
std::string Decided(const Router& router, const FakeCall& call, std::uint64_t seed = 1) {
  base::SeededRandom random(seed);
  const Decision decision = router.Decide(call, random);
  EXPECT_EQ(decision.router, &router);
  if (decision.rule == nullptr) return "silent";
  EXPECT_EQ(decision.rule, &router.rules()->rules()[decision.rule_index]);
  return Concat({decision.rule->name, " ", std::to_string(decision.destination)});
}

constexpr std::string_view kThreeRules = R"({
  "rules": [
    {"name": "wipe", "match": {"method": {"exact": "/a.B/Wipe"}}, "deny": {}},
    {"name": "testers", "match": {"metadata": [{"key": "stage", "exact": "canary"}]},
     "route": {"destinations": [{"version": "v3"}]}},
    {"name": "app v2", "match": {"caller": {"service": "app", "version": "v2"}},
     "route": {"destinations": [{"version": "v3"}]}}],
  "default": {"route": {"destinations": [{"version": "v1"}]}}})";

TEST(RouterTest, TheFirstRuleThatMatchesDecides) {
  const Router router(ParseRules(kThreeRules), CallerOf("app", "v2"));
  EXPECT_EQ(Decided(router, FakeCall("/a.B/Wipe").Set("stage", "canary")), "wipe 0");
  EXPECT_EQ(Decided(router, FakeCall("/a.B/Get").Set("stage", "canary")), "testers 0");
  EXPECT_EQ(Decided(router, FakeCall("/a.B/Get").Set("stage", "prod")), "app v2 0");
}

TEST(RouterTest, RulesOfOtherCallersAreSkipped) {
  for (const Caller& caller : {CallerOf("app", "v1"), CallerOf("web", "v2"), Caller()}) {
    const Router router(ParseRules(kThreeRules), caller);
    EXPECT_EQ(Decided(router, FakeCall("/a.B/Get")), "default 0");
    EXPECT_THAT(router.candidates(), ElementsAre(0, 1, 3));
    EXPECT_FALSE(router.may_be_silent());
    EXPECT_EQ(router.caller(), caller);
  }
}

TEST(RouterTest, WhatStandsBehindARuleForEveryCallIsNoCandidate) {
  const Router router(ParseRules(kThreeRules), CallerOf("app", "v2"));
  EXPECT_THAT(router.candidates(), ElementsAre(0, 1, 2));
  EXPECT_FALSE(router.may_be_silent());
}

TEST(RouterTest, WithoutADefaultItMayBeSilent) {
  const auto rules = ParseRules(
      R"({"rules":[{"name":"a","match":{"method":{"prefix":"/a."}},"deny":{}},
                   {"name":"b","match":{"metadata":[{"key":"k","present":true}]},"deny":{}},
                   {"name":"c","match":{"percentage":{"key":"k","percent":100}},"deny":{}}]})");
  const Router router(rules, Caller());
  EXPECT_TRUE(router.may_be_silent());
  EXPECT_THAT(router.candidates(), ElementsAre(0, 1, 2));
  EXPECT_EQ(Decided(router, FakeCall("/b.C/Get")), "silent");
  EXPECT_EQ(Decided(router, FakeCall("/a.C/Get")), "a 0");
  const Router empty(ParseRules("{}"), Caller());
  EXPECT_TRUE(empty.may_be_silent());
  EXPECT_THAT(empty.candidates(), IsEmpty());
  EXPECT_EQ(Decided(empty, FakeCall()), "silent");
}

TEST(RouterTest, ARuleWithoutConditionsMatchesEveryCall) {
  const Router router(ParseRules(R"({"rules":[{"name":"all","match":{},"deny":{}},
                                              {"name":"never","deny":{}}]})"),
                      Caller());
  EXPECT_EQ(Decided(router, FakeCall()), "all 0");
  EXPECT_THAT(router.candidates(), ElementsAre(0));
  EXPECT_FALSE(router.may_be_silent());
}

TEST(RouterTest, NoTwoRoutersShareAnId) {
  const auto rules = ParseRules("{}");
  std::set<std::uint64_t> ids;
  for (int i = 0; i < 100; ++i) ids.insert(Router(rules, Caller()).id());
  EXPECT_EQ(ids.size(), 100u);
}

std::shared_ptr<const RuleSet> Weighted(const std::vector<int>& weights) {
  std::string list;
  for (const int weight : weights) {
    list += Concat({list.empty() ? "" : ",", R"({"weight":)", std::to_string(weight), "}"});
  }
  return ParseRules(Concat({R"({"default":{"route":{"destinations":[)", list, "]}}}"}));
}

TEST(RouterTest, DestinationsAreDrawnByWeight) {
  const Router router(Weighted({0, 3, 0, 1, 2, 0}), Caller());
  ScriptedRandom random(6, {0, 1, 2, 3, 4, 5});
  std::vector<std::size_t> drawn;
  for (int i = 0; i < 6; ++i) drawn.push_back(router.Decide(FakeCall(), random).destination);
  EXPECT_THAT(drawn, ElementsAre(1, 1, 1, 3, 4, 4));
}

TEST(RouterTest, OneDestinationNeedsNoDraw) {
  const Router router(Weighted({7}), Caller());
  ScriptedRandom random(1, {});
  EXPECT_EQ(router.Decide(FakeCall(), random).destination, 0u);
}

TEST(RouterTest, SharesOfAHundredThousandCallsAreAsTheRuleSays) {
  const Router router(Weighted({5, 25, 70, 0}), Caller());
  base::SeededRandom random(7);
  std::array<int, 4> calls{};
  for (int i = 0; i < 100'000; ++i) ++calls[router.Decide(FakeCall(), random).destination];
  EXPECT_NEAR(calls[0] / 1000.0, 5, 1);
  EXPECT_NEAR(calls[1] / 1000.0, 25, 1);
  EXPECT_NEAR(calls[2] / 1000.0, 70, 1);
  EXPECT_EQ(calls[3], 0);
}

TEST(RouterTest, TheLargestWeightsAddUp) {
  const Router router(Weighted(std::vector<int>(100, 1'000'000)), Caller());
  base::SeededRandom random(7);
  std::array<int, 100> calls{};
  for (int i = 0; i < 100'000; ++i) ++calls[router.Decide(FakeCall(), random).destination];
  EXPECT_THAT(calls, Each(AllOf(Ge(800), Le(1200))));
}

Router ShareOf(double percent) {
  return Router(ParseRules(Concat({R"({"rules":[{"name":"canary","match":{"percentage":
      {"key":"user","percent":)",
                                   std::to_string(percent), R"(,"salt":"x"}},
      "route":{"destinations":[{"version":"v2"}]}}],
      "default":{"route":{"destinations":[{"version":"v1"}]}}})"})),
                Caller());
}

TEST(RouterTest, AUserStaysOnOneSideOfAPercentage) {
  const Router router = ShareOf(30);
  for (int user = 0; user < 1000; ++user) {
    const auto call = FakeCall().Set("user", std::to_string(user));
    const std::string side = Decided(router, call);
    for (std::uint64_t seed = 2; seed < 5; ++seed) ASSERT_EQ(Decided(router, call, seed), side);
    ASSERT_EQ(Decided(ShareOf(30), call), side) << "in another process";
  }
}

// 5% → 50% → 100%, and back.
TEST(RouterTest, AGrowingPercentageMovesOnlyThoseThatItTakesIn) {
  constexpr int kUsers = 10'000;
  const std::vector<double> kSteps = {0, 5, 50, 100};
  std::vector<int> moved;
  std::vector<bool> in(kUsers);
  for (const double percent : kSteps) {
    const Router router = ShareOf(percent);
    int joined = 0;
    for (int user = 0; user < kUsers; ++user) {
      const bool is_in =
          Decided(router, FakeCall().Set("user", std::to_string(user))) == "canary 0";
      ASSERT_TRUE(is_in || !in[user]) << "user " << user << " went back at " << percent << "%";
      joined += is_in && !in[user];
      in[user] = is_in;
    }
    moved.push_back(joined);
  }
  EXPECT_EQ(moved[0], 0);
  EXPECT_NEAR(moved[1], kUsers * 0.05, kUsers * 0.01);
  EXPECT_NEAR(moved[2], kUsers * 0.45, kUsers * 0.02);
  EXPECT_EQ(moved[1] + moved[2] + moved[3], kUsers);
}

TEST(RouterTest, EachKeyIsLookedUpAtMostOnce) {
  const Router router(ParseRules(R"({"rules":[
          {"name":"a","match":{"metadata":[{"key":"k","exact":"1"},{"key":"l","exact":"1"}]},"deny":{}},
          {"name":"b","match":{"metadata":[{"key":"k","prefix":"2"}]},"deny":{}},
          {"name":"c","match":{"percentage":{"key":"k","percent":0}},"deny":{}},
          {"name":"d","match":{"metadata":[{"key":"k","present":true},{"key":"m","present":false}]},
           "deny":{}},
          {"name":"e","match":{"metadata":[{"key":"n","present":true}]},"deny":{}}]})"),
                      Caller());
  const auto call = FakeCall().Set("k", "7");
  EXPECT_EQ(Decided(router, call), "d 0");
  EXPECT_EQ(call.lookups, (std::map<std::string, int>{{"k", 1}, {"m", 1}}))
      << "l and n were not asked about";
}

TEST(RouterTest, DecidingAllocatesNothing) {
  const Router router(ParseRules(R"({"rules":[
          {"name":"a","match":{"caller":{"service":"app"},"method":{"exact":"/a.B/Put"}},"deny":{}},
          {"name":"b","match":{"metadata":[{"key":"k","exact":"1"}]},"deny":{}},
          {"name":"c","match":{"metadata":[{"key":"k","regex":"x[0-9]*"}]},"deny":{}},
          {"name":"d","match":{"metadata":[{"key":"k","range":{"from":1000}}]},"deny":{}},
          {"name":"e","match":{"percentage":{"key":"a-long-key-that-no-string-holds-in-itself",
                                             "percent":0.001}},"deny":{}}],
        "default":{"route":{"destinations":[{"weight":1},{"weight":2}]}}})"),
                      CallerOf("app", "v1"));
  const auto call = FakeCall("/a.B/Get")
                        .Set("k", "999")
                        .Set("a-long-key-that-no-string-holds-in-itself", std::string(100, 'v'));
  base::SeededRandom random(1);
  EXPECT_EQ(router.Decide(call, random).rule->name, "default");  // also RE2's first look
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i) static_cast<void>(router.Decide(call, random));
  EXPECT_EQ(allocations, before);
  const auto counted = std::make_unique<int>(1);
  EXPECT_EQ(allocations, before + 1) << "allocations are not counted";
}

TEST(RouterTest, ExplainsUpToTheRuleThatDecides) {
  const Router router(ParseRules(kThreeRules), CallerOf("app", "v1"));
  EXPECT_THAT(
      router.Explain(FakeCall("/a.B/Get").Set("stage", "prod")),
      ElementsAre("the method is /a.B/Get, not /a.B/Wipe", "metadata stage is prod, not canary",
                  "caller.version is v1, not v2", ""));
  EXPECT_THAT(router.Explain(FakeCall("/a.B/Get").Set("stage", "canary")),
              ElementsAre("the method is /a.B/Get, not /a.B/Wipe", ""));
  const Router silent(ParseRules(R"({"rules":[{"name":"a","match":{"caller":{"service":"x"}},
                                                "deny":{}}]})"),
                      Caller());
  EXPECT_THAT(silent.Explain(FakeCall()), ElementsAre("caller.service is not set, not x"));
}

// Whatever the calls are: what is explained is what is done.
TEST(RouterTest, ExplainsWhatItDecides) {
  const auto rules = ParseRules(R"({"rules":[
      {"name":"a","match":{"method":{"prefix":"/a.B/G"},"metadata":[{"key":"k","regex":"[0-4]"}]},"deny":{}},
      {"name":"b","match":{"caller":{"version":">=2"},"percentage":{"key":"k","percent":40}},"deny":{}},
      {"name":"c","match":{"metadata":[{"key":"k","range":{"to":6}},{"key":"l","present":false}]},"deny":{}}]})");
  std::map<std::string, int> decided;
  for (const char* const version : {"1", "2"}) {
    const Router router(rules, CallerOf("app", version));
    for (const char* const path : {"/a.B/Get", "/a.B/Put"}) {
      for (int value = 0; value < 40; ++value) {
        FakeCall call(path);
        if (value % 10 != 9) call.Set("k", std::to_string(value % 10));
        if (value >= 20) call.Set("l", "");
        const std::vector<std::string> reasons = router.Explain(call);
        const std::string name = Decided(router, call);
        ++decided[name];
        if (name == "silent") {
          EXPECT_EQ(reasons.size(), 3u);
          EXPECT_NE(reasons.back(), "");
        } else {
          EXPECT_EQ(Concat({rules->rules()[reasons.size() - 1].name, " 0"}), name);
          EXPECT_EQ(reasons.back(), "");
        }
      }
    }
  }
  EXPECT_EQ(decided.size(), 4u) << "each rule, and none";
}

}  // namespace
}  // namespace turnout::route
