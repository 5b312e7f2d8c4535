#include "src/route/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/balance/policy_config.h"
#include "src/balance/testing.h"

namespace turnout::route {
namespace {

using balance::testing::MakeEndpoint;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::shared_ptr<const RuleSet> Parsed(std::string_view document) {
  auto rules = RuleSet::Parse(document);
  EXPECT_TRUE(rules.ok()) << rules.status();
  return *rules;
}

// app-1, app-2, app-3 are v1, app-4 is v2, app-5 is v2 and draining.
Snapshot Example() {
  Snapshot snapshot;
  snapshot.service = balance::testing::kService;
  const auto add = [&](const balance::testing::EndpointSpec& spec) {
    snapshot.members.push_back(MakeEndpoint(spec).member);
  };
  for (const char* id : {"app-1", "app-2", "app-3"}) add({.id = id, .version = "v1"});
  add({.id = "app-4", .version = "v2", .metadata = {{"lane", "blue"}}});
  add({.id = "app-5", .version = "v2", .status = InstanceStatus::kDraining});
  return snapshot;
}

GivenCall Call() {
  return {.caller = {.service = "web", .version = "v2", .labels = {}},
          .path = "/proto.Api/ApiTest",
          .metadata = {}};
}

Explanation ExplainWith(const std::shared_ptr<const RuleSet>& rules,
                        const GivenCall& call = Call()) {
  return Explain(rules, Example(), call, (*balance::ParsePolicyConfig("turnout", "{}"))->picker);
}

// Of the candidates, each as it should be within 2 percentage points, five standard deviations.
void ExpectShares(const Explanation& explanation,
                  const std::vector<std::pair<std::string, double>>& expected) {
  ASSERT_EQ(explanation.candidates.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(explanation.candidates[i].member.instance->id, expected[i].first);
    EXPECT_NEAR(explanation.candidates[i].share, expected[i].second,
                expected[i].second == 0 ? 0 : 0.02);
  }
}

TEST(ExplainTest, CanaryByWeightSplitsTheCallsAmongTheInstances) {
  const auto rules = Parsed(R"({"rules":[{"name":"canary","route":{"destinations":[
      {"version":"v1","weight":9},{"version":"v2","weight":1}],"timeout":"0.5s"}}]})");
  const Explanation explanation = ExplainWith(rules);
  EXPECT_EQ(explanation.ruling.rule, "canary");
  EXPECT_EQ(explanation.ruling.denial, absl::OkStatus());
  ASSERT_EQ(explanation.ruling.destinations.size(), 2U);
  EXPECT_EQ(explanation.ruling.destinations[0].text, "version v1");
  EXPECT_DOUBLE_EQ(explanation.ruling.destinations[0].share, 0.9);
  EXPECT_THAT(explanation.ruling.settings, ElementsAre("timeout: 500 ms"));
  EXPECT_THAT(explanation.instances, ElementsAre(3, 2));
  ExpectShares(explanation,
               {{"app-1", 0.3}, {"app-2", 0.3}, {"app-3", 0.3}, {"app-4", 0.1}, {"app-5", 0}});
  EXPECT_THAT(explanation.failures, IsEmpty());
}

TEST(ExplainTest, SaysWhyTheRulesBeforeDoNotDecide) {
  const auto rules = Parsed(R"({"rules":[
      {"name":"of v1","match":{"caller":{"version":"v1"}},"route":{"destinations":[{}]}},
      {"name":"testers","match":{"metadata":[{"key":"tester","present":true}]},
       "route":{"destinations":[{"version":"v2"}]}},
      {"name":"rest","route":{"destinations":[{"version":"v1"}]}},
      {"name":"never reached","route":{"destinations":[{}]}}]})");
  const Explanation explanation = ExplainWith(rules);
  ASSERT_EQ(explanation.rules.size(), 3U);
  EXPECT_EQ(explanation.rules[0].name, "of v1");
  EXPECT_EQ(explanation.rules[0].why_not, "caller.version is v2, not v1");
  EXPECT_EQ(explanation.rules[1].why_not, "metadata tester is absent, not there");
  EXPECT_EQ(explanation.rules[2].why_not, "");
  EXPECT_EQ(explanation.ruling.rule, "rest");

  GivenCall tester = Call();
  tester.metadata["tester"] = "1";
  EXPECT_EQ(ExplainWith(rules, tester).ruling.rule, "testers");
  ExpectShares(ExplainWith(rules, tester), {{"app-4", 1}, {"app-5", 0}});
}

