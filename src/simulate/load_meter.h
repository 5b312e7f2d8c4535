// What a server knows of its load, as it reports it with every answer: averages over about a
// second.
#ifndef TURNOUT_SRC_SIMULATE_LOAD_METER_H_
#define TURNOUT_SRC_SIMULATE_LOAD_METER_H_

#include "src/base/clock.h"
#include "turnout/load_report.h"

namespace turnout::simulate {

class LoadMeter {
 public:
  static constexpr double kSeconds = 1;  // time constant

  explicit LoadMeter(base::TimePoint now) : since_(now), at_(now) {}

  // `busy_seconds`: how long the whole server has been busy until now.
  void Observe(double busy_seconds, base::TimePoint now);
  void CallEnded(bool ok);  // after Observe
  LoadReport Report() const;

 private:
  const base::TimePoint since_;
  base::TimePoint at_;
  double busy_seconds_ = 0;
  double utilization_ = 0;  // these three begin at 0: see Report
  double qps_ = 0;
  double eps_ = 0;
};

}  // namespace turnout::simulate

#endif  // TURNOUT_SRC_SIMULATE_LOAD_METER_H_
