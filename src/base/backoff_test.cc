#include "src/base/backoff.h"

#include <gtest/gtest.h>

namespace turnout::base {
namespace {

using std::chrono::milliseconds;

class Fixed final : public RandomSource {
 public:
  explicit Fixed(std::uint64_t bits) : bits_(bits) {}
  std::uint64_t Next() override { return bits_; }

 private:
  std::uint64_t bits_;
};

TEST(Backoff, DoublesUpToTheMost) {
  Fixed highest(~0ULL);
  Backoff backoff(milliseconds(100), milliseconds(500), highest);
  for (const int expected : {100, 200, 400, 500, 500}) {
    EXPECT_EQ(backoff.Next(), milliseconds(expected));
  }
}

TEST(Backoff, IsAtLeastHalfTheStep) {
  Fixed lowest(0);
  Backoff backoff(milliseconds(100), milliseconds(500), lowest);
  for (const int expected : {50, 100, 200, 250, 250}) {
    EXPECT_EQ(backoff.Next(), milliseconds(expected));
  }
}

TEST(Backoff, BeginsAgainAfterReset) {
  Fixed highest(~0ULL);
  Backoff backoff(milliseconds(100), milliseconds(500), highest);
  backoff.Next();
  backoff.Next();
  backoff.Reset();
  EXPECT_EQ(backoff.Next(), milliseconds(100));
}

}  // namespace
}  // namespace turnout::base
