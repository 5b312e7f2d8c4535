#include "src/route/match.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include <limits>

#include "src/balance/hash.h"
#include "src/route/testing.h"

namespace turnout::route {
namespace {

using testing::FakeCall;

MetadataMatch When(decltype(MetadataMatch::condition) condition) {
  return {.key = 0, .condition = std::move(condition)};
}

Regex Expression(const char* pattern) { return {std::make_shared<const RE2>(pattern)}; }

std::string WhyNot(const Match& match, const Caller& caller, const FakeCall& call) {
  const std::vector<std::string> keys = {"user", "stage"};
  CallMetadata values(call, keys);
  std::string why = match.WhyNot(caller, call.path(), values, keys);
  // Both ways of asking agree.
  const bool matches = (!match.caller.has_value() || match.caller->Matches(caller)) &&
                       match.MatchesCall(call.path(), values);
  EXPECT_EQ(why.empty(), matches) << why;
  return why;
}

TEST(MetadataMatchTest, Exact) {
  EXPECT_TRUE(When(Exact{"a"}).Matches("a"));
  EXPECT_FALSE(When(Exact{"a"}).Matches("ab"));
  EXPECT_FALSE(When(Exact{"a"}).Matches("A"));
  EXPECT_FALSE(When(Exact{"a"}).Matches(std::nullopt));
  EXPECT_TRUE(When(Exact{""}).Matches(""));
  EXPECT_FALSE(When(Exact{""}).Matches(std::nullopt));
}

TEST(MetadataMatchTest, Prefix) {
  EXPECT_TRUE(When(Prefix{"a"}).Matches("a"));
  EXPECT_TRUE(When(Prefix{"a"}).Matches("ab"));
  EXPECT_FALSE(When(Prefix{"ab"}).Matches("a"));
  EXPECT_TRUE(When(Prefix{""}).Matches(""));
  EXPECT_FALSE(When(Prefix{""}).Matches(std::nullopt));
}

TEST(MetadataMatchTest, PresentAndAbsent) {
  EXPECT_TRUE(When(Present{true}).Matches(""));
  EXPECT_FALSE(When(Present{true}).Matches(std::nullopt));
  EXPECT_FALSE(When(Present{false}).Matches(""));
  EXPECT_TRUE(When(Present{false}).Matches(std::nullopt));
}

TEST(MetadataMatchTest, ARegularExpressionMatchesTheWholeValue) {
  EXPECT_TRUE(When(Expression("a|bc*")).Matches("bcc"));
  EXPECT_FALSE(When(Expression("a|bc*")).Matches("xa"));
  EXPECT_FALSE(When(Expression("a|bc*")).Matches("ax"));
  EXPECT_TRUE(When(Expression(".*")).Matches(""));
  EXPECT_FALSE(When(Expression(".*")).Matches(std::nullopt));
}

TEST(MetadataMatchTest, AnIntegerRangeHasBothEnds) {
  const MetadataMatch match = When(IntegerRange{-5, 10});
  for (const char* const in : {"-5", "0", "10", "007", "-0"}) EXPECT_TRUE(match.Matches(in)) << in;
  for (const char* const out : {"-6", "11", "", " 1", "1 ", "+1", "1.0", "1e0", "0x1", "one", "1,2",
                                "9223372036854775808", "-9223372036854775809"}) {
    EXPECT_FALSE(match.Matches(out)) << out;
  }
  EXPECT_FALSE(match.Matches(std::nullopt));
  const MetadataMatch all = When(IntegerRange{std::numeric_limits<std::int64_t>::min(),
                                              std::numeric_limits<std::int64_t>::max()});
  EXPECT_TRUE(all.Matches("-9223372036854775808"));
  EXPECT_TRUE(all.Matches("9223372036854775807"));
}

TEST(MethodMatchTest, ExactOrPrefix) {
  const MethodMatch exact{.path = "/a.B/Get", .exact = true};
  EXPECT_TRUE(exact.Matches("/a.B/Get"));
  EXPECT_FALSE(exact.Matches("/a.B/GetAll"));
  EXPECT_FALSE(exact.Matches("/a.B/"));
  const MethodMatch prefix{.path = "/a.B/Get", .exact = false};
  EXPECT_TRUE(prefix.Matches("/a.B/Get"));
  EXPECT_TRUE(prefix.Matches("/a.B/GetAll"));
  EXPECT_FALSE(prefix.Matches("/a.B/Put"));
}

TEST(CallerMatchTest, AllThatIsNamedMustBeSo) {
  const CallerMatch match{
      .service = "shop.app", .version = *VersionPattern::Parse(">=2"), .labels = {{"zone", "a"}}};
  const Caller caller{
      .service = "shop.app", .version = "2.1", .labels = {{"zone", "a"}, {"x", ""}}};
  EXPECT_TRUE(match.Matches(caller));
  const auto with = [&](auto change) {
    Caller other = caller;
    change(other);
    return match.Matches(other);
  };
  EXPECT_FALSE(with([](Caller& other) { other.service = "shop.pay"; }));
  EXPECT_FALSE(with([](Caller& other) { other.version = "1.9"; }));
  EXPECT_FALSE(with([](Caller& other) { other.labels["zone"] = "b"; }));
  EXPECT_FALSE(with([](Caller& other) { other.labels.clear(); }));
  EXPECT_FALSE(match.Matches(Caller()));
  EXPECT_TRUE(CallerMatch().Matches(Caller()));
}

TEST(CallerMatchTest, ALabelWithoutTextIsNotAMissingOne) {
  const CallerMatch match{.service = {}, .version = {}, .labels = {{"zone", ""}}};
  EXPECT_TRUE(match.Matches({.service = "", .version = "", .labels = {{"zone", ""}}}));
  EXPECT_FALSE(match.Matches(Caller()));
}

// The numbers of any XXH64: other implementations of the rules come to the same sides.
TEST(PercentageTest, PositionsAreTheSameEverywhere) {
  EXPECT_EQ(balance::Hash(""), 0xef46db3751d8e999U) << "XXH64 of nothing, seeded with 0";
  EXPECT_DOUBLE_EQ(Percentage::Position("u-17", ""), 47.11852499616707);
  EXPECT_DOUBLE_EQ(Percentage::Position("u-18", ""), 8.071335066289997);
  EXPECT_NE(Percentage::Position("u-17", "x"), Percentage::Position("u-17", ""));
}

TEST(PercentageTest, NobodyAtZeroEverybodyAtAHundred) {
  for (int user = 0; user < 10'000; ++user) {
    const std::string name = "u-" + std::to_string(user);
    EXPECT_FALSE((Percentage{.key = 0, .percent = 0, .salt = ""}.Matches(name)));
    EXPECT_TRUE((Percentage{.key = 0, .percent = 100, .salt = ""}.Matches(name)));
  }
  EXPECT_FALSE((Percentage{.key = 0, .percent = 100, .salt = ""}.Matches(std::nullopt)));
}

TEST(PercentageTest, SharesAreAsLargeAsTheySay) {
  for (const double percent : {1.0, 5.0, 50.0, 99.5}) {
    const Percentage share{.key = 0, .percent = percent, .salt = "checkout"};
    int in = 0;
    for (int user = 0; user < 100'000; ++user) in += share.Matches("u-" + std::to_string(user));
    EXPECT_NEAR(in / 1000.0, percent, 0.5);
  }
}

// With the same salt whoever is in 10% is in 20% too; with another one, one in five is.
TEST(PercentageTest, SaltsMakeSharesIndependent) {
  int in_both = 0;
  int in_both_salted = 0;
  int in = 0;
  for (int user = 0; user < 100'000; ++user) {
    const std::string name = "u-" + std::to_string(user);
    if (!Percentage{.key = 0, .percent = 10, .salt = "a"}.Matches(name)) continue;
    ++in;
    in_both += Percentage{.key = 0, .percent = 20, .salt = "a"}.Matches(name);
    in_both_salted += Percentage{.key = 0, .percent = 20, .salt = "b"}.Matches(name);
  }
  EXPECT_EQ(in_both, in);
  EXPECT_NEAR(in_both_salted, in * 0.2, in * 0.02);
}

TEST(CallMetadataTest, LooksEachKeyUpOnceAndOnlyWhenAsked) {
  FakeCall call;
  call.Set("user", "u-17");
  const std::vector<std::string> keys = {"user", "stage", "unasked"};
  CallMetadata values(call, keys);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(values.At(0), "u-17");
    EXPECT_EQ(values.At(1), std::nullopt);
  }
  EXPECT_EQ(call.lookups, (std::map<std::string, int>{{"user", 1}, {"stage", 1}}));
}

TEST(MatchTest, TheFirstConditionThatDoesNotHoldIsNamed) {
  const Match match{
      .caller = CallerMatch{.service = "shop.app",
                            .version = *VersionPattern::Parse("v2"),
                            .labels = {{"zone", "a"}}},
      .method = MethodMatch{.path = "/a.B/Get", .exact = true},
      .metadata = {{.key = 0, .condition = Prefix{"u-"}}, {.key = 1, .condition = Exact{"canary"}}},
      .percentage = Percentage{.key = 0, .percent = 10, .salt = ""}};
  Caller caller;
  FakeCall call("/a.B/Put");
  EXPECT_EQ(WhyNot(match, caller, call), "caller.service is not set, not shop.app");
  caller.service = "shop.pay";
  EXPECT_EQ(WhyNot(match, caller, call), "caller.service is shop.pay, not shop.app");
  caller.service = "shop.app";
  caller.version = "v1";
  EXPECT_EQ(WhyNot(match, caller, call), "caller.version is v1, not v2");
  caller.version = "v2";
  EXPECT_EQ(WhyNot(match, caller, call), "caller.labels.zone is not set, not a");
  caller.labels["zone"] = "b";
  EXPECT_EQ(WhyNot(match, caller, call), "caller.labels.zone is b, not a");
  caller.labels["zone"] = "a";
  EXPECT_EQ(WhyNot(match, caller, call), "the method is /a.B/Put, not /a.B/Get");
  FakeCall right("/a.B/Get");
  EXPECT_EQ(WhyNot(match, caller, right), "metadata user is absent, not what begins with u-");
  right.Set("user", "x");
  EXPECT_EQ(WhyNot(match, caller, right), "metadata user is x, not what begins with u-");
  right.Set("user", "u-17");
  EXPECT_EQ(WhyNot(match, caller, right), "metadata stage is absent, not canary");
  right.Set("stage", "canary");
  EXPECT_EQ(WhyNot(match, caller, right),
            "metadata user is u-17, which stands at 47.118525%, not below 10%");
  right.Set("user", "u-18");
  EXPECT_EQ(WhyNot(match, caller, right), "");
}

TEST(MatchTest, EveryConditionHasItsWords) {
  const auto why = [](const Match& match, const FakeCall& call) { return WhyNot(match, {}, call); };
  const auto metadata = [&](decltype(MetadataMatch::condition) condition) {
    Match match;
    match.metadata.push_back(When(std::move(condition)));
    return why(match, FakeCall().Set("user", "7"));
  };
  EXPECT_EQ(metadata(Present{false}), "metadata user is 7, not absent");
  EXPECT_EQ(metadata(Expression("[a-z]+")), "metadata user is 7, not what matches [a-z]+");
  EXPECT_EQ(metadata(IntegerRange{8, 9}), "metadata user is 7, not 8 to 9");
  Match present;
  present.metadata.push_back(When(Present{true}));
  EXPECT_EQ(why(present, FakeCall()), "metadata user is absent, not there");
  Match prefix;
  prefix.method = MethodMatch{.path = "/a.B/", .exact = false};
  EXPECT_EQ(why(prefix, FakeCall("/a.C/Get")), "the method is /a.C/Get, not one of /a.B/…");
  Match share;
  share.percentage = Percentage{.key = 0, .percent = 100, .salt = ""};
  EXPECT_EQ(why(share, FakeCall()), "metadata user is absent, which is in no share");
}

TEST(MatchTest, WhatCallsBringIsMadeHarmless) {
  Match match;
  match.metadata.push_back(When(Exact{"\x1b[31m"}));
  EXPECT_EQ(WhyNot(match, {}, FakeCall().Set("user", "a\nb")),
            "metadata user is a\\nb, not \\x1b[31m");
}

}  // namespace
}  // namespace turnout::route
