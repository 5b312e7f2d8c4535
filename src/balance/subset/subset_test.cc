#include "src/balance/subset/subset.h"

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
using testing::MakeEndpoints;
using testing::Show;

SubsetBuilder SubsetOf(std::size_t size, std::uint64_t seed) {
  return SubsetBuilder({.size = size, .child = std::make_shared<RandomBuilder>(), .seed = seed});
}

std::set<const Endpoint*> Reached(const Picker& picker) {
  std::set<const Endpoint*> reached;
  for (int i = 0; i < 500; ++i) reached.insert(picker.Pick(FakePickArgs()).endpoint());
  return reached;
}

std::set<const Endpoint*> Wanted(const Picker& picker, const std::vector<Endpoint>& endpoints) {
  std::set<const Endpoint*> wanted;
  for (const Endpoint& endpoint : endpoints) {
    if (picker.Wants(endpoint)) wanted.insert(&endpoint);
  }
  return wanted;
}

std::string ErrorOf(std::string_view parameters) {
  const std::string policy = R"({"picker":[{"subset":)" + std::string(parameters) + "}]}";
  return std::string(ParsePolicyConfig("turnout", policy).status().message());
}

TEST(SubsetTest, CallsGoToTheSubsetAndNobodyElseIsConnected) {
  const auto endpoints = MakeEndpoints(100, {"v1"});
  const auto picker = SubsetOf(7, 1).Build(GroupOf(endpoints));
  EXPECT_EQ(Reached(*picker).size(), 7u);
  EXPECT_EQ(Wanted(*picker, endpoints), Reached(*picker));
}

TEST(SubsetTest, TheSeedTellsClientsApart) {
  const auto endpoints = MakeEndpoints(100, {"v1"});
  EXPECT_EQ(Reached(*SubsetOf(7, 1).Build(GroupOf(endpoints))),
            Reached(*SubsetOf(7, 1).Build(GroupOf(endpoints))));
  EXPECT_NE(Reached(*SubsetOf(7, 1).Build(GroupOf(endpoints))),
            Reached(*SubsetOf(7, 2).Build(GroupOf(endpoints))));
}

TEST(SubsetTest, AllChannelsOfAProcessChooseTheSame) {
  const auto endpoints = MakeEndpoints(100, {"v1"});
  const auto one = BuilderFor(R"([{"subset":{}}])")->Build(GroupOf(endpoints));
  const auto other = BuilderFor(R"([{"subset":{}}])")->Build(GroupOf(endpoints));
  EXPECT_EQ(Wanted(*one, endpoints).size(), 20u);
  EXPECT_EQ(Wanted(*one, endpoints), Wanted(*other, endpoints));
}

TEST(SubsetTest, IdleOnesOfTheSubsetAreConnected) {
  const auto endpoints = MakeEndpoints(100, {"v1"}, ConnectionState::kIdle);
  const auto picker = SubsetOf(7, 1).Build(GroupOf(endpoints));
  const PickResult result = picker->Pick(FakePickArgs());
  EXPECT_EQ(result.kind(), PickResult::Kind::kQueue);
  EXPECT_EQ(std::set(result.connect().begin(), result.connect().end()), Wanted(*picker, endpoints));
}

TEST(SubsetTest, TheSubsetStaysAsItIsWhenItFails) {
  auto endpoints = MakeEndpoints(100, {"v1"});
  const auto before = Wanted(*SubsetOf(3, 1).Build(GroupOf(endpoints)), endpoints);
  for (Endpoint& endpoint : endpoints) {
    if (before.contains(&endpoint)) endpoint.state = ConnectionState::kFailing;
  }
  const auto picker = SubsetOf(3, 1).Build(GroupOf(endpoints));
  EXPECT_EQ(Wanted(*picker, endpoints), before);
  EXPECT_THAT(Show(picker->Pick(FakePickArgs())),
              ::testing::HasSubstr("all 3 matching instances of hwholiday.srv.app are failing"));
}

// Each part of a service has a subset of its own, and a child's wish is heard.
TEST(SubsetTest, NestedSubsetsWantWhatBothWant) {
  const auto endpoints = MakeEndpoints(100, {"v1", "v2"});
  const auto picker = BuilderFor(R"([{"version":{"whenAbsent":"fail","child":[{"subset":
      {"subsetSize":9,"child":[{"subset":{"subsetSize":4}}]}}]}}])")
                          ->Build(GroupOf(endpoints));
  EXPECT_EQ(Wanted(*picker, endpoints).size(), 8u);
}

TEST(SubsetTest, NoneOneAndAHundredThousand) {
  EXPECT_THAT(Show(SubsetOf(20, 1).Build(GroupOf({}))->Pick(FakePickArgs())),
              ::testing::StartsWith("fail: UNAVAILABLE: no match found conn"));
  const auto one = MakeEndpoints(1, {"v1"});
  EXPECT_EQ(Show(SubsetOf(20, 1).Build(GroupOf(one))->Pick(FakePickArgs())), "app-1");
  const auto many = MakeEndpoints(100'000, {"v1"});
  EXPECT_EQ(Wanted(*SubsetOf(20, 1).Build(GroupOf(many)), many).size(), 20u);
}

TEST(SubsetConfigTest, ParametersAreChecked) {
  const std::string at = "turnout.picker[0].subset.";
  EXPECT_EQ(ErrorOf(R"({"subsetSize":0})"), at + "subsetSize: must be 1 to 100000, got 0");
  EXPECT_EQ(ErrorOf(R"({"subsetSize":1.5})"),
            at + "subsetSize: must be an integer, 1 to 100000, got 1.5");
  EXPECT_EQ(ErrorOf(R"({"size":3})"), at + "size: unknown field; allowed: subsetSize, child");
  EXPECT_THAT(ErrorOf(R"({"child":{}})"),
              ::testing::StartsWith(at + "child: must be a list of pickers"));
}

}  // namespace
}  // namespace turnout::balance
