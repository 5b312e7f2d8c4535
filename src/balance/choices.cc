#include "src/balance/choices.h"

#include <algorithm>

namespace turnout::balance {

Choices::Choices(std::size_t n, std::size_t count, base::RandomSource& random)
    : size_(std::min(n, count)) {
  std::array<std::size_t, kMost> ascending;
  for (std::size_t drawn = 0; drawn < size_; ++drawn) {
    // A place among those that are left. If 1 and 4 are taken, 0 1 2 3 … mean 0 2 3 5 ….
    std::size_t index = random.Below(n - drawn);
    std::size_t smaller = 0;
    while (smaller < drawn && ascending[smaller] <= index) {
      ++smaller;
      ++index;
    }
    std::copy_backward(ascending.begin() + smaller, ascending.begin() + drawn,
                       ascending.begin() + drawn + 1);
    ascending[smaller] = index;
    indices_[drawn] = index;
  }
}

}  // namespace turnout::balance
