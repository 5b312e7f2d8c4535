#include "src/simulate/measurement.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace turnout::simulate {
namespace {

double Mean(std::span<const double> values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double StandardDeviation(std::span<const double> values) {
  const double mean = Mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

}  // namespace

double Quantile(std::span<const double> sorted, double q) {
  if (sorted.empty()) return 0;
  // 0.99 · 100 is a little more than 99 in floating point.
  const double rank = std::ceil(q * static_cast<double>(sorted.size()) - 1e-9);
  const auto index = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
  return sorted[std::min(index, sorted.size() - 1)];
}

void Measurement::Add(const absl::Status& status, std::chrono::nanoseconds latency) {
  ++calls_;
  if (!status.ok()) ++errors_;
  if (status.ok() || absl::IsDeadlineExceeded(status)) {
    latencies_ms_.push_back(std::chrono::duration<double, std::milli>(latency).count());
  }
}

Summary Measurement::Summarize(std::span<const double> utilizations) const {
  std::vector<double> sorted = latencies_ms_;
  std::ranges::sort(sorted);
  Summary summary;
  summary.calls = calls_;
  summary.mean_ms = Mean(sorted);
  summary.p50_ms = Quantile(sorted, 0.5);
  summary.p90_ms = Quantile(sorted, 0.9);
  summary.p99_ms = Quantile(sorted, 0.99);
  summary.p999_ms = Quantile(sorted, 0.999);
  if (calls_ > 0) summary.error_share = static_cast<double>(errors_) / static_cast<double>(calls_);
  if (const double mean = Mean(utilizations); mean > 0) {
    summary.load_spread = StandardDeviation(utilizations) / mean;
    summary.least_utilization = *std::ranges::min_element(utilizations);
    summary.most_utilization = *std::ranges::max_element(utilizations);
  }
  return summary;
}

}  // namespace turnout::simulate
