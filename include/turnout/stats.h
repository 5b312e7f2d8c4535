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
#include <memory>
#include <mutex>
#include <optional>
#include <typeindex>
#include <unordered_map>

#include "absl/status/status.h"
#include "turnout/load_report.h"

namespace turnout {

// A number and when it was set, read and written as one. Thread-safe, lock-free.
class TimedValue {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Reading {
    float value;
    std::chrono::duration<double> age;  // to 66 µs; wraps after 78 hours
  };

  // Unset until the first Update.
  std::optional<Reading> Read(TimePoint now) const;
  // Sets `next(before)`; `before` is unset the first time. Called again when another thread was
  // faster.
  template <typename Next>
  void Update(TimePoint now, Next next) {
    std::uint64_t seen = bits_.load(std::memory_order_relaxed);
    while (!bits_.compare_exchange_weak(seen, Pack(next(Unpack(seen, now)), now),
                                        std::memory_order_relaxed)) {
    }
  }

 private:
  static std::uint64_t Pack(float value, TimePoint now);
  static std::optional<Reading> Unpack(std::uint64_t bits, TimePoint now);

  std::atomic<std::uint64_t> bits_{0};  // 0: unset
};

class InstanceStats {
 public:
  using Clock = std::chrono::steady_clock;

  // The moving averages forget what is older than a few times this.
  static constexpr std::chrono::seconds kDecay{10};

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

  // Moving average of the time to the first response of calls that were answered, sensitive to
  // peaks as Finagle's Peak EWMA: it rises at once to a higher sample, and falls with time constant
  // kDecay, also while nothing is measured. Unset until the first.
  std::optional<std::chrono::nanoseconds> latency(Clock::time_point now) const;

  // Share of calls that did not end by the server's fault (see IsServerFault): each call counts for
  // a tenth, and failures are forgotten with time constant kDecay, so that an instance that gets no
  // calls is tried again. 1 until the first failure.
  double success_rate(Clock::time_point now) const;

  // What the instance last reported of its load, and how long ago that was. What a report leaves
  // out keeps its value. Unset until the first.
  std::optional<TimedValue::Reading> qps(Clock::time_point now) const { return qps_.Read(now); }
  std::optional<TimedValue::Reading> eps(Clock::time_point now) const { return eps_.Read(now); }
  std::optional<TimedValue::Reading> utilization(Clock::time_point now) const {
    return utilization_.Read(now);
  }

  // State of a policy's own that lives as long as these statistics: one T, made when it is first
  // asked for. Takes a lock: ask in Build, and keep the pointer, which keeps it alive.
  template <typename T>
  std::shared_ptr<T> Attached() {
    const std::lock_guard lock(attached_mutex_);
    std::shared_ptr<void>& slot = attached_[typeid(T)];
    if (slot == nullptr) slot = std::make_shared<T>();
    return std::static_pointer_cast<T>(slot);
  }

  // For whoever makes the calls: each CallStarted is followed by exactly one CallEnded, and
  // CallFinished comes between them when the outcome is known (a cancelled call may have none).
  void CallStarted() { in_flight_.fetch_add(1, std::memory_order_relaxed); }
  void CallFinished(const absl::Status& status, Clock::time_point now);
  void CallEnded() { in_flight_.fetch_sub(1, std::memory_order_relaxed); }

  // When the first response has come, and when the server has reported its load.
  void Answered(std::chrono::nanoseconds latency, Clock::time_point now);
  void LoadReported(const LoadReport& report, Clock::time_point now);

 private:
  // What picks read of every instance that they consider: in one cache line, and no other
  // instance's.
  alignas(64) std::atomic<std::int64_t> in_flight_{0};
  TimedValue latency_;   // ns
  TimedValue failures_;  // share
  std::atomic<std::uint64_t> finished_{0};
  std::atomic<std::uint64_t> failed_{0};
  const Clock::time_point first_seen_;
  TimedValue qps_, eps_, utilization_;
  std::mutex attached_mutex_;
  std::unordered_map<std::type_index, std::shared_ptr<void>> attached_;
};

// Does `code` speak against the server, rather than against what it was asked? UNKNOWN,
// DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE and DATA_LOSS do.
bool IsServerFault(absl::StatusCode code);

}  // namespace turnout

#endif  // TURNOUT_STATS_H_
