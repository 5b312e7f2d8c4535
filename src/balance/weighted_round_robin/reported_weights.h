// Weights from the load that servers report (gRFC A58): how many calls a second an instance does
// for what it uses of itself, with failed calls counting as use.
//
//   weight = qps / (utilization + eps / qps · errorUtilizationPenalty)
//
// 100 calls a second at utilization 0.5 weigh 200. If 10 of the 100 fail, with penalty 1, they
// weigh 100 / (0.5 + 0.1) = 167.
#ifndef TURNOUT_SRC_BALANCE_WEIGHTED_ROUND_ROBIN_REPORTED_WEIGHTS_H_
#define TURNOUT_SRC_BALANCE_WEIGHTED_ROUND_ROBIN_REPORTED_WEIGHTS_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "src/base/clock.h"
#include "turnout/endpoint.h"

namespace turnout::balance {

struct ReportedWeightsConfig {
  // For how long reports are not believed after an instance has begun to send them: the first ones
  // are of caches that fill and code that warms up.
  std::chrono::milliseconds blackout_period{10'000};

  // Reports that are older say nothing. The next one begins a new blackout.
  std::chrono::milliseconds weight_expiration_period{180'000};

  // How much a share of failed calls adds to the utilization. 0: nothing.
  double error_utilization_penalty = 1.0;
};

// Unset where it cannot be known: no calls, or no use.
std::optional<double> WeightOfLoad(double qps, double eps, double utilization,
                                   double error_utilization_penalty);

// Since when an instance has sent reports. Kept with its statistics, thread-safe.
struct ReportsSince {
  static constexpr base::TimePoint kNone = base::TimePoint::min();
  std::atomic<base::TimePoint> since{kNone};
};

// The ReportsSince of a group's endpoints. Asking the statistics for one takes a lock and several
// cache misses, so it remembers what it found the last time, in the same order. Not thread-safe.
class ReportsOfGroup {
 public:
  struct Entry {
    std::weak_ptr<InstanceStats> owner;
    std::shared_ptr<ReportsSince> reports;
  };

  // One for each endpoint.
  std::span<const Entry> Find(std::span<const Endpoint* const> endpoints);

 private:
  std::vector<Entry> entries_;
};

// From what the statistics hold at `now`; unset without reports, in the blackout and after the
// expiration. Notes in `reports` when they began, so ask now and then.
std::optional<double> ReportedWeight(const InstanceStats& stats, ReportsSince& reports,
                                     const ReportedWeightsConfig& config, base::TimePoint now);

// In whole numbers of which the largest is 65,535 and none is 0. The unknown ones take the mean of
// the known. With fewer than two known ones there is nothing to compare: all are 1.
std::vector<std::uint32_t> Scaled(std::span<const std::optional<double>> weights);

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_WEIGHTED_ROUND_ROBIN_REPORTED_WEIGHTS_H_