TEST(ExplainTest, ADeniedCallGoesNowhere) {
  const auto rules = Parsed(R"({"rules":[{"name":"closed","deny":{"status":"PERMISSION_DENIED",
      "message":"not for you"}}]})");
  const Explanation explanation = ExplainWith(rules);
  EXPECT_EQ(explanation.ruling.denial, absl::PermissionDeniedError("not for you"));
  EXPECT_THAT(explanation.candidates, IsEmpty());
  ASSERT_EQ(explanation.failures.size(), 1U);
  EXPECT_EQ(explanation.failures[0].status, absl::PermissionDeniedError("not for you"));
  EXPECT_EQ(explanation.failures[0].share, 1);
}

TEST(ExplainTest, WhatFindsNobodyIsToldWhatACallIsTold) {
  const auto rules = Parsed(R"({"rules":[{"name":"half","route":{"destinations":[
      {"version":"v9"},{"version":"v2"}]}}]})");
  const Explanation explanation = ExplainWith(rules);
  EXPECT_THAT(explanation.instances, ElementsAre(0, 2));
  ASSERT_EQ(explanation.failures.size(), 1U);
  EXPECT_NEAR(explanation.failures[0].share, 0.5, 0.02);
  EXPECT_EQ(explanation.failures[0].status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(explanation.failures[0].status.message()),
              HasSubstr("no match found conn: rule \"half\" asks for version v9"));
  EXPECT_NEAR(explanation.candidates[0].share, 0.5, 0.02);
}

TEST(ExplainTest, TheCallsOwnVersionCountsInsideTheDestination) {
  GivenCall call = Call();
  call.metadata["version"] = "v1";
  const auto rules = Parsed(R"({"rules":[{"name":"all","route":{"destinations":[{}]}}]})");
  ExpectShares(
      ExplainWith(rules, call),
      {{"app-1", 1.0 / 3}, {"app-2", 1.0 / 3}, {"app-3", 1.0 / 3}, {"app-4", 0}, {"app-5", 0}});
}

TEST(ExplainTest, ALaneIsLeftToTheInstancesThatHaveIt) {
  const auto rules = Parsed(R"({"rules":[{"name":"lane","route":{"destinations":[
      {"labelsFromMetadata":{"lane":"x-lane"}}]}}]})");
  GivenCall call = Call();
  call.metadata["x-lane"] = "blue";
  ExpectShares(ExplainWith(rules, call), {{"app-4", 1}});
  EXPECT_THAT(ExplainWith(rules, call).instances, ElementsAre(1));
  EXPECT_THAT(ExplainWith(rules).instances, ElementsAre(0));
}

TEST(ExplainTest, WithoutRulesTheChannelIsOnItsOwn) {
  const Explanation explanation = ExplainWith(nullptr);
  EXPECT_THAT(explanation.rules, IsEmpty());
  EXPECT_EQ(explanation.ruling, Ruling());
  ExpectShares(explanation,
               {{"app-1", 0.25}, {"app-2", 0.25}, {"app-3", 0.25}, {"app-4", 0.25}, {"app-5", 0}});
}

TEST(ExplainTest, WhatNoRuleMatchesIsSilent) {
  const auto rules = Parsed(R"({"rules":[{"name":"of v1","match":{"caller":{"version":"v1"}},
      "route":{"destinations":[{"version":"v1"}]}}]})");
  const Explanation explanation = ExplainWith(rules);
  ASSERT_EQ(explanation.rules.size(), 1U);
  EXPECT_EQ(explanation.ruling.rule, "");
  EXPECT_EQ(explanation.candidates.size(), 5U);
}

TEST(JudgeTest, TellsWhatDiffersInOneOfThem) {
  const auto judged = [](std::string_view route) {
    return Judge(Parsed(std::string(R"({"default":{"route":)") + std::string(route) + "}}"),
                 Call());
  };
  const Ruling before = judged(R"({"destinations":[{"version":"v1"}]})");
  EXPECT_EQ(before.rule, "default");
  EXPECT_EQ(before, judged(R"({"destinations":[{"version":"v1","weight":7}]})"));
  EXPECT_NE(before, judged(R"({"destinations":[{"version":"v2"}]})"));
  EXPECT_NE(before, judged(R"({"destinations":[{"version":"v1"}],"fallback":"any"})"));
  EXPECT_NE(before, judged(R"({"destinations":[{"version":"v1"}],"timeout":"1s"})"));
  EXPECT_NE(before, Judge(nullptr, Call()));
}

}  // namespace
}  // namespace turnout::route
