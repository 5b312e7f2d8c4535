#include "turnout/stats.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <thread>
#include <vector>

namespace turnout {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

using Clock = InstanceStats::Clock;

const Clock::time_point kStart = Clock::time_point(hours(1000));
const double kPerDecay = std::exp(-1.0);

double Ms(std::optional<nanoseconds> latency) {
  return static_cast<double>(latency.value_or(nanoseconds(-1)).count()) / 1e6;
}

TEST(InstanceStats, LatencyIsUnknownUntilTheFirstAnswer) {
  EXPECT_EQ(InstanceStats().latency(kStart), std::nullopt);
}

TEST(InstanceStats, LatencyRisesAtOnceAndFallsWithTime) {
  InstanceStats stats;
  stats.Answered(milliseconds(10), kStart);
  EXPECT_NEAR(Ms(stats.latency(kStart)), 10, 1e-3);
  stats.Answered(milliseconds(100), kStart + milliseconds(1));
  EXPECT_NEAR(Ms(stats.latency(kStart + milliseconds(1))), 100, 1e-3) << "a peak counts in full";

  const auto later = kStart + milliseconds(1) + InstanceStats::kDecay;
  stats.Answered(milliseconds(10), later);
  EXPECT_NEAR(Ms(stats.latency(later)), 10 + 90 * kPerDecay, 0.01);
}

TEST(InstanceStats, LatencyFallsWhileNothingIsMeasured) {
  InstanceStats stats;
  stats.Answered(milliseconds(100), kStart);
  EXPECT_NEAR(Ms(stats.latency(kStart + InstanceStats::kDecay)), 100 * kPerDecay, 0.01);
}

TEST(InstanceStats, ManyAnswersInOneTickAreNotLostForEver) {
  InstanceStats stats;
  stats.Answered(seconds(1), kStart);
  auto now = kStart;
  for (int i = 0; i < 4'000'000; ++i) stats.Answered(milliseconds(1), now += nanoseconds(10'000));
  EXPECT_NEAR(Ms(stats.latency(now)), 1 + 999 * std::exp(-4.0), 1);
}

TEST(InstanceStats, FailuresCountATenthEachAndAreForgotten) {
  InstanceStats stats;
  EXPECT_EQ(stats.success_rate(kStart), 1);
  stats.CallFinished(absl::UnavailableError("x"), kStart);
  EXPECT_NEAR(stats.success_rate(kStart), 0.9, 1e-6);
  stats.CallFinished(absl::UnavailableError("x"), kStart);
  EXPECT_NEAR(stats.success_rate(kStart), 0.81, 1e-6);
  stats.CallFinished(absl::OkStatus(), kStart);
  EXPECT_NEAR(stats.success_rate(kStart), 1 - 0.19 * 0.9, 1e-6);
  EXPECT_NEAR(stats.success_rate(kStart + InstanceStats::kDecay), 1 - 0.19 * 0.9 * kPerDecay, 1e-5);
  EXPECT_EQ(stats.finished(), 3U);
  EXPECT_EQ(stats.failed(), 2U);
}

TEST(InstanceStats, ErrorsOfTheCallersAreNoFaultOfTheServer) {
  InstanceStats stats;
  stats.CallFinished(absl::NotFoundError("x"), kStart);
  stats.CallFinished(absl::CancelledError(), kStart);
  EXPECT_EQ(stats.success_rate(kStart), 1);
  EXPECT_EQ(stats.failed(), 2U);
}

TEST(InstanceStats, ReportsReplaceWhatTheyHold) {
  InstanceStats stats;
  EXPECT_FALSE(stats.qps(kStart).has_value());
  LoadReport report;
  report.cpu_utilization = 0.5;
  report.request_cost.emplace(LoadReport::kQps, 100);
  stats.LoadReported(report, kStart);
  EXPECT_EQ(stats.qps(kStart + seconds(3))->value, 100);
  EXPECT_NEAR(stats.qps(kStart + seconds(3))->age.count(), 3, 1e-3);
  EXPECT_FALSE(stats.eps(kStart).has_value());
  EXPECT_EQ(stats.utilization(kStart)->value, 0.5F);

  LoadReport next;
  next.request_cost.emplace(LoadReport::kApplicationUtilization, 0.75);
  next.request_cost.emplace(LoadReport::kQps, std::numeric_limits<double>::quiet_NaN());
  stats.LoadReported(next, kStart + seconds(1));
  EXPECT_EQ(stats.utilization(kStart + seconds(1))->value, 0.75F);
  EXPECT_EQ(stats.qps(kStart + seconds(1))->value, 100) << "what is no number is ignored";
}

TEST(TimedValue, ZeroIsAValue) {
  TimedValue value;
  EXPECT_FALSE(value.Read(Clock::time_point()).has_value());
  value.Update(Clock::time_point(), [](const auto&) { return 0.0F; });
  EXPECT_EQ(value.Read(Clock::time_point())->value, 0);
}

TEST(TimedValue, WhatAnotherThreadSetsALittleLaterIsNew) {
  TimedValue value;
  value.Update(kStart + milliseconds(5), [](const auto&) { return 1.0F; });
  EXPECT_EQ(value.Read(kStart)->age.count(), 0);
}

TEST(TimedValue, KnowsAgesOfHours) {
  TimedValue value;
  value.Update(kStart, [](const auto&) { return 1.0F; });
  EXPECT_NEAR(value.Read(kStart + hours(70))->age.count(), 70 * 3600, 1);
}

TEST(TimedValue, NoUpdateIsLost) {
  constexpr int kThreads = 4;
  constexpr int kUpdates = 10'000;
  TimedValue value;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < kUpdates; ++i) {
          value.Update(kStart, [](const auto& before) { return before ? before->value + 1 : 1; });
        }
      });
    }
  }
  EXPECT_EQ(value.Read(kStart)->value, kThreads * kUpdates);
}

TEST(InstanceStats, KeepsWhatPoliciesAttach) {
  struct Mine {
    int count = 0;
  };
  struct Yours {
    int count = 5;
  };
  InstanceStats stats;
  stats.Attached<Mine>()->count = 3;
  EXPECT_EQ(stats.Attached<Mine>()->count, 3);
  EXPECT_EQ(stats.Attached<Yours>()->count, 5);
  EXPECT_EQ(InstanceStats().Attached<Mine>()->count, 0);
}

}  // namespace
}  // namespace turnout
