#include "src/balance/label_match/label_match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "src/balance/policy_config.h"
#include "src/balance/random/random.h"
#include "src/balance/testing.h"

namespace turnout::balance {
namespace {

using testing::BuilderFor;
using testing::FakePickArgs;
using testing::GroupOf;
using ::testing::HasSubstr;
using testing::MakeEndpoint;
using testing::MakeEndpoints;
using testing::Show;
using ::testing::UnorderedElementsAre;

// app-1 prod, app-2 prod and canary, app-3 prod, app-4 test, app-5 without labels.
std::vector<Endpoint> Fleet() {
  return {MakeEndpoint({.id = "app-1", .version = "v1", .metadata = {{"stage", "prod"}}}),
          MakeEndpoint(
              {.id = "app-2", .version = "v2", .metadata = {{"stage", "prod"}, {"canary", "1"}}}),
          MakeEndpoint({.id = "app-3", .version = "v1", .metadata = {{"stage", "prod"}}}),
          MakeEndpoint({.id = "app-4", .version = "v3", .metadata = {{"stage", "test"}}}),
          MakeEndpoint({.id = "app-5", .version = "v1"})};
}

std::unique_ptr<const Picker> PickerOver(const std::vector<Endpoint>& endpoints,
                                         std::string_view parameters) {
  return BuilderFor("[{\"label_match\":" + std::string(parameters) + "}]")
      ->Build(GroupOf(endpoints));
}

std::set<std::string> Reached(const Picker& picker, const FakePickArgs& args) {
  std::set<std::string> reached;
  for (int i = 0; i < 200; ++i) reached.insert(Show(picker.Pick(args)));
  return reached;
}

std::string ErrorOf(std::string_view parameters) {
  const std::string policy = R"({"picker":[{"label_match":)" + std::string(parameters) + "}]}";
  return std::string(ParsePolicyConfig("turnout", policy).status().message());
}

FakePickArgs Stage(std::string stage) { return FakePickArgs().Set("stage", std::move(stage)); }

TEST(LabelMatchTest, OnlyInstancesWithTheValueAnswer) {
  const auto endpoints = Fleet();
  const auto picker = PickerOver(endpoints, R"({"selectors":[{"keys":["stage"]}]})");
  EXPECT_THAT(Reached(*picker, Stage("prod")), UnorderedElementsAre("app-1", "app-2", "app-3"));
  EXPECT_THAT(Reached(*picker, Stage("test")), UnorderedElementsAre("app-4"));
}

TEST(LabelMatchTest, TheSelectorWithTheMostKeysDecides) {
  const auto endpoints = Fleet();
  const auto picker =
      PickerOver(endpoints, R"({"selectors":[{"keys":["stage"]},{"keys":["canary","stage"]}]})");
  EXPECT_THAT(Reached(*picker, Stage("prod").Set("canary", "1")), UnorderedElementsAre("app-2"));
  EXPECT_THAT(Reached(*picker, Stage("prod")), UnorderedElementsAre("app-1", "app-2", "app-3"));
}

TEST(LabelMatchTest, OfSelectorsWithAsManyKeysTheFirstDecides) {
  const auto endpoints = Fleet();
  const FakePickArgs both = Stage("test").Version("v2");
  EXPECT_EQ(Show(PickerOver(endpoints, R"({"selectors":[{"keys":["stage"]},{"keys":["version"]}]})")
                     ->Pick(both)),
            "app-4");
  EXPECT_EQ(Show(PickerOver(endpoints, R"({"selectors":[{"keys":["version"]},{"keys":["stage"]}]})")
                     ->Pick(both)),
            "app-2");
}

TEST(LabelMatchTest, NoMatchSaysWhatWasAskedForAndWhatThereIs) {
  const auto endpoints = Fleet();
  const auto picker =
      PickerOver(endpoints, R"({"selectors":[{"keys":["stage"]},{"keys":["stage","canary"]}]})");
  EXPECT_EQ(Show(picker->Pick(Stage("qa"))),
            "fail: UNAVAILABLE: no match found conn: asked for stage=qa of hwholiday.srv.app; "
            "registered: stage=prod ×3, stage=test ×1");
  EXPECT_EQ(Show(picker->Pick(Stage("\x1b[31m").Set("canary", "2"))),
            "fail: UNAVAILABLE: no match found conn: asked for stage=\\x1b[31m,canary=2 of "
            "hwholiday.srv.app; registered: stage=prod,canary=1 ×1");
  EXPECT_EQ(Show(picker->Pick(FakePickArgs().Set("canary", "1"))),
            "fail: UNAVAILABLE: no match found conn: asked for no labels of hwholiday.srv.app (the "
            "call's metadata lacks stage,canary or stage); registered: 5 instances");
}

TEST(LabelMatchTest, NothingIsRegistered) {
  const auto picker = PickerOver({}, R"({"selectors":[{"keys":["stage"]}]})");
  EXPECT_EQ(Show(picker->Pick(Stage("qa"))),
            "fail: UNAVAILABLE: no match found conn: asked for stage=qa of hwholiday.srv.app; "
            "registered: none");
}

TEST(LabelMatchTest, ASelectorWithoutAFallbackHasThePolicys) {
  const auto endpoints = Fleet();
  const auto picker = PickerOver(endpoints, R"({"fallback":"any","selectors":[{"keys":["stage"]},
      {"keys":["canary"],"fallback":"none"}]})");
  EXPECT_EQ(Reached(*picker, Stage("qa")).size(), 5u);
  EXPECT_EQ(Reached(*picker, FakePickArgs()).size(), 5u);
  EXPECT_THAT(Show(picker->Pick(FakePickArgs().Set("canary", "2"))), HasSubstr("canary=1 ×1"));
}

