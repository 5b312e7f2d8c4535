#include "src/load/cpu.h"

#include <gtest/gtest.h>

#include <ctime>

namespace turnout::load {
namespace {

using std::chrono::milliseconds;

// Uses the CPU until the process has used `time` more of it.
void Burn(std::chrono::duration<double> time) {
  const std::clock_t end =
      std::clock() + static_cast<std::clock_t>(time.count() * double{CLOCKS_PER_SEC});
  while (std::clock() < end) {
  }
}

TEST(CpuMeter, TellsWhatWasUsedBetweenTwoReadings) {
  CpuMeter meter;
  const base::TimePoint start(std::chrono::hours(1));
  EXPECT_EQ(meter.Utilization(start), 0);
  Burn(milliseconds(50));
  // 50 ms of one CPU in 100 ms, by a clock that the test sets.
  const double used = meter.Utilization(start + milliseconds(100));
  EXPECT_GT(used, 0);
  EXPECT_LE(used, 5);
  EXPECT_EQ(meter.Utilization(start + milliseconds(150)), used) << "not read again so soon";
  EXPECT_LT(meter.Utilization(start + std::chrono::hours(1)), 0.01);
}

}  // namespace
}  // namespace turnout::load
