// How much of its CPUs this process uses.
#ifndef TURNOUT_SRC_LOAD_CPU_H_
#define TURNOUT_SRC_LOAD_CPU_H_

#include <chrono>
#include <optional>

#include "src/base/clock.h"
#include "src/base/mutex.h"

namespace turnout::load {

// Thread-safe. Reads the system's counters at most ten times a second.
class CpuMeter {
 public:
  // Share of the CPUs that the process may run on, between the last two readings: 0 to about 1.
  // 0 until there are two.
  double Utilization(base::TimePoint now);

 private:
  struct Reading {
    base::TimePoint at;
    std::chrono::duration<double> used;
  };

  base::Mutex mutex_;
  std::optional<Reading> last_ ABSL_GUARDED_BY(mutex_);
  double utilization_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace turnout::load

#endif  // TURNOUT_SRC_LOAD_CPU_H_