TEST(LabelMatchTest, TheDefaultSubsetHasAllItsLabels) {
  const auto endpoints = Fleet();
  const auto picker = PickerOver(endpoints, R"({"selectors":[{"keys":["stage"]}],
      "fallback":"default_subset","defaultSubset":{"stage":"prod","version":"v1"}})");
  EXPECT_THAT(Reached(*picker, FakePickArgs()), UnorderedElementsAre("app-1", "app-3"));
  EXPECT_THAT(Reached(*picker, Stage("qa")), UnorderedElementsAre("app-1", "app-3"));
  EXPECT_THAT(Reached(*picker, Stage("test")), UnorderedElementsAre("app-4"));
}

TEST(LabelMatchTest, AnEmptyDefaultSubsetIsNoMatch) {
  const auto endpoints = Fleet();
  const auto picker = PickerOver(endpoints, R"({"selectors":[{"keys":["stage"]}],
      "fallback":"default_subset","defaultSubset":{"stage":"gone"}})");
  EXPECT_EQ(Show(picker->Pick(Stage("qa"))),
            "fail: UNAVAILABLE: no match found conn: asked for stage=qa of hwholiday.srv.app; "
            "registered: stage=prod ×3, stage=test ×1; the default subset is empty");
}

TEST(LabelMatchTest, AMatchThatConnectsIsNotMissing) {
  const std::vector<Endpoint> endpoints = {
      MakeEndpoint({.id = "app-1", .metadata = {{"stage", "prod"}}}),
      MakeEndpoint(
          {.id = "app-2", .state = ConnectionState::kConnecting, .metadata = {{"stage", "test"}}})};
  const auto picker =
      PickerOver(endpoints, R"({"selectors":[{"keys":["stage"]}],"fallback":"any"})");
  EXPECT_EQ(Show(picker->Pick(Stage("test"))), "queue");
}

TEST(LabelMatchTest, ARetryStaysWithinTheSubset) {
  const auto endpoints = Fleet();
  const auto picker = PickerOver(endpoints, R"({"selectors":[{"keys":["stage"]}]})");
  EXPECT_THAT(Reached(*picker, Stage("prod").Retry(endpoints[0]).Retry(endpoints[1])),
              UnorderedElementsAre("app-3"));
}

