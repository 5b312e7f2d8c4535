#include "src/base/random.h"

#include <bit>
#include <random>
#include <utility>

namespace turnout::base {
namespace {

// xoshiro256++ 1.0 (Blackman and Vigna, 2019): 256 bits of state, a few cycles a number.
class Xoshiro {
 public:
  Xoshiro() {
    std::random_device system;
    for (std::uint64_t& word : state_) {
      word = (static_cast<std::uint64_t>(system()) << 32) | system();
    }
    state_[0] |= 1;  // all zero is the one state it cannot leave
  }

  std::uint64_t Next() {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

 private:
  std::uint64_t state_[4];
};

thread_local constinit RandomSource* scoped_source = nullptr;

class OfCallingThread final : public RandomSource {
 public:
  std::uint64_t Next() override {
    if (scoped_source != nullptr) [[unlikely]] {
      return scoped_source->Next();
    }
    thread_local Xoshiro generator;
    return generator.Next();
  }
};

}  // namespace

RandomSource& ThreadRandom() {
  // Leaked: threads of the library go on while the process ends.
  static OfCallingThread& source = *new OfCallingThread;
  return source;
}

ScopedRandom::ScopedRandom(RandomSource& source) : before_(std::exchange(scoped_source, &source)) {}
ScopedRandom::~ScopedRandom() { scoped_source = before_; }

std::uint64_t SeededRandom::Next() {
  state_ += 0x9e3779b97f4a7c15;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

}  // namespace turnout::base
