#include "src/balance/weighted_round_robin/static_stride_scheduler.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace turnout::balance {
namespace {

constexpr double kGoldenRatio = 0.6180339887498949;

// About the golden ratio of `n`, and prime to it, so that n steps reach every place once.
std::size_t GoldenStep(std::size_t n) {
  auto step =
      std::max<std::size_t>(1, static_cast<std::size_t>(kGoldenRatio * static_cast<double>(n)));
  while (std::gcd(step, n) != 1) ++step;
  return step;
}

// The most that an entry may weigh: all that there is, or the mean of those above 0.
std::uint32_t MostPerEntry(std::span<const std::uint32_t> weights) {
  const auto sum = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
  const auto zeros = static_cast<std::size_t>(std::ranges::count(weights, 0U));
  const std::uint64_t count = weights.size() - zeros;
  const std::uint32_t most = std::ranges::max(weights);
  return most * count <= 2 * sum ? most : static_cast<std::uint32_t>(sum / count);
}

std::uint32_t PartsOf(std::uint32_t weight, std::uint32_t most) {
  return (weight + most - 1) / most;
}

}  // namespace

StaticStrideScheduler::StaticStrideScheduler(std::span<const std::uint32_t> weights) {
  const std::uint32_t allowed = MostPerEntry(weights);
  std::size_t count = 0;
  most_ = 0;
  for (const std::uint32_t weight : weights) {
    if (weight == 0) continue;
    const std::uint32_t parts = PartsOf(weight, allowed);
    count += parts;
    most_ = std::max(most_, PartsOf(weight, parts));  // of its parts, the heaviest
  }
  entries_.resize(count);
  const std::size_t step = GoldenStep(count);
  std::size_t place = 0;
  for (std::uint32_t index = 0; index < weights.size(); ++index) {
    const std::uint32_t parts = PartsOf(weights[index], allowed);
    for (std::uint32_t part = 0; part < parts; ++part) {
      // Whole numbers that add up to the weight: of 5 in 2 parts, 2 and 3.
      const std::uint32_t weight = weights[index] / parts + (part < weights[index] % parts ? 1 : 0);
      // The fraction of place · golden ratio, in 2^-32.
      const auto turn =
          static_cast<std::uint32_t>(place * static_cast<std::uint64_t>(kGoldenRatio * 0x1p32));
      entries_[place] = {static_cast<std::uint16_t>(weight),
                         static_cast<std::uint16_t>((std::uint64_t{turn} * most_) >> 32), index};
      place = (place + step) % count;
    }
  }
}

}  // namespace turnout::balance
