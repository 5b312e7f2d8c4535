#include "src/balance/maglev/maglev.h"

#include <gtest/gtest.h>

#include <set>

#include "src/balance/policy_config.h"
#include "src/balance/testing.h"
#include "src/model/text.h"

namespace turnout::balance {
namespace {

using testing::BuilderFor;
using testing::FakePickArgs;
using testing::GroupOf;
using testing::MakeEndpoints;
using testing::Show;

std::string ErrorOf(std::string_view parameters) {
  const auto config =
      ParsePolicyConfig("turnout", model::Concat({R"({"picker":[{"maglev":)", parameters, "}]}"}));
  return std::string{config.status().message()};
}

TEST(MaglevTest, TheSizeIsChecked) {
  EXPECT_EQ(ErrorOf(R"({"tableSize":1})"),
            "turnout.picker[0].maglev.tableSize: must be 2 to 5000011, got 1");
  EXPECT_EQ(ErrorOf(R"({"tableSize":5000012})"),
            "turnout.picker[0].maglev.tableSize: must be 2 to 5000011, got 5000012");
}

TEST(MaglevTest, TooManyEndpointsAreAnErrorThatSaysWhatToSet) {
  const auto picker = MaglevBuilder().Build(GroupOf(MakeEndpoints(65'538, {"v1"})));
  EXPECT_EQ(Show(picker->Pick(FakePickArgs())),
            "fail: UNAVAILABLE: maglev: 65538 endpoints do not fit a table of 65537 slots; set "
            "tableSize to 100 times as many as there are endpoints, at most 5000011");
}

TEST(MaglevTest, TheTableHasThePrimeAbove) {
  const auto fits = MakeEndpoints(11, {"v1"});
  const auto builder = BuilderFor(R"([{"maglev":{"tableSize":8}}])");
  EXPECT_EQ(builder->Build(GroupOf(fits))->Pick(FakePickArgs()).endpoint() == nullptr, false);
  const auto picker = builder->Build(GroupOf(MakeEndpoints(12, {"v1"})));
  EXPECT_EQ(Show(picker->Pick(FakePickArgs())),
            "fail: UNAVAILABLE: maglev: 12 endpoints do not fit a table of 11 slots; set tableSize "
            "to 100 times as many as there are endpoints, at most 5000011");
}

TEST(MaglevTest, ReachesAllOfAHundredThousand) {
  const auto endpoints = MakeEndpoints(100'000, {"v1"});
  const auto picker = MaglevBuilder({.table_size = 100'003}).Build(GroupOf(endpoints));
  base::SeededRandom source(1);
  const base::ScopedRandom scope(source);
  std::set<const Endpoint*> reached;
  for (int i = 0; i < 300'000; ++i) reached.insert(picker->Pick(FakePickArgs()).endpoint());
  EXPECT_GT(reached.size(), 90'000u);  // 1 - e^-3 of them
}

}  // namespace
}  // namespace turnout::balance
