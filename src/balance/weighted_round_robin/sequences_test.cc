#include "src/balance/weighted_round_robin/sequences.h"

#include <gtest/gtest.h>

#include <vector>

namespace turnout::balance {
namespace {

TEST(SequencesTest, GoesOnWhileSomebodyHasIt) {
  Sequences sequences;
  auto first = sequences.For("/v1", 40);
  EXPECT_EQ(first->Next(), 40u);
  const auto second = sequences.For("/v1", 7);
  first.reset();
  EXPECT_EQ(second->Next(), 41u);
}

TEST(SequencesTest, EachKeyHasItsOwn) {
  Sequences sequences;
  const auto one = sequences.For("/v1", 1);
  const auto two = sequences.For("/v2", 1);
  EXPECT_EQ(one->Next(), 1u);
  EXPECT_EQ(two->Next(), 1u);
}

TEST(SequencesTest, BeginsAnewWhenAllHaveGone) {
  Sequences sequences;
  sequences.For("/v1", 40)->Next();
  EXPECT_EQ(sequences.For("/v1", 7)->Next(), 7u);
}

TEST(SequencesTest, DropsThoseThatNobodyHas) {
  Sequences sequences;
  std::vector<std::shared_ptr<Sequences::Sequence>> kept;
  for (int i = 0; i < 100; ++i) kept.push_back(sequences.For("/kept-" + std::to_string(i), 5));
  for (int i = 0; i < 10'000; ++i) {
    sequences.For("/gone-" + std::to_string(i), 5);
    ASSERT_LE(sequences.size(), 2 * kept.size() + 16);
  }
  EXPECT_EQ(kept.front()->Next(), 5u);
  EXPECT_EQ(sequences.For("/kept-0", 1)->Next(), 6u);
}

}  // namespace
}  // namespace turnout::balance
