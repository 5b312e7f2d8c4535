#include "src/simulate/load_meter.h"

#include <gtest/gtest.h>

#include "src/simulate/event_queue.h"

namespace turnout::simulate {
namespace {

const base::TimePoint kStart{std::chrono::hours(1)};

// A server that is busy for 30% of the time, and ends 50 calls a second, of which 5 fail.
LoadReport ReportAfter(int milliseconds) {
  LoadMeter meter(kStart);
  for (int ms = 20; ms <= milliseconds; ms += 20) {
    meter.Observe(0.3 * ms / 1000, kStart + std::chrono::milliseconds(ms));
    meter.CallEnded(ms % 200 != 0);
  }
  return meter.Report();
}

TEST(LoadMeterTest, NothingIsKnownAtFirst) {
  const LoadReport report = LoadMeter(kStart).Report();
  EXPECT_FALSE(report.main_utilization().has_value());
  EXPECT_FALSE(report.qps().has_value());
}

TEST(LoadMeterTest, IsRightSoonAndLater) {
  for (const int milliseconds : {1000, 20'000}) {
    const LoadReport report = ReportAfter(milliseconds);
    EXPECT_NEAR(*report.main_utilization(), 0.3, 1e-6);
    EXPECT_NEAR(*report.qps(), 50, 1);
    EXPECT_NEAR(*report.eps(), 5, 1);
  }
}

}  // namespace
}  // namespace turnout::simulate
