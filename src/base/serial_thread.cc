#include "src/base/serial_thread.h"

#include <deque>
#include <thread>
#include <utility>

#include "src/base/fork.h"
#include "src/base/mutex.h"
#include "src/base/thread.h"

namespace turnout::base {

struct SerialThread::Impl {
  explicit Impl(std::string thread_name) : name(std::move(thread_name)) {}

  [[noreturn]] void Loop();

  const std::string name;
  mutable Mutex mutex;
  CondVar more;
  bool started ABSL_GUARDED_BY(mutex) = false;
  std::thread::id thread ABSL_GUARDED_BY(mutex);
  std::deque<std::function<void()>> tasks ABSL_GUARDED_BY(mutex);
};

void SerialThread::Impl::Loop() {
  while (true) {
    std::function<void()> task;
    {
      MutexLock lock(mutex);
      thread = std::this_thread::get_id();
      while (tasks.empty()) more.Wait(mutex);
      task = std::move(tasks.front());
      tasks.pop_front();
    }
    task();
  }
}

SerialThread::SerialThread(std::string name) : impl_(new Impl(std::move(name))) {}

void SerialThread::Run(std::function<void()> task) {
  if (InForkedChild()) return;
  MutexLock lock(impl_->mutex);
  if (!impl_->started) {
    impl_->started = true;
    StartThread(impl_->name, [impl = impl_] { impl->Loop(); });
  }
  impl_->tasks.push_back(std::move(task));
  impl_->more.NotifyOne();
}

bool SerialThread::OnThread() const {
  if (InForkedChild()) return false;
  MutexLock lock(impl_->mutex);
  return impl_->thread == std::this_thread::get_id();
}

std::size_t SerialThread::waiting() const {
  if (InForkedChild()) return 0;
  MutexLock lock(impl_->mutex);
  return impl_->tasks.size();
}

SerialThread& DeliveryThread() {
  static SerialThread& thread = *new SerialThread("turnout-deliver");
  return thread;
}

SerialThread& ReportThread() {
  static SerialThread& thread = *new SerialThread("turnout-report");
  return thread;
}

}  // namespace turnout::base
