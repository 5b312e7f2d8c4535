// What a run has measured, and what is said of it.
#ifndef TURNOUT_SRC_SIMULATE_MEASUREMENT_H_
#define TURNOUT_SRC_SIMULATE_MEASUREMENT_H_

#include <chrono>
#include <cstddef>
#include <span>
#include <vector>

#include "absl/status/status.h"

namespace turnout::simulate {

struct Summary {
  std::size_t calls = 0;
  double mean_ms = 0, p50_ms = 0, p90_ms = 0, p99_ms = 0, p999_ms = 0;
  double error_share = 0;

  // How unlike the servers' load is: of the shares of their cores' time in use, the standard
  // deviation divided by the mean; the least and the most.
  double load_spread = 0, least_utilization = 0, most_utilization = 0;
};

// The smallest of `sorted` that at least the share `q` of them does not exceed: of 1, 2, …, 100,
// 99 for q = 0.99. Exact, nothing is interpolated. 0 if there are none.
double Quantile(std::span<const double> sorted, double q);

class Measurement {
 public:
  // A call's latency counts if it was answered, and if it ran into its deadline (it has waited for
  // so long). One that failed earlier is an error and nothing else: failing fast is not being fast.
  void Add(const absl::Status& status, std::chrono::nanoseconds latency);

  std::size_t calls() const { return calls_; }

  // `utilizations`: of each server that is meant to serve.
  Summary Summarize(std::span<const double> utilizations) const;

 private:
  std::size_t calls_ = 0;
  std::size_t errors_ = 0;
  std::vector<double> latencies_ms_;
};

}  // namespace turnout::simulate

#endif  // TURNOUT_SRC_SIMULATE_MEASUREMENT_H_
