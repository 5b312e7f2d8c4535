// What is still to happen in a simulation, in order of virtual time.
//
// Events at the same time happen in the order in which they were added, so that a run depends on
// nothing but its seed. Not thread-safe: a simulation runs in one thread. Add and RunNext: O(log
// n).
#ifndef TURNOUT_SRC_SIMULATE_EVENT_QUEUE_H_
#define TURNOUT_SRC_SIMULATE_EVENT_QUEUE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "src/base/clock.h"

namespace turnout::simulate {

class EventQueue {
 public:
  using Action = std::function<void()>;

  // As long as the queue lives: what base::ScopedClock wants.
  const base::TimePoint& now() const { return now_; }

  void At(base::TimePoint time, Action action);  // at once, if that is past
  void After(std::chrono::nanoseconds delay, Action action) { At(now_ + delay, std::move(action)); }

  // Moves the time to the next event and lets it happen. False if there is none.
  bool RunNext();

 private:
  struct Event {
    base::TimePoint time;
    std::uint64_t number;
    Action action;
  };
  static bool IsLater(const Event& a, const Event& b);

  // Not at the clock's beginning, which means "always" to some who read it.
  base::TimePoint now_{std::chrono::hours(1)};
  std::uint64_t added_ = 0;
  std::vector<Event> heap_;
};

// A number of seconds in the clock's unit, rounded up: what needs so long is not done before.
std::chrono::nanoseconds Nanoseconds(double seconds);
double Seconds(std::chrono::nanoseconds duration);

}  // namespace turnout::simulate

#endif  // TURNOUT_SRC_SIMULATE_EVENT_QUEUE_H_
