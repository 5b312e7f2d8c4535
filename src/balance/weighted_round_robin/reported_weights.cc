#include "src/balance/weighted_round_robin/reported_weights.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace turnout::balance {
namespace {

// The same statistics, or others at the same address? The addresses of what owns them tell, as long
// as the entry keeps that from being used anew.
bool IsOf(const ReportsOfGroup::Entry& entry, const Endpoint& endpoint) {
  const std::shared_ptr<InstanceStats>& stats = endpoint.member.stats;
  return !entry.owner.owner_before(stats) && !stats.owner_before(entry.owner);
}

}  // namespace

std::optional<double> WeightOfLoad(double qps, double eps, double utilization,
                                   double error_utilization_penalty) {
  if (qps <= 0 || utilization <= 0) return std::nullopt;
  return qps / (utilization + std::max(eps, 0.0) / qps * error_utilization_penalty);
}

std::span<const ReportsOfGroup::Entry> ReportsOfGroup::Find(
    std::span<const Endpoint* const> endpoints) {
  // Endpoints keep their order. One that came shifts the others, and so do a few that went.
  constexpr std::ptrdiff_t kLookAhead = 16;
  std::vector<Entry> found;
  found.reserve(endpoints.size());
  auto next = entries_.begin();
  for (const Endpoint* const endpoint : endpoints) {
    const auto end = next + std::min(kLookAhead, entries_.end() - next);
    const auto known =
        std::find_if(next, end, [&](const Entry& entry) { return IsOf(entry, *endpoint); });
    if (known != end) {
      found.push_back(std::move(*known));
      next = known + 1;
    } else {
      found.push_back({endpoint->member.stats, endpoint->stats().Attached<ReportsSince>()});
    }
  }
  entries_ = std::move(found);
  return entries_;
}

std::optional<double> ReportedWeight(const InstanceStats& stats, ReportsSince& reports,
                                     const ReportedWeightsConfig& config, base::TimePoint now) {
  const auto qps = stats.qps(now);
  const auto utilization = stats.utilization(now);
  if (!qps.has_value() || !utilization.has_value()) return std::nullopt;
  const auto age = std::max(qps->age, utilization->age);
  if (age >= config.weight_expiration_period) {
    reports.since.store(ReportsSince::kNone, std::memory_order_relaxed);
    return std::nullopt;
  }
  base::TimePoint since = reports.since.load(std::memory_order_relaxed);
  if (since == ReportsSince::kNone) {
    since = now - std::chrono::duration_cast<base::TimePoint::duration>(age);
    reports.since.store(since, std::memory_order_relaxed);
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