// Wants only what its name says, and notes the names of the groups it is asked to build for.
class WantingBuilder final : public PickerBuilder {
 public:
  std::unique_ptr<const Picker> Build(EndpointGroup group) const override {
    keys.push_back(group.key());
    return std::make_unique<WantsFirst>(group.members().front());
  }
  mutable std::vector<std::string> keys;

 private:
  class WantsFirst final : public Picker {
   public:
    explicit WantsFirst(const Endpoint* first) : first_(first) {}
    PickResult Pick(const PickArgs&) const override { return PickResult::To(*first_); }
    bool Wants(const Endpoint& endpoint) const override { return &endpoint == first_; }

   private:
    const Endpoint* const first_;
  };
};

TEST(LabelMatchTest, OnlyWhatAChildWantsIsWanted) {
  const auto endpoints = Fleet();
  LabelMatchConfig config;
  config.selectors = {{.keys = {"stage"}, .fallback = LabelMatchConfig::Fallback::kNone}};
  config.child = std::make_shared<WantingBuilder>();
  const auto picker = LabelMatchBuilder(config).Build(GroupOf(endpoints));
  std::string wanted;
  for (const Endpoint& endpoint : endpoints) wanted += picker->Wants(endpoint) ? "1" : "0";
  EXPECT_EQ(wanted, "10010");  // the first of prod, the first of test; nobody asks for app-5

  config.fallback = LabelMatchConfig::Fallback::kDefaultSubset;
  config.default_subset = {{"version", "v2"}};
  EXPECT_TRUE(LabelMatchBuilder(config).Build(GroupOf(endpoints))->Wants(endpoints[1]));
  config.fallback = LabelMatchConfig::Fallback::kAny;
  EXPECT_FALSE(LabelMatchBuilder(config).Build(GroupOf(endpoints))->Wants(endpoints[4]));
}

TEST(LabelMatchTest, PartsHaveNamesThatDiffer) {
  const std::vector<Endpoint> endpoints = {
      MakeEndpoint({.id = "app-1", .metadata = {{"a", "1\",b=\"2"}, {"b", "3"}}}),
      MakeEndpoint({.id = "app-2", .metadata = {{"a", "1"}, {"b", "2\",b=\"3"}}})};
  const auto child = std::make_shared<WantingBuilder>();
  LabelMatchConfig config;
  config.selectors = {{.keys = {"a", "b"}, .fallback = LabelMatchConfig::Fallback::kAny}};
  config.child = child;
  LabelMatchBuilder(config).Build(GroupOf(endpoints));
  EXPECT_THAT(child->keys, UnorderedElementsAre("/a=\"1\\\",b=\\\"2\",b=\"3\"",
                                                "/a=\"1\",b=\"2\\\",b=\\\"3\"", "/*"));
}

TEST(LabelMatchTest, SubsetsBeyondTheBoundFailAndSaySo) {
  const auto endpoints = Fleet();
  LabelMatchConfig config;
  config.selectors = {{.keys = {"stage"}, .fallback = LabelMatchConfig::Fallback::kNone}};
  config.child = std::make_shared<RandomBuilder>();
  config.most_subsets = 1;
  const auto picker = LabelMatchBuilder(config).Build(GroupOf(endpoints));
  const std::string verdicts =
      Show(picker->Pick(Stage("prod"))) + " " + Show(picker->Pick(Stage("test")));
  EXPECT_THAT(verdicts, HasSubstr("fail: UNAVAILABLE: label_match divides hwholiday.srv.app into "
                                  "at most 1 subsets, and stage="));
  EXPECT_THAT(verdicts, HasSubstr("app-"));
}

