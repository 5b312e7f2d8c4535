#include "src/balance/weighted_round_robin/reported_weights.h"

#include <algorithm>
#include <atomic>
#include <cmath>

namespace turnout::balance {
namespace {

// Kept with the instance's statistics.
struct ReportsSince {
  static constexpr base::TimePoint kNone = base::TimePoint::min();
  std::atomic<base::TimePoint> since{kNone};
};

}  // namespace

std::optional<double> WeightOfLoad(double qps, double eps, double utilization,
                                   double error_utilization_penalty) {
  if (qps <= 0 || utilization <= 0) return std::nullopt;
  return qps / (utilization + std::max(eps, 0.0) / qps * error_utilization_penalty);
}

std::optional<double> ReportedWeight(const Endpoint& endpoint, const ReportedWeightsConfig& config,
                                     base::TimePoint now) {
  InstanceStats& stats = endpoint.stats();
  const auto qps = stats.qps(now);
  const auto utilization = stats.utilization(now);
  if (!qps.has_value() || !utilization.has_value()) return std::nullopt;
  const auto reports = stats.Attached<ReportsSince>();
  const auto age = std::max(qps->age, utilization->age);
  if (age >= config.weight_expiration_period) {
    reports->since.store(ReportsSince::kNone, std::memory_order_relaxed);
    return std::nullopt;
  }
  base::TimePoint since = reports->since.load(std::memory_order_relaxed);
  if (since == ReportsSince::kNone) {
    since = now - std::chrono::duration_cast<base::TimePoint::duration>(age);
    reports->since.store(since, std::memory_order_relaxed);
  }
  if (now - since < config.blackout_period) return std::nullopt;
  const auto eps = stats.eps(now);
  const bool eps_counts = eps.has_value() && eps->age < config.weight_expiration_period;
  return WeightOfLoad(qps->value, eps_counts ? eps->value : 0, utilization->value,
                      config.error_utilization_penalty);
}

std::vector<std::uint32_t> Scaled(std::span<const std::optional<double>> weights) {
  constexpr double kMost = 65'535;
  double sum = 0;
  double largest = 0;
  int known = 0;
  for (const std::optional<double>& weight : weights) {
    if (!weight.has_value()) continue;
    ++known;
    sum += *weight;
    largest = std::max(largest, *weight);
  }
  std::vector<std::uint32_t> scaled(weights.size(), 1);
  if (known < 2) return scaled;
  const double mean = sum / known;
  std::ranges::transform(weights, scaled.begin(), [&](const std::optional<double>& weight) {
    return static_cast<std::uint32_t>(
        std::max(1.0, std::round(weight.value_or(mean) / largest * kMost)));
  });
  return scaled;
}

}  // namespace turnout::balance
