// What this process has learnt of an instance by calling it.
//
// Statistics belong to the process, keyed by cluster, service and instance id: they survive
// snapshots, reconnects, picker rebuilds and channels. All members are thread-safe and lock-free;
// a reader may see the effects of one call in part.
#ifndef TURNOUT_STATS_H_
#define TURNOUT_STATS_H_

#include <atomic>
#include <chrono>
#include <cstdint>

namespace turnout {

class InstanceStats {
 public:
  using Clock = std::chrono::steady_clock;

  explicit InstanceStats(Clock::time_point first_seen = Clock::now()) : first_seen_(first_seen) {}
  InstanceStats(const InstanceStats&) = delete;
  InstanceStats& operator=(const InstanceStats&) = delete;

  // Calls sent to the instance that have not ended, streams included.
  std::int64_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }

  // Calls that ended, and those of them that ended with another status than OK.
  std::uint64_t finished() const { return finished_.load(std::memory_order_relaxed); }
  std::uint64_t failed() const { return failed_.load(std::memory_order_relaxed); }

  // When this process first heard of the instance.
  Clock::time_point first_seen() const { return first_seen_; }

  // For whoever makes the calls: each CallStarted is followed by exactly one CallEnded, and
  // CallFinished comes between them when the outcome is known (a cancelled call may have none).
  void CallStarted() { in_flight_.fetch_add(1, std::memory_order_relaxed); }
  void CallFinished(bool ok) {
    finished_.fetch_add(1, std::memory_order_relaxed);
    if (!ok) failed_.fetch_add(1, std::memory_order_relaxed);
  }
  void CallEnded() { in_flight_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  const Clock::time_point first_seen_;
  std::atomic<std::int64_t> in_flight_{0};
  std::atomic<std::uint64_t> finished_{0};
  std::atomic<std::uint64_t> failed_{0};
};

}  // namespace turnout

#endif  // TURNOUT_STATS_H_
