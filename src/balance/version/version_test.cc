#include "src/balance/version/version.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "src/balance/policy_config.h"
#include "src/balance/testing.h"

namespace turnout::balance {
namespace {

using testing::BuilderFor;
using testing::FakePickArgs;
using testing::GroupOf;
using testing::MakeEndpoint;
using testing::MakeEndpoints;
using testing::Show;
using ::testing::UnorderedElementsAre;

std::unique_ptr<const Picker> PickerOver(const std::vector<Endpoint>& endpoints,
                                         std::string_view parameters = "{}") {
  return BuilderFor("[{\"version\":" + std::string(parameters) + "}]")->Build(GroupOf(endpoints));
}

std::set<std::string> Reached(const Picker& picker, const FakePickArgs& args) {
  std::set<std::string> reached;
  for (int i = 0; i < 200; ++i) reached.insert(Show(picker.Pick(args)));
  return reached;
}

std::string ErrorOf(std::string_view parameters) {
  return std::string(ParsePolicyConfig("version", parameters).status().message());
}

TEST(VersionTest, OnlyInstancesOfTheVersionAnswer) {
  const auto endpoints = MakeEndpoints(5, {"v1", "v2"});
  const auto picker = PickerOver(endpoints);
  EXPECT_THAT(Reached(*picker, FakePickArgs().Version("v1")),
              UnorderedElementsAre("app-1", "app-3", "app-5"));
  EXPECT_THAT(Reached(*picker, FakePickArgs().Version("v2")),
              UnorderedElementsAre("app-2", "app-4"));
}

TEST(VersionTest, NoMatchSaysWhatWasAskedForAndWhatThereIs) {
  const auto endpoints = MakeEndpoints(3, {"v1", "v2"});
  EXPECT_EQ(Show(PickerOver(endpoints)->Pick(FakePickArgs().Version("v3"))),
            "fail: UNAVAILABLE: no match found conn: asked for version v3 of hwholiday.srv.app; "
            "registered: v1 ×2, v2 ×1");
}

TEST(VersionTest, NoMatchWithNothingRegistered) {
  EXPECT_EQ(Show(PickerOver({})->Pick(FakePickArgs().Version("v3"))),
            "fail: UNAVAILABLE: no match found conn: asked for version v3 of hwholiday.srv.app; "
            "registered: none");
  EXPECT_EQ(Show(PickerOver({})->Pick(FakePickArgs())),
            "fail: UNAVAILABLE: no match found conn: no instance of hwholiday.srv.app is "
            "registered");
}

TEST(VersionTest, NoMatchShowsTenVersionsInOrder) {
  const auto endpoints =
      MakeEndpoints(12, {"l", "k", "j", "i", "h", "g", "f", "e", "d", "c", "b", "a"});
  EXPECT_EQ(Show(PickerOver(endpoints)->Pick(FakePickArgs().Version("v3"))),
            "fail: UNAVAILABLE: no match found conn: asked for version v3 of hwholiday.srv.app; "
            "registered: a ×1, b ×1, c ×1, d ×1, e ×1, f ×1, g ×1, h ×1, i ×1, j ×1 and 2 more");
}

TEST(VersionTest, WhatOthersSentIsMadeHarmless) {
  const auto endpoints = MakeEndpoints(1, {"\x1b[31mred"});
  EXPECT_EQ(Show(PickerOver(endpoints)->Pick(FakePickArgs().Version(std::string(100, 'x')))),
            "fail: UNAVAILABLE: no match found conn: asked for version " + std::string(64, 'x') +
                "… of hwholiday.srv.app; registered: \\x1b[31mred ×1");
  EXPECT_EQ(Show(PickerOver(endpoints)->Pick(FakePickArgs().Version(""))),
            "fail: UNAVAILABLE: no match found conn: asked for version \"\" of hwholiday.srv.app; "
            "registered: \\x1b[31mred ×1");
}

// Values of a repeated key arrive joined.
TEST(VersionTest, TwoVersionsMatchNothing) {
  const auto endpoints = MakeEndpoints(2, {"v1", "v2"});
  EXPECT_THAT(Show(PickerOver(endpoints)->Pick(FakePickArgs().Version("v1,v2"))),
              ::testing::StartsWith("fail: UNAVAILABLE: no match found conn"));
}

TEST(VersionTest, AMatchThatConnectsIsNotMissing) {
  const std::vector<Endpoint> endpoints = {
      MakeEndpoint({.id = "app-1", .version = "v1"}),
      MakeEndpoint({.id = "app-2", .version = "v2", .state = ConnectionState::kConnecting})};
  const auto picker = PickerOver(endpoints, R"({"fallback":"any"})");
  EXPECT_EQ(Show(picker->Pick(FakePickArgs().Version("v2"))), "queue");
}

TEST(VersionTest, WithoutAVersionAnyInstanceWillDo) {
  const auto endpoints = MakeEndpoints(3, {"v1", "v2"});
  EXPECT_THAT(Reached(*PickerOver(endpoints), FakePickArgs()),
              UnorderedElementsAre("app-1", "app-2", "app-3"));
}

TEST(VersionTest, WithoutAVersionTheCallMayFail) {
  const auto endpoints = MakeEndpoints(3, {"v1", "v2"});
  const auto picker = PickerOver(endpoints, R"({"whenAbsent":"fail"})");
  EXPECT_EQ(Show(picker->Pick(FakePickArgs())),
            "fail: UNAVAILABLE: no match found conn: asked for no version of hwholiday.srv.app "
            "(the call's metadata has no key version); registered: v1 ×2, v2 ×1");
  EXPECT_EQ(Show(picker->Pick(FakePickArgs().Version("v2"))), "app-2");
}

TEST(VersionTest, FallbackTakesAnyInstance) {
  const auto endpoints = MakeEndpoints(3, {"v1", "v2"});
  const auto picker = PickerOver(endpoints, R"({"fallback":"any","whenAbsent":"fail"})");
  EXPECT_THAT(Reached(*picker, FakePickArgs().Version("v3")),
              UnorderedElementsAre("app-1", "app-2", "app-3"));
  EXPECT_THAT(Reached(*picker, FakePickArgs().Version("v2")), UnorderedElementsAre("app-2"));
}

TEST(VersionTest, TheKeyIsConfigurable) {
  const auto endpoints = MakeEndpoints(2, {"v1", "v2"});
  const auto picker = PickerOver(endpoints, R"({"key":"x-app.version"})");
  EXPECT_THAT(Reached(*picker, FakePickArgs().Set("x-app.version", "v2").Version("v1")),
              UnorderedElementsAre("app-2"));
}

TEST(VersionTest, EachVersionHasAChildOfItsOwn) {
  const auto endpoints = MakeEndpoints(4, {"v1", "v2"});
  const auto picker = PickerOver(endpoints, R"({"child":[{"round_robin":{}}]})");
  std::vector<std::string> sequence;
  for (int i = 0; i < 2; ++i) {
    for (const char* const version : {"v1", "v2"}) {
      sequence.push_back(Show(picker->Pick(FakePickArgs().Version(version))));
    }
  }
  EXPECT_THAT(sequence, UnorderedElementsAre("app-1", "app-2", "app-3", "app-4"));
}

TEST(VersionTest, ARetryStaysWithinTheVersion) {
  const auto endpoints = MakeEndpoints(4, {"v1", "v2"});
  FakePickArgs args;
  args.Version("v2").Retry(endpoints[1]);
  EXPECT_THAT(Reached(*PickerOver(endpoints), args), UnorderedElementsAre("app-4"));
}

TEST(VersionTest, AVersionForEachOfAHundredThousandInstances) {
  std::vector<std::string> versions;
  for (int i = 1; i <= 100'000; ++i) versions.push_back(std::to_string(i));
  const auto endpoints = MakeEndpoints(versions.size(), versions);
  const auto picker = PickerOver(endpoints);
  EXPECT_EQ(Show(picker->Pick(FakePickArgs().Version("77777"))), "app-77777");
}

TEST(VersionConfigTest, ParametersAreChecked) {
  EXPECT_EQ(ErrorOf(R"({"key":"Version"})"),
            "version.key: must be a metadata key of [a-z0-9._-] that does not end in -bin, got "
            "\"Version\"");
  EXPECT_EQ(ErrorOf(R"({"key":""})"),
            "version.key: must be a metadata key of [a-z0-9._-] that does not end in -bin, got "
            "\"\"");
  EXPECT_EQ(ErrorOf(R"({"key":"v-bin"})"),
            "version.key: must be a metadata key of [a-z0-9._-] that does not end in -bin, got "
            "\"v-bin\"");
  EXPECT_EQ(ErrorOf(R"({"whenAbsent":"none"})"),
            "version.whenAbsent: must be one of any, fail, got \"none\"");
  EXPECT_EQ(ErrorOf(R"({"fallback":"fail"})"),
            "version.fallback: must be one of none, any, got \"fail\"");
}

}  // namespace
}  // namespace turnout::balance
