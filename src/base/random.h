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
// system; in a thread with a ScopedRandom, that one's. Lock-free; the reference may be kept, and
// used by any thread.
RandomSource& ThreadRandom();

// From now until this object goes, ThreadRandom() in this thread draws from `source`. They nest.
class ScopedRandom {
 public:
  explicit ScopedRandom(RandomSource& source);
  ~ScopedRandom();
  ScopedRandom(const ScopedRandom&) = delete;
  ScopedRandom& operator=(const ScopedRandom&) = delete;

 private:
  RandomSource* const before_;
};

// A fixed sequence of good random numbers (SplitMix64, Steele et al., 2014).
class SeededRandom final : public RandomSource {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next() override;

 private:
  std::uint64_t state_;
};

}  // namespace turnout::base

#endif  // TURNOUT_SRC_BASE_RANDOM_H_
