#include "src/balance/peak_ewma/cost.h"

#include <algorithm>

namespace turnout::balance {
namespace {

Nanoseconds MeanLatency(std::span<const Load> loads) {
  Nanoseconds sum{0};
  int known = 0;
  for (const Load& load : loads) {
    if (!load.latency.has_value()) continue;
    sum += *load.latency;
    ++known;
  }
  return known == 0 ? sum : sum / known;
}

}  // namespace

Nanoseconds Cost(const Load& load, Nanoseconds assumed, Nanoseconds failure_penalty) {
  const Nanoseconds latency = std::max(load.latency.value_or(assumed), Nanoseconds(1));
  const Nanoseconds attempt =
      load.success * latency + (1 - load.success) * std::max(failure_penalty, latency);
  return attempt * static_cast<double>(load.in_flight + 1);
}

std::size_t Cheapest(std::span<const Load> loads, Nanoseconds group_mean,
                     Nanoseconds failure_penalty) {
  const Nanoseconds assumed = std::max(group_mean, MeanLatency(loads));
  const auto cheapest = std::ranges::min_element(
      loads, {}, [&](const Load& load) { return Cost(load, assumed, failure_penalty); });
  return static_cast<std::size_t>(cheapest - loads.begin());
}

}  // namespace turnout::balance
