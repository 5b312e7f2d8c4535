// How much of its full share an instance should get, so long after it began to serve. Pure.
#ifndef TURNOUT_SRC_BALANCE_SLOW_START_GROWTH_H_
#define TURNOUT_SRC_BALANCE_SLOW_START_GROWTH_H_

#include <chrono>

namespace turnout::balance {

struct Growth {
  // How long an instance takes to its full share.
  std::chrono::milliseconds window{60'000};

  // 1: in proportion to its age. Above, it gains more at first; below, more towards the end.
  double aggression = 1;

  // The share that it has at once; without calls it would have nothing to warm up with.
  double minimum = 0.1;

  // max(minimum, (age / window)^(1 / aggression)), and 1 from the window's end on. With a window of
  // 60 s and a minimum of 0.1:
  //
  //   age    aggression 0.5   1      2
  //   1 s    0.1              0.1    0.129
  //   15 s   0.1 (not 0.063)  0.25   0.5
  //   30 s   0.25             0.5    0.707
  //   60 s   1                1      1
  //
  // Source: Envoy's slow start mode.
  double At(std::chrono::steady_clock::duration age) const;
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_SLOW_START_GROWTH_H_
