#include "src/simulate/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace turnout::simulate {
namespace {

std::string ErrorOf(std::string_view json) {
  return std::string(ParseScenario(json).status().message());
}

TEST(ScenarioTest, EverythingButServersHasADefault) {
  const auto scenario = ParseScenario(R"({"servers":[{}]})");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(scenario->clients, 20);
  EXPECT_EQ(scenario->deadline, scenario->mean_service * 20);
  EXPECT_EQ(scenario->Capacity(), 40);
}

TEST(ScenarioTest, ErrorsNameTheirPath) {
  EXPECT_EQ(ErrorOf(R"({"servers":[{},{"cores":0}]})"),
            "scenario.servers[1].cores: must be 1 to 1024, got 0");
  EXPECT_EQ(ErrorOf(R"({"servers":[{}],"client":3})").substr(0, 31),
            "scenario.client: unknown field;");
  EXPECT_EQ(ErrorOf(R"({"servers":[{"queue":"lifo"}]})"),
            "scenario.servers[0].queue: must be one of processorSharing, fifo, got \"lifo\"");
  EXPECT_EQ(ErrorOf(R"({"servers":[{"antagonistLeast":0.5,"antagonistMost":0.4}]})"),
            "scenario.servers[0].antagonistLeast: must be at most antagonistMost");
  EXPECT_EQ(ErrorOf("{}"), "scenario.servers: must be 1 to 10000 in all, got 0");
  EXPECT_EQ(ErrorOf(R"({"servers":[{"failingShare":1}]})"),
            "scenario.servers: must be able to serve some calls in the mean");
  EXPECT_EQ(ErrorOf("[]"), "scenario: must be an object, got []");
  EXPECT_THAT(ErrorOf("{"), ::testing::StartsWith("not valid JSON"));
}

// 10·4·2 of a group without disturbance; half of that where an antagonist takes the whole for half
// of the time (not more than 99%, so 0.6 to 0.8 here).
TEST(ScenarioTest, CapacityIsTheMean) {
  const auto scenario = ParseScenario(R"({"servers":[
      {"count":10,"cores":4,"speed":2},
      {"count":10,"cores":4,"antagonistOn":"1s","antagonistOff":"3s",
       "antagonistLeast":0.6,"antagonistMost":0.8},
      {"count":1,"cores":4,"failingShare":1}]})");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_DOUBLE_EQ(scenario->Capacity(), 80 + 40 * (1 - 0.25 * 0.7));
  EXPECT_EQ(scenario->FastestSpeed(), 2);
}

// One of 10 servers is away for 4 of every 8 s.
TEST(ScenarioTest, WhoRestartsIsAway) {
  const auto scenario = ParseScenario(R"({"servers":[{"count":10,"cores":1}],
      "restartEvery":"8s","restartDrain":"1s","restartDown":"3s"})");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_DOUBLE_EQ(scenario->Capacity(), 10 * (1 - 0.5 / 10));
}

TEST(ScenarioTest, ThoseThatAreShippedAreRight) {
  std::vector<std::string_view> names;
  for (const auto& [name, json] : ShippedScenarios()) {
    names.push_back(name);
    const auto scenario = ParseScenario(json);
    ASSERT_TRUE(scenario.ok()) << name << ": " << scenario.status();
    EXPECT_FALSE(scenario->description.empty()) << name;
  }
  EXPECT_THAT(names, ::testing::ElementsAre("antagonists", "half_speed", "one_slow_server",
                                            "rolling_restart", "sinkhole", "uniform"));
}

}  // namespace
}  // namespace turnout::simulate
