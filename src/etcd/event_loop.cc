#include "src/etcd/event_loop.h"

#include <grpc/support/time.h>
#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>

#include <map>
#include <utility>
#include <vector>

#include "src/base/fork.h"
#include "src/base/mutex.h"
#include "src/base/thread.h"

namespace turnout::etcd {
namespace {

using Clock = std::chrono::steady_clock;
using Task = std::function<void()>;

thread_local bool on_loop_thread = false;

gpr_timespec ToGprDeadline(Clock::time_point when) {
  const auto delay = std::chrono::ceil<std::chrono::microseconds>(when - Clock::now());
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_micros(delay.count(), GPR_TIMESPAN));
}

// Touched by the loop's thread only, as all timers are: no alarm and no lock for each.
class Timers {
 public:
  class Timer final : public EventLoop::Timer {
   public:
    Timer(Timers& timers, Clock::time_point when, Task task)
        : timers_(timers), task_(std::move(task)), place_(timers.by_time_.emplace(when, this)) {}
    ~Timer() override {
      if (waiting_) timers_.by_time_.erase(place_);
    }

   private:
    friend class Timers;
    Timers& timers_;
    Task task_;
    std::multimap<Clock::time_point, Timer*>::iterator place_;
    bool waiting_ = true;
  };

  gpr_timespec NextDeadline() const {
    return by_time_.empty() ? gpr_inf_future(GPR_CLOCK_MONOTONIC)
                            : ToGprDeadline(by_time_.begin()->first);
  }

  void RunDue() {
    const Clock::time_point now = Clock::now();
    while (!by_time_.empty() && by_time_.begin()->first <= now) {
      Timer& timer = *by_time_.begin()->second;
      by_time_.erase(by_time_.begin());
      timer.waiting_ = false;
      const Task task = std::move(timer.task_);
      task();  // may destroy `timer`
    }
  }

 private:
  std::multimap<Clock::time_point, Timer*> by_time_;
};

}  // namespace

struct EventLoop::Impl final : EventLoop::Tag {
  [[noreturn]] void Loop();
  void RunPosted();
  // The alarm's: what was posted runs after every event.
  void Done(bool ok) override;

  grpc::CompletionQueue queue;
  Timers timers;
  base::Mutex mutex;
  std::vector<Task> posted ABSL_GUARDED_BY(mutex);
  // One alarm brings the loop round, however much is posted meanwhile. It can be set again once its
  // event has been delivered.
  grpc::Alarm alarm;
  bool alarm_set ABSL_GUARDED_BY(mutex) = false;
};

void EventLoop::Impl::Loop() {
  on_loop_thread = true;
  while (true) {
    void* tag = nullptr;
    bool ok = false;
    if (queue.AsyncNext(&tag, &ok, timers.NextDeadline()) == grpc::CompletionQueue::GOT_EVENT) {
      static_cast<Tag*>(tag)->Done(ok);
    }
    timers.RunDue();
    RunPosted();
  }
}

void EventLoop::Impl::RunPosted() {
  while (true) {
    std::vector<Task> tasks;
    {
      base::MutexLock lock(mutex);
      tasks.swap(posted);
    }
    if (tasks.empty()) return;
    for (Task& task : tasks) std::exchange(task, nullptr)();
  }
}

void EventLoop::Impl::Done(bool /*ok*/) {
  base::MutexLock lock(mutex);
  alarm_set = false;
}

EventLoop& EventLoop::Get() {
  static EventLoop& loop = *new EventLoop;
  return loop;
}

EventLoop::EventLoop() : impl_(new Impl) {
  base::StartThread("turnout-etcd", [impl = impl_] { impl->Loop(); });
}

void EventLoop::Post(std::function<void()> task) {
  if (base::InForkedChild()) return;
  {
    base::MutexLock lock(impl_->mutex);
    impl_->posted.push_back(std::move(task));
    if (on_loop_thread || impl_->alarm_set) return;
    impl_->alarm_set = true;
  }
  impl_->alarm.Set(&impl_->queue, gpr_inf_past(GPR_CLOCK_MONOTONIC), impl_);
}

std::unique_ptr<EventLoop::Timer> EventLoop::RunAfter(std::chrono::milliseconds delay,
                                                      std::function<void()> task) {
  return std::make_unique<Timers::Timer>(impl_->timers, Clock::now() + delay, std::move(task));
}

bool EventLoop::RunAndWait(const std::function<void()>& task) {
  if (base::InForkedChild()) return false;
  if (on_loop_thread) {
    task();
    return true;
  }
  base::Mutex mutex;
  base::CondVar ran;
  bool has_run = false;
  Post([&] {
    task();
    // Notified under the lock: the waiter's condition variable ends with its wait.
    base::MutexLock lock(mutex);
    has_run = true;
    ran.NotifyOne();
  });
  base::MutexLock lock(mutex);
  while (!has_run) ran.Wait(mutex);
  return true;
}

bool EventLoop::OnThread() const { return on_loop_thread; }

grpc::CompletionQueue* EventLoop::queue() { return &impl_->queue; }

}  // namespace turnout::etcd
