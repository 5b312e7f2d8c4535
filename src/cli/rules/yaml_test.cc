#include "src/cli/rules/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace turnout::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

std::string ToText(std::string_view yaml) {
  const auto json = ParseYaml(yaml);
  return json.ok() ? json->dump() : std::string{json.status().message()};
}

TEST(YamlTest, TellsTextFromNumbersAndBooleans) {
  EXPECT_EQ(ToText("[v2, \"2\", '2', 2, -2, +2, 2.5, 1e3, .5, 0x1F, 0o17, 007]"),
            R"(["v2","2","2",2,-2,2,2.5,1000.0,0.5,31,15,7])");
  EXPECT_EQ(
      ToText("[true, False, \"true\", yes, no, on, 'null', ~, null, , 1.2.3, 1h, '>=2', 0.5s]"),
      R"([true,false,"true","yes","no","on","null",null,null,null,"1.2.3","1h",">=2","0.5s"])");
  EXPECT_EQ(ToText("[., -, e3, 1e, 0x, 0xg, '', !!str 5]"),
            R"([".","-","e3","1e","0x","0xg","","5"])");
  EXPECT_EQ(ToText("9223372036854775807"), "9223372036854775807");
}

TEST(YamlTest, KeepsTheOrderAndFollowsAliases) {
  EXPECT_EQ(ToText("rules:\n"
                   "- name: b\n"
                   "  route: &r {destinations: [{version: v1}]}\n"
                   "- name: a  # a comment\n"
                   "  route: *r\n"),
            R"({"rules":[{"name":"b","route":{"destinations":[{"version":"v1"}]}},)"
            R"({"name":"a","route":{"destinations":[{"version":"v1"}]}}]})");
  EXPECT_EQ(ToText("message: |\n  two\n  lines\n"), R"({"message":"two\nlines\n"})");
  EXPECT_EQ(ToText("2: x\ntrue: y\n"), R"({"2":"x","true":"y"})");
  EXPECT_EQ(ToText(""), "null");
  EXPECT_EQ(ToText(R"({"a": [1, "2"]})"), R"({"a":[1,"2"]})");
}

TEST(YamlTest, SaysWhereItIsWrong) {
  EXPECT_THAT(ToText("a: 1\nb: [1, 2\nc: 3\n"), MatchesRegex("[0-9]+:[0-9]+: .*"));
  EXPECT_THAT(ToText("a: 1\n  b: 2\n"), StartsWith("2:4: "));
  EXPECT_THAT(ToText("version: >=2\n"), StartsWith("1:11: "));  // a folded text begins with >
  EXPECT_EQ(ToText("a: 1\nb: 2\na: 3\n"), "3:1: the key a stands twice in one object");
  EXPECT_EQ(ToText("? [1]\n: 2\n"), "1:3: a key must be a word");
  EXPECT_EQ(ToText("a: !mine 5\n"), "1:4: the tag !mine means nothing here");
  EXPECT_EQ(ToText("a: .inf\n"), "1:4: .inf is no number in JSON");
  EXPECT_EQ(ToText("a: 9223372036854775808\n"), "1:4: 9223372036854775808 is too large a number");
  EXPECT_EQ(ToText("a: 1\n---\nb: 1\n"), "3:1: only one document is wanted");
  EXPECT_EQ(ToText("a: 1e999\n"), "has a number beyond the range of a double");
}

TEST(YamlTest, IsNotBlownUp) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 1; j < 10; ++j) bomb += ", " + before;
    bomb += "]\n";
  }
  EXPECT_THAT(ToText(bomb), HasSubstr("is too large"));
  EXPECT_THAT(ToText(std::string(100, '[') + std::string(100, ']')),
              HasSubstr("is nested too deeply"));
  EXPECT_THAT(ToText(std::string(100'000, '[')), HasSubstr(":"));
  EXPECT_THAT(ToText("a: &a [*a]\n"), HasSubstr(":"));
}

}  // namespace
}  // namespace turnout::cli
