#include "src/simulate/measurement.h"

#include <gtest/gtest.h>

#include <numeric>

namespace turnout::simulate {
namespace {

using std::chrono::milliseconds;

TEST(QuantileTest, IsTheSmallestThatEnoughDoNotExceed) {
  std::vector<double> hundred(100);
  std::iota(hundred.begin(), hundred.end(), 1);
  EXPECT_EQ(Quantile(hundred, 0.5), 50);
  EXPECT_EQ(Quantile(hundred, 0.9), 90);
  EXPECT_EQ(Quantile(hundred, 0.99), 99);
  EXPECT_EQ(Quantile(hundred, 0.999), 100);
  EXPECT_EQ(Quantile(hundred, 0), 1);
  EXPECT_EQ(Quantile(hundred, 1), 100);
  EXPECT_EQ(Quantile(std::vector<double>{3, 7}, 0.5), 3);
  EXPECT_EQ(Quantile(std::vector<double>{3, 7}, 0.51), 7);
  EXPECT_EQ(Quantile({}, 0.99), 0);
}

TEST(QuantileTest, RoundingNeverTakesTheNextOne) {
  for (int n = 1000; n <= 100'000; n += 1000) {
    std::vector<double> values(static_cast<std::size_t>(n));
    std::iota(values.begin(), values.end(), 1);
    EXPECT_EQ(Quantile(values, 0.999), n / 1000 * 999);
  }
}

TEST(MeasurementTest, FailingFastIsNotBeingFast) {
  Measurement measurement;
  measurement.Add(absl::OkStatus(), milliseconds(100));
  measurement.Add(absl::UnavailableError(""), milliseconds(1));
  measurement.Add(absl::DeadlineExceededError(""), milliseconds(500));
  measurement.Add(absl::OkStatus(), milliseconds(300));
  const Summary summary = measurement.Summarize({});
  EXPECT_EQ(summary.calls, 4U);
  EXPECT_EQ(summary.error_share, 0.5);
  EXPECT_EQ(summary.mean_ms, 300);
  EXPECT_EQ(summary.p50_ms, 300);
  EXPECT_EQ(summary.p999_ms, 500);
}

TEST(MeasurementTest, SpreadIsTheDeviationOfTheServers) {
  const Summary summary = Measurement().Summarize(std::vector<double>{0.4, 0.6, 0.4, 0.6});
  EXPECT_DOUBLE_EQ(summary.load_spread, 0.1 / 0.5);
  EXPECT_EQ(summary.least_utilization, 0.4);
  EXPECT_EQ(summary.most_utilization, 0.6);
}

}  // namespace
}  // namespace turnout::simulate
