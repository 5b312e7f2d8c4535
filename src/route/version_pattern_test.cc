#include "src/route/version_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace turnout::route {
namespace {

using ::testing::HasSubstr;

bool Matches(std::string_view pattern, std::string_view version) {
  const auto parsed = VersionPattern::Parse(pattern);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return parsed.ok() && parsed->Matches(version);
}

std::string ErrorOf(std::string_view pattern) {
  return std::string{VersionPattern::Parse(pattern).status().message()};
}

TEST(VersionPatternTest, AVersionIsMeantByteForByte) {
  EXPECT_TRUE(Matches("v2", "v2"));
  EXPECT_FALSE(Matches("v2", "v2.0.0"));
  EXPECT_FALSE(Matches("v2", "V2"));
  EXPECT_FALSE(Matches("v2", ""));
  EXPECT_FALSE(Matches("v2", "v22"));
  EXPECT_TRUE(Matches("2026-11 blue", "2026-11 blue"));
}

TEST(VersionPatternTest, ARangeIsOfSemanticVersions) {
  EXPECT_TRUE(Matches(">=2.1 <3", "v2.5"));
  EXPECT_TRUE(Matches("=2", "v2.0.0"));
  EXPECT_FALSE(Matches(">=2.1 <3", "3"));
  EXPECT_FALSE(Matches(">=0", "latest")) << "no semantic version is in no range";
  EXPECT_FALSE(Matches(">=0", ""));
}

TEST(VersionPatternTest, ItsTextIsKept) {
  EXPECT_EQ(VersionPattern::Parse(">=2.1  <3")->text(), ">=2.1  <3");
  EXPECT_EQ(VersionPattern::Parse("v2")->text(), "v2");
}

TEST(VersionPatternTest, WhatIsWrongIsNamed) {
  EXPECT_EQ(ErrorOf(""), "must be 1 to 256 bytes without control characters, got \"\"");
  EXPECT_EQ(ErrorOf("a\nb"), "must be 1 to 256 bytes without control characters, got \"a\\nb\"");
  EXPECT_EQ(ErrorOf(std::string(256, 'v')), "");
  EXPECT_THAT(ErrorOf(std::string(257, 'v')), HasSubstr("must be 1 to 256 bytes"));
  for (const char* const meant : {"2.1 <3", " >=2", "^2", "~2.1", "v2 ", "a=b"}) {
    EXPECT_THAT(ErrorOf(meant), HasSubstr("must be a version, or a range that begins with"))
        << meant;
  }
  EXPECT_THAT(ErrorOf("<"), HasSubstr("got \"<\""));
  EXPECT_THAT(ErrorOf(">=two"), HasSubstr("comparisons with semantic versions"));
}

}  // namespace
}  // namespace turnout::route