TEST(LabelMatchTest, AHundredThousandInstances) {
  const auto endpoints = MakeEndpoints(100'000, {"v1", "v2", "v3"});
  const auto picker = PickerOver(endpoints, R"({"selectors":[{"keys":["version"]}]})");
  const PickResult result = picker->Pick(FakePickArgs().Version("v3"));
  EXPECT_EQ(result.endpoint()->instance().version, "v3");
}

constexpr std::string_view kPlace = "turnout.picker[0].label_match.";
std::string At(std::string_view error) { return std::string(kPlace) + std::string(error); }

TEST(LabelMatchConfigTest, SelectorsAreChecked) {
  EXPECT_EQ(ErrorOf("{}"), At("selectors: must be a list of objects, 1 to 16 of them"));
  EXPECT_EQ(ErrorOf(R"({"selectors":[{"keys":[]}]})"),
            At("selectors[0].keys: must name at least one metadata key, got []"));
  EXPECT_EQ(
      ErrorOf(R"({"selectors":[{"keys":["a","a-bin"]}]})"),
      At("selectors[0].keys: must be a metadata key of [a-z0-9._-] that does not end in -bin, "
         "got \"a-bin\""));
  EXPECT_EQ(ErrorOf(R"({"selectors":[{"keys":["turnout.zone"]}]})"),
            At("selectors[0].keys: must be a label that users set, got \"turnout.zone\""));
  EXPECT_EQ(ErrorOf(R"({"selectors":[{"keys":["a","a"]}]})"),
            At("selectors[0].keys: must name each key once, got \"a\" twice"));
  EXPECT_EQ(ErrorOf(R"({"selectors":[{"keys":["a","b"]},{"keys":["b","a"]}]})"),
            At("selectors[1].keys: must be another set of keys than those of the selectors before "
               "it"));
  EXPECT_THAT(ErrorOf(R"({"selectors":[{"keys":"stage"}]})"),
              HasSubstr("selectors[0].keys: must be a list of strings, got \"stage\""));
  EXPECT_EQ(ErrorOf(R"({"selectors":[{"keys":["a"],"kees":1}]})"),
            At("selectors[0].kees: unknown field; allowed: keys, fallback; did you mean keys?"));
  EXPECT_THAT(ErrorOf(R"({"selectors":{}})"), HasSubstr("must be a list of objects, got {}"));
}

TEST(LabelMatchConfigTest, TheRestIsChecked) {
  EXPECT_EQ(ErrorOf(R"({"selectors":[{"keys":["a"]}],"fallback":"default_subset"})"),
            At("defaultSubset: must name at least one label, as a fallback is default_subset"));
  EXPECT_EQ(ErrorOf(R"({"selectors":[{"keys":["a"],"fallback":"default_subset"}]})"),
            At("defaultSubset: must name at least one label, as a fallback is default_subset"));
  EXPECT_EQ(
      ErrorOf(R"({"selectors":[{"keys":["a"]}],"defaultSubset":{"A":"1"}})"),
      At("defaultSubset: must be a metadata key of [a-z0-9._-] that does not end in -bin, got "
         "\"A\""));
  EXPECT_EQ(ErrorOf(R"({"selectors":[{"keys":["a"]}],"defaultSubset":{"a":1}})"),
            At("defaultSubset: must be an object of strings, got {\"a\":1}"));
  EXPECT_EQ(ErrorOf(R"({"selectors":[{"keys":["a"]}],"fallback":"all"})"),
            At("fallback: must be one of none, any, default_subset, got \"all\""));
}

TEST(LabelMatchConfigTest, NumbersAreBounded) {
  std::string selectors;
  std::string keys;
  for (int i = 0; i < 17; ++i) {
    const std::string comma = i > 0 ? "," : "";
    selectors += comma + R"({"keys":["k)" + std::to_string(i % 4) + R"(","l)" +
                 std::to_string(i / 4) + R"("]})";
    keys += comma + "\"k" + std::to_string(i) + '"';
  }
  EXPECT_EQ(ErrorOf(R"({"selectors":[)" + selectors + "]}"),
            At("selectors: must be a list of objects, 1 to 16 of them"));
  EXPECT_EQ(ErrorOf(R"({"selectors":[{"keys":[)" + keys + "]}]}"),
            At("selectors: must name at most 16 different keys in all, got 17"));
}

}  // namespace
}  // namespace turnout::balance
