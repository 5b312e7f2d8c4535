// The library's side of turnout/observer.h.
#ifndef TURNOUT_SRC_BASE_OBSERVE_H_
#define TURNOUT_SRC_BASE_OBSERVE_H_

#include <atomic>
#include <cstdint>
#include <functional>

#include "turnout/observer.h"

namespace turnout::base {

// Calls `event` with the observer on the report thread, if one is set.
void Observe(std::function<void(Observer&)> event);

// One for the process; members as in turnout::Counters. Add with relaxed order.
struct AtomicCounters {
  std::atomic<std::uint64_t> picks_completed{0}, picks_queued{0}, picks_failed{0}, picks_dropped{0},
      calls_denied{0};
  std::atomic<std::uint64_t> snapshots{0}, records_rejected{0};
  std::atomic<std::uint64_t> instances_lapsed{0}, relists{0}, cache_loads{0};
  std::atomic<std::uint64_t> registrations{0}, registrations_lost{0}, subchannels_created{0};
};
AtomicCounters& GlobalCounters();
inline void Count(std::atomic<std::uint64_t>& counter) {
  counter.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace turnout::base

#endif  // TURNOUT_SRC_BASE_OBSERVE_H_
