#include "src/balance/hash.h"

#include <gtest/gtest.h>

namespace turnout::balance {
namespace {

// As other implementations give them.
TEST(HashTest, IsXxh64) {
  EXPECT_EQ(Hash(""), 0xef46db3751d8e999u);
  EXPECT_EQ(Hash("a"), 0xd24ec4f1a98c6e5bu);
  EXPECT_EQ(Hash("abc"), 0x44bc2cf5ad770999u);
  EXPECT_EQ(Hash("Nobody inspects the spammish repetition"), 0xfbcea83c8a378bf1u);
}

TEST(HashTest, TheSeedCounts) {
  EXPECT_EQ(Hash("abc", 1), Hash("abc", 1));
  EXPECT_NE(Hash("abc", 1), Hash("abc", 2));
}

TEST(HashTest, EveryByteCounts) {
  EXPECT_NE(Hash(std::string_view("a\0b", 3)), Hash(std::string_view("a\0c", 3)));
  EXPECT_NE(Hash(std::string_view("a\0", 2)), Hash("a"));
}

}  // namespace
}  // namespace turnout::balance
