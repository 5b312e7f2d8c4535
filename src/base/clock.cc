#include "src/base/clock.h"

#include <ctime>
#include <utility>

namespace turnout::base {
namespace {

thread_local constinit const TimePoint* scoped_now = nullptr;

}  // namespace

TimePoint Now() { return scoped_now == nullptr ? std::chrono::steady_clock::now() : *scoped_now; }

TimePoint CoarseNow() {
  if (scoped_now != nullptr) return *scoped_now;
  timespec tick{};
  // The steady clock is CLOCK_MONOTONIC. Cannot fail: Linux has had this one since 2.6.32.
  clock_gettime(CLOCK_MONOTONIC_COARSE, &tick);
  return TimePoint(std::chrono::seconds(tick.tv_sec) + std::chrono::nanoseconds(tick.tv_nsec));
}

ScopedClock::ScopedClock(const TimePoint& now) : before_(std::exchange(scoped_now, &now)) {}
ScopedClock::~ScopedClock() { scoped_now = before_; }

}  // namespace turnout::base
