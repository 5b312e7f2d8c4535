#include "src/model/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace turnout::model {
namespace {

using testing::ElementsAre;

TEST(Text, QuotedEscapesWhatIsNotPrintable) {
  EXPECT_EQ(Quoted("plain"), "\"plain\"");
  EXPECT_EQ(Quoted("a\n\"b\"\x1b[31m"), R"("a\n\"b\"\x1b[31m")");
  EXPECT_EQ(Quoted(std::string_view("\0\xff", 2)), R"("\x00\xff")");
}

TEST(Text, QuotedShowsTheFirst64Bytes) {
  EXPECT_EQ(Quoted(std::string(64, 'x')), "\"" + std::string(64, 'x') + "\"");
  EXPECT_EQ(Quoted(std::string(1 << 20, 'x')), "\"" + std::string(64, 'x') + "…\"");
}

TEST(Text, Trimmed) {
  EXPECT_EQ(Trimmed(" a b\r\n"), "a b");
  EXPECT_EQ(Trimmed(" \t"), "");
  EXPECT_EQ(Trimmed(""), "");
}

TEST(Text, SplitKeepsEmptyParts) {
  EXPECT_THAT(Split("a,,b", ','), ElementsAre("a", "", "b"));
  EXPECT_THAT(Split("", ','), ElementsAre(""));
  EXPECT_THAT(Split(",", ','), ElementsAre("", ""));
}

}  // namespace
}  // namespace turnout::model
