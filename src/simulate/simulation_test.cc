#include "src/simulate/simulation.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>

#include "src/base/clock.h"
#include "src/base/random.h"
#include "src/simulate/policies.h"
#include "turnout/picker.h"

namespace turnout::simulate {
namespace {

Scenario ScenarioOf(std::string_view json) {
  auto scenario = ParseScenario(json);
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return *std::move(scenario);
}

// As shipped, but for the time before it is measured.
Scenario Shipped(std::string_view name) {
  const auto found = std::ranges::find(ShippedScenarios(), name, &ShippedScenario::name);
  Scenario scenario = ScenarioOf(found->json);
  scenario.warm_up = std::chrono::milliseconds(500);
  return scenario;
}

Summary Result(const Scenario& scenario, const Policy& policy, const RunOptions& options = {}) {
  const auto summary = Simulate(scenario, policy, options);
  EXPECT_TRUE(summary.ok()) << policy.name << ": " << summary.status();
  return *summary;
}

Policy PolicyOf(std::string_view text) {
  const auto policies = ParsePolicies(text);
  EXPECT_TRUE(policies.ok()) << policies.status();
  return policies->front();
}

std::vector<double> Numbers(const Summary& summary) {
  return {
      summary.mean_ms,         summary.p50_ms,      summary.p90_ms,      summary.p99_ms,
      summary.p999_ms,         summary.error_share, summary.load_spread, summary.least_utilization,
      summary.most_utilization};
}

// One server of one core: M/G/1 processor sharing, and the way there and back.
TEST(SimulationTest, AgreesWithTheory) {
  const Scenario scenario = ScenarioOf(
      R"({"servers":[{"count":1,"cores":1}],"meanService":"0.1s","networkDelay":"0.01s",
          "deadline":"3600s","warmUp":"60s"})");
  const Summary summary = Result(scenario, PolicyOf("random"), {.load = 0.7, .calls = 100'000});
  EXPECT_NEAR(summary.mean_ms, 100 / (1 - 0.7) + 20, 15);
  EXPECT_NEAR(summary.most_utilization, 0.7, 0.02);
  EXPECT_EQ(summary.error_share, 0);
}

// At load 0.5 on 10 servers of one core, random is M/G/1 at each of them.
TEST(SimulationTest, RandomMakesEachServerAQueueOfItsOwn) {
  const Scenario scenario =
      ScenarioOf(R"({"servers":[{"count":10,"cores":1}],"deadline":"3600s","warmUp":"10s"})");
  const Summary summary = Result(scenario, PolicyOf("random"), {.load = 0.5, .calls = 100'000});
  EXPECT_NEAR(summary.mean_ms, 200, 8);
}

TEST(SimulationTest, ACallAloneTakesItsOwnTime) {
  const Scenario scenario = ScenarioOf(
      R"({"servers":[{"speed":2},{"speed":1}],"meanService":"0.1s","networkDelay":"0.005s"})");
  const Summary summary = Result(scenario, PolicyOf("alone"), {.calls = 100'000});
  EXPECT_NEAR(summary.p50_ms, 50 * std::exp(-0.5) + 10, 1);
  EXPECT_NEAR(summary.mean_ms, 60, 1);
}

TEST(SimulationTest, TheSameSeedGivesTheSameResult) {
  for (const auto& [name, json] : ShippedScenarios()) {
    const Scenario scenario = Shipped(name);
    for (const Policy& policy : DefaultPolicies()) {
      const RunOptions options{.load = 0.8, .seed = 3, .calls = 300};
      EXPECT_EQ(Numbers(Result(scenario, policy, options)),
                Numbers(Result(scenario, policy, options)))
          << name << " " << policy.name;
    }
  }
  const Scenario scenario = Shipped("uniform");
  EXPECT_NE(Numbers(Result(scenario, PolicyOf("random"), {.seed = 3, .calls = 300})),
            Numbers(Result(scenario, PolicyOf("random"), {.seed = 4, .calls = 300})));
}

// Looked at by the mean and the tail, at a small scale.
TEST(SimulationTest, NoPolicyBeatsTheBounds) {
  for (const auto& [name, json] : ShippedScenarios()) {
    const Scenario scenario = Shipped(name);
    const RunOptions options{.load = 0.8, .seed = 1, .calls = 10'000};
    const Summary bound = Result(scenario, PolicyOf("bound"), options);
    const Summary alone = Result(scenario, PolicyOf("alone"), options);
    for (const Policy& policy : DefaultPolicies()) {
      if (policy.kind == Policy::Kind::kAlone) continue;
      const Summary summary = Result(scenario, policy, options);
      EXPECT_LE(bound.error_share, summary.error_share) << name << " " << policy.name;
      // Whoever fails calls has fewer to answer: its latencies are those of a lower load.
      if (summary.error_share > bound.error_share + 0.001) continue;
      if (policy.kind == Policy::Kind::kPickers) {
        EXPECT_LE(bound.mean_ms, summary.mean_ms) << name << " " << policy.name;
        EXPECT_LE(bound.p99_ms, summary.p99_ms) << name << " " << policy.name;
      }
      EXPECT_LE(alone.p50_ms, summary.p50_ms) << name << " " << policy.name;
      EXPECT_LE(alone.p99_ms, summary.p99_ms) << name << " " << policy.name;
    }
  }
}

// A policy of a user's own: sees virtual time, and statistics that the simulation has fed.
class Witness final : public ChoosingPickerBuilder {
 public:
  struct Seen {
    std::atomic<int> builds{0}, answered{0}, reported{0}, in_flight{0}, finished{0};
  };
  static Seen& seen() {
    static Seen seen;
    return seen;
  }
  std::optional<std::chrono::milliseconds> rebuild_period() const override {
    return std::chrono::seconds(1);
  }

 protected:
  std::unique_ptr<const Picker> BuildChoice(const EndpointGroup& group) const override {
    class First final : public Picker {
     public:
      explicit First(const Endpoint& endpoint) : endpoint_(endpoint) {}
      PickResult Pick(const PickArgs& args) const override {
        const InstanceStats& stats = endpoint_.stats();
        EXPECT_EQ(args.method(), "Call");
        EXPECT_TRUE(args.Metadata("user").has_value());
        EXPECT_LT(base::Now() - base::TimePoint(), std::chrono::hours(2)) << "virtual time";
        if (stats.latency(base::Now()).has_value()) ++seen().answered;
        if (stats.utilization(base::Now()).has_value()) ++seen().reported;
        if (stats.in_flight() > 0) ++seen().in_flight;
        return PickResult::To(endpoint_).OnFinish(
            [](const CallOutcome& outcome) { seen().finished += outcome.status.ok() ? 1 : 0; });
      }

     private:
      const Endpoint& endpoint_;
    };
    ++seen().builds;
    return std::make_unique<First>(*group.candidates().front());
  }
};

TEST(SimulationTest, PickersSeeWhatTheyWouldSeeInAChannel) {
  ASSERT_TRUE(RegisterPickerBuilder("witness", std::make_shared<Witness>()).ok());
  const Scenario scenario =
      ScenarioOf(R"({"clients":2,"servers":[{"count":2,"cores":4}],"calls":1000})");
  // All calls go to one server, which has half of what there is.
  const Summary summary = Result(scenario, PolicyOf("witness"), {.load = 0.4});
  EXPECT_EQ(summary.least_utilization, 0);
  EXPECT_NEAR(summary.most_utilization, 0.8, 0.1);
  const auto& seen = Witness::seen();
  // 1,000 calls at 32 a second: 2 clients build at first, then once a second for 31 s.
  EXPECT_NEAR(seen.builds, 2 * 32, 6);
  EXPECT_GT(seen.answered, 900);
  EXPECT_GT(seen.reported, 900);
  EXPECT_GT(seen.in_flight, 500);
  EXPECT_GE(seen.finished, 1000);
}

TEST(SimulationTest, CallsEndAtTheirDeadline) {
  const Scenario scenario = ScenarioOf(
      R"({"servers":[{"count":1,"cores":1}],"serviceSigma":0,"meanService":"0.1s",
          "deadline":"0.05s","calls":1000})");
  const Summary summary = Result(scenario, PolicyOf("random"));
  EXPECT_EQ(summary.error_share, 1);
  EXPECT_EQ(summary.p50_ms, 50);
  EXPECT_LT(summary.most_utilization, 0.5) << "a cancelled call is not worked on";
}

constexpr std::string_view kHalfFails =
    R"({"servers":[{"count":5},{"count":5,"failingShare":1}],"calls":10000,"retries":RETRIES})";

std::string WithRetries(std::string_view retries) {
  std::string json(kHalfFails);
  return json.replace(json.find("RETRIES"), 7, retries);
}

TEST(SimulationTest, ARetryGoesElsewhere) {
  EXPECT_NEAR(Result(ScenarioOf(WithRetries("0")), PolicyOf("random")).error_share, 0.5, 0.02);
  // Two of ten servers in a row: 1/2 · 4/9.
  EXPECT_NEAR(Result(ScenarioOf(WithRetries("1")), PolicyOf("random")).error_share, 2.0 / 9, 0.02);
}

TEST(SimulationTest, AFastFailureAttractsWhoCountsCallsInFlight) {
  const Scenario scenario = Shipped("sinkhole");
  const RunOptions options{.calls = 20'000};
  const double least_request = Result(scenario, PolicyOf("least_request_5"), options).error_share;
  const double random = Result(scenario, PolicyOf("random"), options).error_share;
  const double peak_ewma = Result(scenario, PolicyOf("peak_ewma"), options).error_share;
  EXPECT_GT(least_request, 1.5 * random);
  EXPECT_LT(peak_ewma, random);
}

// Whoever is told in time sends nothing to a server that stops.
TEST(SimulationTest, ADrainThatIsLongEnoughCostsNoCall) {
  const auto scenario = [](std::string_view drain) {
    std::string json = R"({"servers":[{"count":10,"cores":4}],"calls":20000,"serviceSigma":0,
        "viewDelay":"0.1s","restartEvery":"3s","restartDown":"1s","restartDrain":)";
    return ScenarioOf(json.append("\"").append(drain).append("\"}"));
  };
  const RunOptions options{.load = 0.3};
  EXPECT_EQ(Result(scenario("1s"), PolicyOf("random"), options).error_share, 0);
  EXPECT_GT(Result(scenario("0s"), PolicyOf("random"), options).error_share, 0.001);
}

TEST(SimulationTest, AWrongConfigurationIsAnError) {
  const Policy policy{.name = "wrong", .json = R"([{"random":{"x":1}}])"};
  EXPECT_TRUE(
      absl::IsInvalidArgument(Simulate(ScenarioOf(R"({"servers":[{}]})"), policy, {}).status()));
}

}  // namespace
}  // namespace turnout::simulate
