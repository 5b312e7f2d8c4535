#include "src/base/clock.h"

#include <gtest/gtest.h>

#include <thread>

namespace turnout::base {
namespace {

using std::chrono::seconds;

TEST(Clock, IsTheSteadyClock) {
  const TimePoint before = std::chrono::steady_clock::now();
  const TimePoint now = Now();
  EXPECT_GE(now, before);
  EXPECT_LE(now, std::chrono::steady_clock::now());
}

TEST(Clock, TheCoarseOneIsALittleBehind) {
  const TimePoint before = std::chrono::steady_clock::now();
  const TimePoint coarse = CoarseNow();
  EXPECT_GT(coarse, before - std::chrono::milliseconds(20));
  EXPECT_LE(coarse, std::chrono::steady_clock::now());
}

TEST(Clock, IsWhatTheInnermostScopeSays) {
  TimePoint outer = TimePoint(seconds(10));
  const ScopedClock scope(outer);
  EXPECT_EQ(Now(), TimePoint(seconds(10)));
  outer += seconds(1);
  EXPECT_EQ(Now(), TimePoint(seconds(11)));
  {
    const TimePoint inner = TimePoint(seconds(99));
    const ScopedClock nested(inner);
    EXPECT_EQ(Now(), inner);
    EXPECT_EQ(CoarseNow(), inner);
  }
  EXPECT_EQ(Now(), outer);
}

TEST(Clock, AnotherThreadIsNotConcerned) {
  const TimePoint fixed = TimePoint(seconds(10));
  const ScopedClock scope(fixed);
  TimePoint seen;
  std::thread([&] { seen = Now(); }).join();
  EXPECT_NE(seen, fixed);
}

}  // namespace
}  // namespace turnout::base
