// Consistent hashing with bounded loads: a popular key's endpoint that has more than its share of
// the calls in flight passes further calls on. Mirrokni, Thorup, Zadimoghaddam: "Consistent Hashing
// with Bounded Loads", SODA 2018.
#ifndef TURNOUT_SRC_BALANCE_HASHING_LOAD_BOUND_H_
#define TURNOUT_SRC_BALANCE_HASHING_LOAD_BOUND_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "turnout/endpoint.h"

namespace turnout::balance {

// An endpoint takes a call while its calls in flight, this one included, are at most
//
//   ceil(factor × (all calls in flight + 1) × its share of the weight)
//
// Example: factor 1.25, 4 endpoints of equal weight, 15 calls in flight: ceil(1.25 × 16 / 4) = 5,
// so that an endpoint with 4 calls takes one more, and one with 5 does not.
//
// Immutable but for an estimate: up to kSummed endpoints the calls in flight are summed for each
// pick; beyond, once for n / 4 picks, which costs each pick four endpoints' worth on the average
// and lets the sum be wrong by as many calls as have begun and ended since. Thread-safe, lock-free.
class LoadBound {
 public:
  static constexpr std::size_t kSummed = 64;

  // The endpoints live as long as this.
  LoadBound(double factor, std::span<const Endpoint* const> endpoints);

  // All calls in flight at the endpoints; once for each pick.
  std::int64_t Total() const;

  bool Takes(std::size_t endpoint, std::int64_t total) const;

  // Calls in flight for its weight; to find the least loaded where none takes the call.
  double Load(std::size_t endpoint) const;

 private:
  struct Bounded {
    const InstanceStats* stats;
    double allowed;  // factor × share
  };
  std::int64_t Sum() const;

  std::vector<Bounded> endpoints_;
  mutable std::atomic<std::uint64_t> picks_{0};
  mutable std::atomic<std::int64_t> total_{0};
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_HASHING_LOAD_BOUND_H_
