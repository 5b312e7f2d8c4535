#include "src/cli/rules/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace turnout::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

RuleSetPtr Parsed(std::string_view document) {
  auto rules = route::RuleSet::Parse(document);
  EXPECT_TRUE(rules.ok()) << rules.status();
  return *rules;
}

std::string Rule(const std::string& name, int weight = 1) {
  return R"({"name":")" + name + R"(","route":{"destinations":[{"version":"v1","weight":)" +
         std::to_string(weight) + "}]}}";
}
RuleSetPtr Rules(const std::string& rules) { return Parsed(R"({"rules":[)" + rules + "]}"); }

std::vector<std::string> Changes(const RuleSetPtr& before, const RuleSetPtr& after) {
  std::vector<std::string> lines;
  for (const RuleChange& change : CompareRules(before, after)) {
    lines.push_back(change.rule + " " + change.change);
    for (const std::string& difference : change.differences) lines.push_back(difference);
  }
  return lines;
}

TEST(CompareRulesTest, TellsWhatWasAddedRemovedChangedAndMoved) {
  const auto before = Rules(Rule("a") + "," + Rule("b") + "," + Rule("c"));
  EXPECT_THAT(Changes(before, before), IsEmpty());
  EXPECT_THAT(Changes(before, Rules(Rule("a") + "," + Rule("c") + "," + Rule("d"))),
              ElementsAre("b removed", "d added"));
  EXPECT_THAT(Changes(before, Rules(Rule("a", 5) + "," + Rule("b") + "," + Rule("c"))),
              ElementsAre("a changed", "route.destinations[0].weight: 1 → 5"));
  EXPECT_THAT(Changes(before, Rules(Rule("c") + "," + Rule("a") + "," + Rule("b"))),
              ElementsAre("a moved", "b moved"));
  EXPECT_THAT(Changes(nullptr, Rules(Rule("a"))), ElementsAre("a added"));
  EXPECT_THAT(Changes(Parsed(R"({"default":{"route":{"destinations":[{}]}}})"), Rules("")),
              ElementsAre("default removed"));
}

TEST(CompareRulesTest, TheOrderOfKeysDoesNotCount) {
  EXPECT_THAT(Changes(Rules(R"({"name":"a","deny":{"status":"UNAVAILABLE","message":"m"}})"),
                      Rules(R"({"deny":{"message":"m","status":"UNAVAILABLE"},"name":"a"})")),
              IsEmpty());
}

TEST(CompareRulesTest, SaysWhatHasGoneAndCome) {
  EXPECT_THAT(Changes(Rules(R"({"name":"a","route":{"destinations":[{}],"timeout":"1s"}})"),
                      Rules(R"({"name":"a","route":{"destinations":[{}],"fallback":"any"}})")),
              ::testing::UnorderedElementsAre("a changed", "route.timeout: \"1s\" → nothing",
                                              "route.fallback: nothing → \"any\""));
}

TEST(CompareCallsTest, GroupsWhatIsDecidedInTheSameWay) {
  const auto before = Rules(Rule("all"));
  const auto after = Rules(R"({"name":"of v2","match":{"caller":{"version":"v2"}},
      "deny":{"status":"PERMISSION_DENIED","message":"no"}},)" +
                           Rule("all"));
  std::vector<CountedCall> calls;
  for (const char* text : {"app@v1 /a/b user=1", "app@v2 /a/b user=1", "app@v2 /a/b user=2",
                           "app@v1 /a/b user=3", "app@v1 /a/b user=4"}) {
    calls.push_back(*ParseCall(text));
  }
  const auto groups = CompareCalls(before, after, calls);
  ASSERT_THAT(groups, SizeIs(2));
  EXPECT_TRUE(groups[0].differs());
  EXPECT_EQ(groups[0].count, 2);
  EXPECT_EQ(groups[0].example.caller.version, "v2");
  EXPECT_EQ(RulingText(groups[0].before), "all: 100% version v1");
  EXPECT_EQ(RulingText(groups[0].after), "of v2: deny PERMISSION_DENIED no");
  EXPECT_FALSE(groups[1].differs());
  EXPECT_EQ(groups[1].count, 3);
}

TEST(RulingTextTest, IsOneLine) {
  EXPECT_EQ(RulingText({}), "no rule");
  EXPECT_EQ(PercentText(1.0 / 3), "33.3%");
  EXPECT_EQ(PercentText(0.9), "90%");
  EXPECT_EQ(PercentText(0), "0%");
  const auto ruling =
      Judge(Rules(R"({"name":"c","route":{"destinations":[{"version":"v1","weight":9},
          {"version":"v2"}],"fallback":"next","timeout":"1s"}})"),
            ParseCall("@ /a/b")->call);
  EXPECT_EQ(RulingText(ruling),
            "c: 90% version v1, 10% version v2, fallback: next, timeout: 1000 ms");
}

}  // namespace
}  // namespace turnout::cli
