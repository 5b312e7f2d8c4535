#include "src/balance/weighted_round_robin/shared_by_key.h"

#include <gtest/gtest.h>

#include <vector>

namespace turnout::balance {
namespace {

TEST(SharedByKeyTest, StaysWhileSomebodyHasIt) {
  SharedByKey<int> numbers;
  auto first = numbers.For("/v1", 40);
  const auto second = numbers.For("/v1", 7);
  first.reset();
  EXPECT_EQ(*second, 40);
  EXPECT_EQ(numbers.For("/v1", 8), second);
}

TEST(SharedByKeyTest, EachKeyHasItsOwn) {
  SharedByKey<int> numbers;
  const auto one = numbers.For("/v1", 1);
  const auto two = numbers.For("/v2", 2);
  EXPECT_EQ(*one, 1);
  EXPECT_EQ(*two, 2);
}

TEST(SharedByKeyTest, IsMadeAnewWhenNobodyHasIt) {
  SharedByKey<int> numbers;
  numbers.For("/v1", 40);
  EXPECT_EQ(*numbers.For("/v1", 7), 7);
}

TEST(SharedByKeyTest, DropsThoseThatNobodyHas) {
  SharedByKey<int> numbers;
  std::vector<std::shared_ptr<int>> kept;
  for (int i = 0; i < 100; ++i) kept.push_back(numbers.For("/kept-" + std::to_string(i), 5));
  for (int i = 0; i < 10'000; ++i) {
    numbers.For("/gone-" + std::to_string(i), 5);
    ASSERT_LE(numbers.size(), 2 * kept.size() + 16);
  }
  EXPECT_EQ(numbers.For("/kept-0", 1), kept.front());
}

}  // namespace
}  // namespace turnout::balance
