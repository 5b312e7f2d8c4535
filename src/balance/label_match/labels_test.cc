#include "src/balance/label_match/labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/balance/testing.h"

namespace turnout::balance {
namespace {

using ::testing::ElementsAre;
using testing::GroupOf;
using testing::MakeEndpoint;

TEST(LabelsTest, TheVersionIsALabel) {
  const Endpoint endpoint =
      MakeEndpoint({.version = "v7", .metadata = {{"stage", "prod"}, {"version", "v1"}}});
  EXPECT_EQ(LabelOf(endpoint.instance(), "version"), "v7");
  EXPECT_EQ(LabelOf(endpoint.instance(), "stage"), "prod");
  EXPECT_EQ(LabelOf(endpoint.instance(), "canary"), std::nullopt);
}

TEST(LabelsTest, DividesByAllKeysAndLeavesOutWhoLacksOne) {
  const std::vector<Endpoint> endpoints = {
      MakeEndpoint({.id = "app-1", .metadata = {{"a", "x"}, {"b", "1"}}}),
      MakeEndpoint({.id = "app-2", .metadata = {{"a", "x"}}}),
      MakeEndpoint({.id = "app-3", .metadata = {{"a", "y"}, {"b", "1"}}}),
      MakeEndpoint({.id = "app-4", .metadata = {{"a", "x"}, {"b", "1"}, {"c", ""}}})};
  const std::vector<std::string> keys = {"b", "a"};
  const auto parts = DivideByLabels(GroupOf(endpoints).members(), keys);
  EXPECT_EQ(parts.size(), 2u);
  const std::string_view b1_ax[] = {"1", "x"};
  const std::string_view b1_ay[] = {"1", "y"};
  EXPECT_THAT(parts.find(LabelValuesView(b1_ax))->second,
              ElementsAre(&endpoints[0], &endpoints[3]));
  EXPECT_THAT(parts.find(LabelValuesView(b1_ay))->second, ElementsAre(&endpoints[2]));
}

TEST(LabelsTest, TheOrderOfValuesMatters) {
  const LabelValues ab = {"a", "b"};
  const LabelValues ba = {"b", "a"};
  EXPECT_NE(LabelValuesHash()(ab), LabelValuesHash()(ba));
  EXPECT_FALSE(LabelValuesEqual()(ab, ba));
}

TEST(LabelsTest, WhereAValueEndsMatters) {
  const LabelValues ab_c = {"ab", "c"};
  const LabelValues a_bc = {"a", "bc"};
  EXPECT_NE(LabelValuesHash()(ab_c), LabelValuesHash()(a_bc));
  EXPECT_FALSE(LabelValuesEqual()(ab_c, a_bc));
  EXPECT_TRUE(LabelValuesEqual()(ab_c, LabelValues(ab_c)));
}

}  // namespace
}  // namespace turnout::balance
