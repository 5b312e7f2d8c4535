// What a seed decides: the same numbers for the same seed, everywhere.
#ifndef TURNOUT_TESTS_FAULTS_RANDOM_H_
#define TURNOUT_TESTS_FAULTS_RANDOM_H_

#include <cstddef>
#include <cstdint>

namespace turnout::faults {

// SplitMix64: https://prng.di.unimi.it/splitmix64.c
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }

  // From 0 to n - 1. The bias is far below what a choice of faults could show.
  std::size_t Below(std::size_t n) { return Next() % n; }
  bool Coin() { return Below(2) == 1; }

 private:
  std::uint64_t state_;
};

}  // namespace turnout::faults

#endif  // TURNOUT_TESTS_FAULTS_RANDOM_H_
