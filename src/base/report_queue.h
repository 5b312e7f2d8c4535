// What waits for the report thread, within bounds: the user's code there may block for as long as
// it likes.
#ifndef TURNOUT_SRC_BASE_REPORT_QUEUE_H_
#define TURNOUT_SRC_BASE_REPORT_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

#include "src/base/mutex.h"

namespace turnout::base {

// Thread-safe; lives for ever.
class ReportQueue {
 public:
  // While `most` tasks wait, further ones are dropped; `tell_dropped` is then called on the report
  // thread, in the place of the first of them, with how many there were.
  ReportQueue(std::size_t most, std::function<void(std::uint64_t)> tell_dropped)
      : most_(most), tell_dropped_(std::move(tell_dropped)) {}

  void Run(std::function<void()> task);

 private:
  void TellDropped();

  const std::size_t most_;
  const std::function<void(std::uint64_t)> tell_dropped_;
  Mutex mutex_;
  std::size_t waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;  // since it was last told
};

}  // namespace turnout::base

#endif  // TURNOUT_SRC_BASE_REPORT_QUEUE_H_
