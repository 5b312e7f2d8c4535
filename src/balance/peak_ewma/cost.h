// What it costs to send one more call to an instance: how long it takes to answer, times the calls
// that would then wait for it.
//
//   latency of   what was measured, or assumed of an instance that has never answered
//   attempt      success · latency + (1 − success) · max(failure penalty, latency)
//   cost         attempt · (in flight + 1)
//
// Three instances, and a penalty of 1 s:
//
//          latency   success   in flight   attempt                        cost
//   A      20 ms     100%      2           20 ms                          60 ms
//   B      50 ms     100%      0           50 ms                          50 ms   the cheapest
//   C       1 ms      90%      0           0.9 · 1 ms + 0.1 · 1 s          101 ms
//
// C answers fastest since it fails fast. It would get most calls without the penalty.
#ifndef TURNOUT_SRC_BALANCE_PEAK_EWMA_COST_H_
#define TURNOUT_SRC_BALANCE_PEAK_EWMA_COST_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace turnout::balance {

using Nanoseconds = std::chrono::duration<double, std::nano>;

// Of one instance, at one moment.
struct Load {
  std::optional<Nanoseconds> latency;  // unset: it has never answered
  double success = 1;                  // share of calls
  std::int64_t in_flight = 0;
};

// `assumed` stands for a missing latency. Latencies count as 1 ns at least, so that the calls in
// flight decide among those whose latency has decayed to nothing.
Nanoseconds Cost(const Load& load, Nanoseconds assumed, Nanoseconds failure_penalty);

// The index of the cheapest, the first of equals. An instance that has never answered is taken to
// be as fast as `group_mean`, but no faster than the mean of the others here: calls in flight then
// keep it from being flooded, also where the group's mean is not known (0) or from quieter times.
std::size_t Cheapest(std::span<const Load> loads, Nanoseconds group_mean,
                     Nanoseconds failure_penalty);

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_PEAK_EWMA_COST_H_
