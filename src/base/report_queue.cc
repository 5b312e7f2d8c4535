#include "src/base/report_queue.h"

#include <utility>

#include "src/base/serial_thread.h"

namespace turnout::base {

void ReportQueue::Run(std::function<void()> task) {
  {
    MutexLock lock(mutex_);
    if (waiting_ == most_) {
      // The notice takes its place in the order now, and says how many there were when it comes.
      if (dropped_++ == 0) ReportThread().Run([this] { TellDropped(); });
      return;
    }
    ++waiting_;
  }
  ReportThread().Run([this, task = std::move(task)] {
    {
      MutexLock lock(mutex_);
      --waiting_;
    }
    task();
  });
}

void ReportQueue::TellDropped() {
  std::uint64_t dropped = 0;
  {
    MutexLock lock(mutex_);
    std::swap(dropped, dropped_);
  }
  tell_dropped_(dropped);
}

}  // namespace turnout::base
