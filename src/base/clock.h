// The time, injected so that tests and simulations can set it.
#ifndef TURNOUT_SRC_BASE_CLOCK_H_
#define TURNOUT_SRC_BASE_CLOCK_H_

#include <chrono>

namespace turnout::base {

using TimePoint = std::chrono::steady_clock::time_point;

// The steady clock's time; in a thread with a ScopedClock, that one's.
TimePoint Now();

// The same clock as it stood at the system's last tick, at most 10 ms ago: costs a fifth.
TimePoint CoarseNow();

// From now until this object goes, both in this thread are whatever `now` holds. They nest.
class ScopedClock {
 public:
  explicit ScopedClock(const TimePoint& now);
  ~ScopedClock();
  ScopedClock(const ScopedClock&) = delete;
  ScopedClock& operator=(const ScopedClock&) = delete;

 private:
  const TimePoint* const before_;
};

}  // namespace turnout::base

#endif  // TURNOUT_SRC_BASE_CLOCK_H_
