// The few endpoints that "two or more random choices" compares.
#ifndef TURNOUT_SRC_BALANCE_CHOICES_H_
#define TURNOUT_SRC_BALANCE_CHOICES_H_

#include <array>
#include <cstddef>
#include <span>

#include "src/base/random.h"

namespace turnout::balance {

class Choices {
 public:
  static constexpr std::size_t kMost = 10;

  // `count` of the indices below `n`, all different, each equally likely at each place; all of
  // them, in random order, if there are no more. `n` is above 0, `count` 1 to kMost. One random
  // number for each; no allocation.
  Choices(std::size_t n, std::size_t count, base::RandomSource& random);

  std::span<const std::size_t> indices() const { return {indices_.data(), size_}; }

 private:
  std::array<std::size_t, kMost> indices_;
  std::size_t size_;
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_CHOICES_H_
