#include "src/route/semantic_version.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace turnout::route {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SemanticVersion Version(std::string_view text) {
  const auto version = SemanticVersion::Parse(text);
  EXPECT_TRUE(version.has_value()) << text;
  return version.value_or(SemanticVersion());
}

bool InRange(std::string_view range, std::string_view version) {
  const auto parsed = VersionRange::Parse(range);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return parsed.ok() && parsed->Contains(Version(version));
}

std::string RangeError(std::string_view range) {
  return std::string{VersionRange::Parse(range).status().message()};
}

TEST(SemanticVersionTest, ThreeNumbersAndAPreRelease) {
  const SemanticVersion version = Version("12.3.45-rc.1.x-y+build.7");
  EXPECT_EQ(version.major, 12u);
  EXPECT_EQ(version.minor, 3u);
  EXPECT_EQ(version.patch, 45u);
  EXPECT_THAT(version.pre_release, ElementsAre("rc", "1", "x-y"));
  EXPECT_THAT(Version("1.2.3").pre_release, IsEmpty());
  EXPECT_EQ(Version("18446744073709551615.0.0").major, 18446744073709551615u);
}

TEST(SemanticVersionTest, WhatIsLeftOutIsZero) {
  EXPECT_EQ(Version("2"), Version("2.0.0"));
  EXPECT_EQ(Version("v2.1"), Version("2.1.0"));
  EXPECT_EQ(Version("v2-rc.1"), Version("2.0.0-rc.1"));
  EXPECT_NE(Version("2.1"), Version("2.1.1"));
}

TEST(SemanticVersionTest, OtherTextIsNone) {
  for (const char* const text : {"",
                                 "v",
                                 "V2",
                                 "vv2",
                                 "latest",
                                 "1.",
                                 ".1",
                                 "1..2",
                                 "1.2.3.4",
                                 "01",
                                 "1.02",
                                 "-1",
                                 "+1",
                                 " 1",
                                 "1 ",
                                 "1.x",
                                 "1.0.0-",
                                 "1.0.0-a..b",
                                 "1.0.0-ä",
                                 "1.0.0+",
                                 "1.0.0+a+b",
                                 "1.0.0-a_b",
                                 "18446744073709551616",
                                 "0x1",
                                 "1,2"}) {
    EXPECT_FALSE(SemanticVersion::Parse(text).has_value()) << text;
  }
  EXPECT_TRUE(SemanticVersion::Parse("1-" + std::string(254, 'a')).has_value());
  EXPECT_FALSE(SemanticVersion::Parse("1-" + std::string(255, 'a')).has_value());
}

// The order in semver.org's own example, with more at its ends.
TEST(SemanticVersionTest, Precedence) {
  const char* const kInOrder[] = {"0",
                                  "0.0.1",
                                  "0.1",
                                  "0.10",
                                  "1.0.0-0",
                                  "1.0.0-2",
                                  "1.0.0-10",
                                  "1.0.0-99999999999999999999",
                                  "1.0.0-100000000000000000000",
                                  "1.0.0-alpha",
                                  "1.0.0-alpha.1",
                                  "1.0.0-alpha.beta",
                                  "1.0.0-beta",
                                  "1.0.0-beta.2",
                                  "1.0.0-beta.11",
                                  "1.0.0-rc.1",
                                  "1.0.0",
                                  "1.0.1",
                                  "1.1.0-a",
                                  "1.1.0",
                                  "2.0.0",
                                  "10.0.0"};
  for (std::size_t a = 0; a < std::size(kInOrder); ++a) {
    for (std::size_t b = 0; b < std::size(kInOrder); ++b) {
      EXPECT_EQ(Version(kInOrder[a]) <=> Version(kInOrder[b]), a <=> b)
          << kInOrder[a] << " and " << kInOrder[b];
    }
  }
}

TEST(SemanticVersionTest, BuildMetadataDoesNotCount) {
  EXPECT_EQ(Version("1.0.0+a"), Version("1.0.0+b"));
  EXPECT_EQ(Version("1.0.0-rc.1+a"), Version("1.0.0-rc.1"));
}

TEST(VersionRangeTest, EachComparison) {
  struct Case {
    const char* range;
    bool below, equal, above;  // of 2.1
  };
  for (const Case& each : {Case{">=2.1", false, true, true}, Case{">2.1", false, false, true},
                           Case{"<=2.1", true, true, false}, Case{"<2.1", true, false, false},
                           Case{"=2.1", false, true, false}}) {
    EXPECT_EQ(InRange(each.range, "2.0.9"), each.below) << each.range;
    EXPECT_EQ(InRange(each.range, "2.1.0"), each.equal) << each.range;
    EXPECT_EQ(InRange(each.range, "2.1.1"), each.above) << each.range;
  }
}

TEST(VersionRangeTest, AllComparisonsHold) {
  EXPECT_FALSE(InRange(">=2.1 <3", "2.0.9"));
  EXPECT_TRUE(InRange(">=2.1 <3", "2.1"));
  EXPECT_TRUE(InRange(">=2.1 <3", "v2.99"));
  EXPECT_FALSE(InRange(">=2.1 <3", "3"));
  EXPECT_TRUE(InRange(">=2.1   <v3  ", "2.1"));
}

TEST(VersionRangeTest, APreReleaseMustBeAskedFor) {
  EXPECT_FALSE(InRange(">=2.1 <3", "3.0.0-rc.1")) << "lower than 3, but no 2";
  EXPECT_FALSE(InRange(">=2.1", "2.2.0-rc.1"));
  EXPECT_TRUE(InRange(">=3.0.0-rc.0", "3.0.0-rc.1"));
  EXPECT_FALSE(InRange(">=3.0.0-rc.2", "3.0.0-rc.1"));
  EXPECT_FALSE(InRange(">=3.0.0-rc.0", "3.0.1-rc.1")) << "of other numbers";
  EXPECT_TRUE(InRange(">=3.0.0-rc.0", "3.0.1"));
  EXPECT_TRUE(InRange(">=2 <3.0.0-rc.5", "3.0.0-rc.4"));
  EXPECT_FALSE(InRange(">=2 <3.0.0-rc.5", "3.0.0-rc.5"));
}

TEST(VersionRangeTest, WhatIsWrongIsNamed) {
  EXPECT_EQ(RangeError(">=2.1 3"),
            "must be comparisons with semantic versions like \">=2.1 <3\", got \"3\" in it");
  EXPECT_THAT(RangeError(">=latest"), HasSubstr("got \">=latest\""));
  EXPECT_THAT(RangeError(">= 2"), HasSubstr("got \">=\""));
  EXPECT_THAT(RangeError("=>2"), HasSubstr("got \"=>2\""));
  EXPECT_THAT(RangeError(">=2\t<3"), HasSubstr("got \">=2\\t<3\""));
  EXPECT_EQ(RangeError(""), "must be 1 to 16 comparisons, got 0");
  std::string range;
  for (int i = 0; i < 16; ++i) range += ">=1 ";
  EXPECT_EQ(RangeError(range), "");
  EXPECT_EQ(RangeError(range + "<2"), "must be 1 to 16 comparisons, got 17");
}

}  // namespace
}  // namespace turnout::route
