#include "src/base/observe.h"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "src/base/log.h"
#include "src/base/mutex.h"
#include "src/base/report_queue.h"

namespace turnout {
namespace base {
namespace {

constexpr std::size_t kMostWaiting = 10'000;

struct Holder {
  std::atomic<bool> set{false};  // spares a task for each event while nobody looks
  Mutex mutex;
  std::shared_ptr<Observer> observer ABSL_GUARDED_BY(mutex);
};

Holder& TheHolder() {
  static Holder& holder = *new Holder;
  return holder;
}

std::shared_ptr<Observer> CurrentObserver() {
  Holder& holder = TheHolder();
  MutexLock lock(holder.mutex);
  return holder.observer;
}

ReportQueue& Queue() {
  static ReportQueue& queue = *new ReportQueue(kMostWaiting, [](std::uint64_t dropped) {
    Log(LogSeverity::kWarning, "observer", std::to_string(dropped) + " events dropped");
  });
  return queue;
}

}  // namespace

void Observe(std::function<void(Observer&)> event) {
  if (!TheHolder().set.load(std::memory_order_relaxed)) return;
  Queue().Run([event = std::move(event)] {
    if (const std::shared_ptr<Observer> observer = CurrentObserver()) event(*observer);
  });
}

AtomicCounters& GlobalCounters() {
  static AtomicCounters& counters = *new AtomicCounters;
  return counters;
}

}  // namespace base

void SetObserver(std::shared_ptr<Observer> observer) {
  base::Holder& holder = base::TheHolder();
  base::MutexLock lock(holder.mutex);
  holder.set = observer != nullptr;
  holder.observer.swap(observer);  // the old one is destroyed after the lock is released
}

Counters GetCounters() {
  const base::AtomicCounters& now = base::GlobalCounters();
  const auto read = [](const std::atomic<std::uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  return {
      .picks_completed = read(now.picks_completed),
      .picks_queued = read(now.picks_queued),
      .picks_failed = read(now.picks_failed),
      .picks_dropped = read(now.picks_dropped),
      .calls_denied = read(now.calls_denied),
      .snapshots = read(now.snapshots),
      .records_rejected = read(now.records_rejected),
      .instances_lapsed = read(now.instances_lapsed),
      .relists = read(now.relists),
      .cache_loads = read(now.cache_loads),
      .registrations = read(now.registrations),
      .registrations_lost = read(now.registrations_lost),
      .subchannels_created = read(now.subchannels_created),
  };
}

}  // namespace turnout
