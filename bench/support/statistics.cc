#include "bench/support/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace turnout::bench {

double Percentile(std::vector<double> values, double percent) {
  std::sort(values.begin(), values.end());
  const auto rank =
      static_cast<std::size_t>(std::ceil(percent / 100 * static_cast<double>(values.size())));
  return values[std::max<std::size_t>(rank, 1) - 1];
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

Interval MedianInterval95(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  // P(fewer than k of n values lie below the median) is the sum of the first k binomial terms.
  double term = std::pow(0.5, static_cast<double>(n));
  double sum = term;
  std::size_t k = 0;
  while (sum <= 0.025) {
    ++k;
    term *= static_cast<double>(n - k + 1) / static_cast<double>(k);
    sum += term;
  }
  const std::size_t first = k == 0 ? 0 : k - 1;
  return {values[first], values[n - 1 - first]};
}

}  // namespace turnout::bench
