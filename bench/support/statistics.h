// What is said about a set of measurements. Pure.
#ifndef TURNOUT_BENCH_SUPPORT_STATISTICS_H_
#define TURNOUT_BENCH_SUPPORT_STATISTICS_H_

#include <vector>

namespace turnout::bench {

// The least value that `percent` of the values do not exceed: of 200 values, the 99th percentile is
// the third largest. `values` is not empty.
double Percentile(std::vector<double> values, double percent);
// Of an even number, the mean of the middle two.
double Median(std::vector<double> values);

struct Interval {
  double low = 0;
  double high = 0;
};

// Holds the median of whatever the values were drawn from with at least 95% confidence, whatever
// its distribution: the k-th smallest to the k-th largest value, k from the binomial distribution
// (of 30 values, the 10th to the 21st). Fewer than 6 values cannot say that much: their range.
Interval MedianInterval95(std::vector<double> values);

}  // namespace turnout::bench

#endif  // TURNOUT_BENCH_SUPPORT_STATISTICS_H_
