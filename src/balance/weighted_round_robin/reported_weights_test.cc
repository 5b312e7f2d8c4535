#include "src/balance/weighted_round_robin/reported_weights.h"

#include <gtest/gtest.h>

#include "src/balance/testing.h"
#include "src/base/random.h"

namespace turnout::balance {
namespace {

using std::chrono::seconds;
using Weights = std::vector<std::uint32_t>;
using Known = std::vector<std::optional<double>>;

TEST(WeightOfLoadTest, FollowsTheFormula) {
  EXPECT_EQ(WeightOfLoad(100, 0, 0.5, 1), 200);
  EXPECT_NEAR(*WeightOfLoad(100, 10, 0.5, 1), 166.67, 0.01);
  EXPECT_NEAR(*WeightOfLoad(100, 10, 0.5, 5), 100, 0.01);
  EXPECT_EQ(WeightOfLoad(100, 10, 0.5, 0), 200);
}

TEST(WeightOfLoadTest, WithoutCallsOrUseThereIsNone) {
  EXPECT_EQ(WeightOfLoad(0, 0, 0.5, 1), std::nullopt);
  EXPECT_EQ(WeightOfLoad(100, 0, 0, 1), std::nullopt);
  EXPECT_EQ(WeightOfLoad(-1, 0, 0.5, 1), std::nullopt);
  EXPECT_EQ(WeightOfLoad(100, -50, 0.5, 1), 200);
}

TEST(ScaledTest, TheLargestIs65535) {
  EXPECT_EQ(Scaled(Known{100, 50, 200}), (Weights{32'768, 16'384, 65'535}));
  EXPECT_EQ(Scaled(Known{1e300, 1e300}), (Weights{65'535, 65'535}));
}

TEST(ScaledTest, NoneIsZero) { EXPECT_EQ(Scaled(Known{1, 1e9}), (Weights{1, 65'535})); }

TEST(ScaledTest, TheUnknownTakeTheMean) {
  EXPECT_EQ(Scaled(Known{100, std::nullopt, 200}), (Weights{32'768, 49'151, 65'535}));
}

TEST(ScaledTest, OneKnownWeightIsNoComparison) {
  EXPECT_EQ(Scaled(Known{100, std::nullopt, std::nullopt}), (Weights{1, 1, 1}));
  EXPECT_EQ(Scaled(Known{std::nullopt, std::nullopt}), (Weights{1, 1}));
  EXPECT_EQ(Scaled(Known{100}), (Weights{1}));
  EXPECT_EQ(Scaled(Known{}), Weights{});
}

// One endpoint that reports 100 calls a second at utilization 0.5.
class ReportedWeightTest : public ::testing::Test {
 protected:
  void Report(double eps = 0) {
    LoadReport report;
    report.request_cost = {{std::string(LoadReport::kQps), 100},
                           {std::string(LoadReport::kEps), eps},
                           {std::string(LoadReport::kApplicationUtilization), 0.5}};
    endpoint_.stats().LoadReported(report, now_);
  }
  std::optional<double> Weight() const { return WeightOf(endpoint_); }
  std::optional<double> WeightOf(const Endpoint& endpoint) const {
    return ReportedWeight(endpoint.stats(), *endpoint.stats().Attached<ReportsSince>(), config_,
                          now_);
  }

  const Endpoint endpoint_ = testing::MakeEndpoint({});
  ReportedWeightsConfig config_;
  base::TimePoint now_{seconds(100'000)};
};

TEST_F(ReportedWeightTest, UnknownWithoutReports) { EXPECT_EQ(Weight(), std::nullopt); }

TEST_F(ReportedWeightTest, BeginsAfterTheBlackout) {
  Report();
  EXPECT_EQ(Weight(), std::nullopt);
  now_ += seconds(9);
  Report();
  EXPECT_EQ(Weight(), std::nullopt);
  now_ += seconds(1);
  EXPECT_EQ(Weight(), 200);
}

TEST_F(ReportedWeightTest, WithoutBlackoutItBeginsAtOnce) {
  config_.blackout_period = seconds(0);
  Report(50);
  EXPECT_EQ(Weight(), 100);
}

TEST_F(ReportedWeightTest, ExpiresAndBeginsANewBlackout) {
  Report();
  Weight();
  now_ += seconds(179);
  EXPECT_EQ(Weight(), 200);
  now_ += seconds(1) + std::chrono::milliseconds(1);  // ages are known to 66 µs
  EXPECT_EQ(Weight(), std::nullopt);
  Report();
  EXPECT_EQ(Weight(), std::nullopt);
  now_ += seconds(10);
  EXPECT_EQ(Weight(), 200);
}

TEST_F(ReportedWeightTest, IsKeptWithTheStatistics) {
  Report();
  Weight();
  now_ += seconds(10);
  // The same instance in a later snapshot, whose record has changed.
  Endpoint later = testing::MakeEndpoint({.weight = 7});
  later.member.stats = endpoint_.member.stats;
  EXPECT_EQ(WeightOf(later), 200);
}

TEST_F(ReportedWeightTest, NeedsBothCallsAndUse) {
  config_.blackout_period = seconds(0);
  LoadReport report;
  report.cpu_utilization = 0.5;
  endpoint_.stats().LoadReported(report, now_);
  EXPECT_EQ(Weight(), std::nullopt);
  report.request_cost = {{std::string(LoadReport::kQps), 10}};
  endpoint_.stats().LoadReported(report, now_);
  EXPECT_EQ(Weight(), 20);
}

TEST_F(ReportedWeightTest, ErrorsThatAreNoLongerReportedAreForgotten) {
  config_.blackout_period = seconds(0);
  Report(50);
  now_ += seconds(181);
  LoadReport report;
  report.cpu_utilization = 0.5;
  report.request_cost = {{std::string(LoadReport::kQps), 100}};
  endpoint_.stats().LoadReported(report, now_);
  EXPECT_EQ(Weight(), 200);
}

// What Find gives is what the statistics hold, whoever comes and goes.
TEST(ReportsOfGroupTest, FollowsTheEndpoints) {
  ReportsOfGroup reports;
  const auto expect_own = [&](const std::vector<Endpoint>& endpoints) {
    const auto found = reports.Find(testing::GroupOf(endpoints).candidates());
    ASSERT_EQ(found.size(), endpoints.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_EQ(found[i].reports, endpoints[i].stats().Attached<ReportsSince>());
    }
  };
  const auto all = testing::MakeEndpoints(100, {"v1"});
  expect_own({});
  expect_own({all.begin(), all.begin() + 60});
  expect_own({all.begin() + 5, all.begin() + 60});  // five went
  expect_own({all.begin() + 30, all.end()});        // more than it looks ahead
  expect_own(all);
  base::SeededRandom random(51);
  for (int i = 0; i < 100; ++i) {
    std::vector<Endpoint> some;
    for (const Endpoint& endpoint : all) {
      if (random.Below(4) != 0) some.push_back(endpoint);
    }
    expect_own(some);
  }
}

}  // namespace
}  // namespace turnout::balance
