// Random numbers for choices, injected so that tests can script them.
#ifndef TURNOUT_SRC_BASE_RANDOM_H_
#define TURNOUT_SRC_BASE_RANDOM_H_

#include <cstdint>

namespace turnout::base {

__extension__ using Uint128 = unsigned __int128;

class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual std::uint64_t Next() = 0;  // 64 uniform bits

  // Uniform in [0, n), n > 0, by multiplication (Lemire, 2019; bias below n / 2^64).
  std::uint64_t Below(std::uint64_t n) {
    return static_cast<std::uint64_t>((static_cast<Uint128>(Next()) * n) >> 64);
  }
  // Uniform in [0, 1).
  double Fraction() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
};

// Numbers from a generator that each calling thread has for itself (xoshiro256++), seeded from the
// system. Lock-free; the reference may be kept, and used by any thread.
RandomSource& ThreadRandom();

}  // namespace turnout::base

#endif  // TURNOUT_SRC_BASE_RANDOM_H_
