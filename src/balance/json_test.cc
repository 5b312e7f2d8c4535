#include "src/balance/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace turnout::balance {
namespace {

using ::testing::HasSubstr;

std::string ErrorOf(std::string_view text) {
  return std::string(ParseJson(text).status().message());
}

std::string Nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(JsonTest, ParsesValues) {
  const auto value = ParseJson(R"({"a":[1,{"a":2}],"b":{"a":3}})");
  ASSERT_TRUE(value.ok()) << value.status();
  EXPECT_EQ((*value)["a"][1]["a"], 2);
}

TEST(JsonTest, SyntaxErrorsHaveAPosition) {
  EXPECT_EQ(ErrorOf("{\n\"a\": }"),
            "not valid JSON: parse error at line 2, column 6: syntax error while parsing value - "
            "unexpected '}'; expected '[', '{', or a literal");
  EXPECT_EQ(ErrorOf(""),
            "not valid JSON: parse error at line 1, column 1: syntax error while parsing value - "
            "unexpected end of input; expected '[', '{', or a literal");
}

TEST(JsonTest, MessagesDoNotRepeatInvalidBytes) {
  EXPECT_EQ(ErrorOf("\"\xff\""),
            "not valid JSON: parse error at line 1, column 2: syntax error while parsing value - "
            "invalid string: ill-formed UTF-8 byte");
}

TEST(JsonTest, AKeyMustNotStandTwice) {
  EXPECT_EQ(ErrorOf(R"({"a":1,"b":{"a":1,"c":[],"c":2}})"),
            "the key \"c\" stands twice in one object");
}

TEST(JsonTest, DepthIsLimited) {
  EXPECT_TRUE(ParseJson(Nested(64)).ok());
  EXPECT_THAT(ErrorOf(Nested(65)), HasSubstr("at most 64"));
  EXPECT_THAT(ErrorOf(Nested(500'000)), HasSubstr("at most 64"));
}

TEST(JsonTest, SizeIsLimited) {
  EXPECT_THAT(ErrorOf("\"" + std::string(1024 * 1024, 'x') + "\""), HasSubstr("1048576 bytes"));
}

TEST(JsonTest, ShownShortens) {
  EXPECT_EQ(Shown(nlohmann::json::parse(R"({"a":[1.5,"ü"]})")), R"({"a":[1.5,"\u00fc"]})");
  EXPECT_EQ(Shown(std::string(100, 'x')), "\"" + std::string(63, 'x') + "…");
}

}  // namespace
}  // namespace turnout::balance
