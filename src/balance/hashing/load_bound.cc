#include "src/balance/hashing/load_bound.h"

#include <cmath>
#include <limits>
#include <numeric>

#include "src/balance/record_weights.h"

namespace turnout::balance {

LoadBound::LoadBound(double factor, std::span<const Endpoint* const> endpoints) {
  const std::vector<std::uint32_t> weights = RecordWeights(endpoints);
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  endpoints_.reserve(endpoints.size());
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    endpoints_.push_back({&endpoints[i]->stats(), factor * weights[i] / sum});
  }
}

std::int64_t LoadBound::Total() const {
  if (endpoints_.size() <= kSummed) return Sum();
  const std::uint64_t pick = picks_.fetch_add(1, std::memory_order_relaxed);
  if (pick % (endpoints_.size() / 4) == 0) total_.store(Sum(), std::memory_order_relaxed);
  return total_.load(std::memory_order_relaxed);
}

std::int64_t LoadBound::Sum() const {
  std::int64_t sum = 0;
  for (const Bounded& endpoint : endpoints_) sum += endpoint.stats->in_flight();
  return sum;
}

bool LoadBound::Takes(std::size_t endpoint, std::int64_t total) const {
  const Bounded& bounded = endpoints_[endpoint];
  const double limit = std::ceil(bounded.allowed * static_cast<double>(total + 1));
  return static_cast<double>(bounded.stats->in_flight() + 1) <= limit;
}

double LoadBound::Load(std::size_t endpoint) const {
  const Bounded& bounded = endpoints_[endpoint];
  if (bounded.allowed <= 0) return std::numeric_limits<double>::infinity();
  return static_cast<double>(bounded.stats->in_flight() + 1) / bounded.allowed;
}

}  // namespace turnout::balance
