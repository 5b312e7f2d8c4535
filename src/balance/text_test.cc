#include "src/balance/text.h"

#include <gtest/gtest.h>

#include <vector>

namespace turnout::balance {
namespace {

TEST(TextTest, PrintableEscapesAndShortens) {
  EXPECT_EQ(Printable("v1"), "v1");
  EXPECT_EQ(Printable(""), "\"\"");
  EXPECT_EQ(Printable("a\nb\xff"), "a\\nb\\xff");
  EXPECT_EQ(Printable("abcdef", 3), "abc…");
  EXPECT_EQ(Printable("abc", 3), "abc");
}

TEST(TextTest, CountedKnowsThePlural) {
  EXPECT_EQ(Counted(0, "instance"), "0 instances");
  EXPECT_EQ(Counted(1, "instance"), "1 instance");
  EXPECT_EQ(Counted(2, "instance"), "2 instances");
}

TEST(TextTest, ClosestFindsMisspellings) {
  const std::vector<std::string> words = {"child", "key", "whenAbsent"};
  EXPECT_EQ(Closest("chidl", words), "child");
  EXPECT_EQ(Closest("chil", words), "child");
  EXPECT_EQ(Closest("whenabsent", words), "whenAbsent");
  EXPECT_EQ(Closest("kee", words), "key");
  EXPECT_EQ(Closest("xyz", words), "");
  EXPECT_EQ(Closest("k", words), "");
  EXPECT_EQ(Closest("", words), "");
  EXPECT_EQ(Closest(std::string(100'000, 'k'), words), "");
}

TEST(TextTest, DidYouMean) {
  const std::vector<std::string> words = {"random"};
  EXPECT_EQ(DidYouMean("randon", words), "; did you mean random?");
  EXPECT_EQ(DidYouMean("version", words), "");
}

TEST(TextTest, Listed) {
  EXPECT_EQ(Listed({}), "");
  EXPECT_EQ(Listed(std::vector<std::string>{"a", "b"}), "a, b");
}

}  // namespace
}  // namespace turnout::balance
