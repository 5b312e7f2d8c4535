// Exponential backoff with full jitter below each step: delay n is uniform in
// [step/2, step], step = min(most, first · 2^n).
#ifndef TURNOUT_SRC_BASE_BACKOFF_H_
#define TURNOUT_SRC_BASE_BACKOFF_H_

#include <algorithm>
#include <chrono>

#include "src/base/random.h"

namespace turnout::base {

class Backoff {
 public:
  using Milliseconds = std::chrono::milliseconds;

  Backoff(Milliseconds first, Milliseconds most, RandomSource& random = ThreadRandom())
      : first_(first), most_(most), step_(first), random_(random) {}

  Milliseconds Next() {
    const auto half = step_ / 2;
    const auto delay =
        half + Milliseconds(random_.Below(static_cast<std::uint64_t>((step_ - half).count()) + 1));
    step_ = std::min(most_, step_ * 2);
    return delay;
  }
  void Reset() { step_ = first_; }

 private:
  const Milliseconds first_, most_;
  Milliseconds step_;
  RandomSource& random_;
};

}  // namespace turnout::base

#endif  // TURNOUT_SRC_BASE_BACKOFF_H_
