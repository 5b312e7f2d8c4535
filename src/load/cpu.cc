#include "src/load/cpu.h"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>

namespace turnout::load {
namespace {

constexpr std::chrono::milliseconds kLeastInterval{100};

std::chrono::duration<double> Seconds(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

std::chrono::duration<double> UsedByProcess() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

int CpusOfProcess() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  return sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? std::max(1, CPU_COUNT(&cpus)) : 1;
}

}  // namespace

double CpuMeter::Utilization(base::TimePoint now) {
  const base::MutexLock lock(mutex_);
  if (last_.has_value() && now - last_->at < kLeastInterval) return utilization_;
  const Reading reading{now, UsedByProcess()};
  if (last_.has_value()) {
    const std::chrono::duration<double> passed = reading.at - last_->at;
    utilization_ = (reading.used - last_->used) / passed / CpusOfProcess();
  }
  last_ = reading;
  return utilization_;
}

}  // namespace turnout::load
