#include "src/simulate/policies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/balance/policy_config.h"

namespace turnout::simulate {
namespace {

using ::testing::HasSubstr;

TEST(PoliciesTest, TheDefaultsAreRight) {
  for (const Policy& policy : DefaultPolicies()) {
    if (policy.kind != Policy::Kind::kPickers) continue;
    const auto config = balance::ParsePolicyConfig("turnout", "{\"picker\":" + policy.json + "}");
    EXPECT_TRUE(config.ok()) << policy.name << ": " << config.status();
  }
}

TEST(PoliciesTest, NamesAndListsMayStandSideBySide) {
  const auto policies = ParsePolicies(
      R"(least_request_5,version,[{"least_request":{"choiceCount":3}},{"random":{}}],bound)");
  ASSERT_TRUE(policies.ok()) << policies.status();
  ASSERT_EQ(policies->size(), 4U);
  EXPECT_EQ((*policies)[0].json, R"([{"least_request":{"choiceCount":5}}])");
  EXPECT_EQ((*policies)[1].json, R"([{"version":{}}])");
  EXPECT_EQ((*policies)[2].name, R"([{"least_request":{"choiceCount":3}},{"random":{}}])");
  EXPECT_EQ((*policies)[3].kind, Policy::Kind::kBound);
}

TEST(PoliciesTest, MistakesAreNamed) {
  EXPECT_THAT(ParsePolicies("randon").status().message(),
              HasSubstr("policy \"randon\" is not known; did you mean random?"));
  EXPECT_THAT(ParsePolicies("random,").status().message(), HasSubstr("policy \"\" is not known"));
  EXPECT_THAT(ParsePolicies(R"([{"least_request":{"choiceCount":1}}])").status().message(),
              HasSubstr("picker[0].least_request.choiceCount: must be 2 to"));
  EXPECT_THAT(ParsePolicies("[{").status().message(), HasSubstr("not valid JSON"));
}

}  // namespace
}  // namespace turnout::simulate
