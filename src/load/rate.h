// Events a second, as a moving average.
//
// Each event adds 1/τ, and all of it decays with time constant τ: at a steady r events a second the
// sum settles at r. With τ = 1 s, 100 calls at once show as 100/s, a second later as 37/s.
#ifndef TURNOUT_SRC_LOAD_RATE_H_
#define TURNOUT_SRC_LOAD_RATE_H_

#include "src/base/clock.h"
#include "turnout/stats.h"

namespace turnout::load {

// Thread-safe, lock-free.
class Rate {
 public:
  void Count(base::TimePoint now);
  double PerSecond(base::TimePoint now) const;

 private:
  TimedValue sum_;
};

}  // namespace turnout::load

#endif  // TURNOUT_SRC_LOAD_RATE_H_
