#include "src/simulate/load_meter.h"

#include <cmath>

#include "src/simulate/event_queue.h"

namespace turnout::simulate {

void LoadMeter::Observe(double busy_seconds, base::TimePoint now) {
  const double passed = Seconds(now - at_);
  if (passed <= 0) return;
  const double kept = std::exp(-passed / kSeconds);
  utilization_ = utilization_ * kept + (busy_seconds - busy_seconds_) / passed * (1 - kept);
  qps_ *= kept;
  eps_ *= kept;
  busy_seconds_ = busy_seconds;
  at_ = now;
}

void LoadMeter::CallEnded(bool ok) {
  qps_ += 1 / kSeconds;
  if (!ok) eps_ += 1 / kSeconds;
}

// Averages that began at 0 have seen the share 1 - e^-t of what they will: after 0.5 s, 39%.
LoadReport LoadMeter::Report() const {
  const double seen = 1 - std::exp(-Seconds(at_ - since_) / kSeconds);
  if (seen <= 0) return {};
  LoadReport report;
  report.cpu_utilization = utilization_ / seen;
  report.request_cost.emplace(LoadReport::kQps, qps_ / seen);
  report.request_cost.emplace(LoadReport::kEps, eps_ / seen);
  return report;
}

}  // namespace turnout::simulate
