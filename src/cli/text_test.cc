#include "src/cli/text.h"

#include <gtest/gtest.h>

namespace turnout::cli {
namespace {

const Paint kPlain(false);
const Paint kColours(true);

TEST(PrintableTest, KeepsTextAndDefusesControlCharacters) {
  EXPECT_EQ(Printable("v1 — größer"), "v1 — größer");
  EXPECT_EQ(Printable("a\x1b[31mb\nc\td\x7f"), "a?[31mb?c?d?");
  EXPECT_EQ(Printable("\xC2\x9B"
                      "31m"),
            "?31m");
  EXPECT_EQ(Printable("\xC2\xA0"), "\xC2\xA0");
  EXPECT_EQ(Printable("\xC2"), "\xC2");
}

TEST(DisplayWidthTest, CountsCodePointsAndNoColours) {
  EXPECT_EQ(DisplayWidth(""), 0U);
  EXPECT_EQ(DisplayWidth("v1 ×2"), 5U);
  EXPECT_EQ(DisplayWidth(kColours.Green("ok")), 2U);
  EXPECT_EQ(DisplayWidth("ab\x1b["), 2U);
}

TEST(PaintTest, LeavesTextAloneWhenOff) {
  EXPECT_EQ(kPlain.Red("x"), "x");
  EXPECT_EQ(kColours.Red("x"), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(kColours.Red(""), "");
}

TEST(TableTest, AlignsColumns) {
  Table table({"VERSION", "ADDRESS", "ID"});
  table.Add({"v1", "127.0.0.1:40001", "app-1"});
  table.Add({"v2-größer", "h:1", "app-2"});
  EXPECT_EQ(table.ToString(kPlain),
            "VERSION    ADDRESS          ID\n"
            "v1         127.0.0.1:40001  app-1\n"
            "v2-größer  h:1              app-2\n");
}

TEST(TableTest, LeavesOutEmptyColumnsAndTrailingBlanks) {
  Table table({"A", "B", "C", "D"});
  table.Add({"1", "", "2", ""});
  table.Add({"", "", "3", "4"});
  table.Add({"5", "", "", ""});
  EXPECT_EQ(table.ToString(kPlain, "  "),
            "  A  C  D\n"
            "  1  2\n"
            "     3  4\n"
            "  5\n");
}

TEST(TableTest, ColoursDoNotDisturbTheAlignment) {
  Table table({"S", "N"});
  table.Add({kColours.Green("up"), "1"});
  table.Add({"down", "2"});
  EXPECT_EQ(table.ToString(kPlain), "S     N\n" + kColours.Green("up") + "    1\ndown  2\n");
}

}  // namespace
}  // namespace turnout::cli
