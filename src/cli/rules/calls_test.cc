#include "src/cli/rules/calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace turnout::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::StartsWith;

TEST(CallerTest, IsServiceAndVersion) {
  const auto parsed = [](std::string_view text) { return CallerText(*ParseCaller(text)); };
  EXPECT_EQ(parsed("hwholiday.srv.app@v2"), "hwholiday.srv.app@v2");
  EXPECT_EQ(parsed("app"), "app");
  EXPECT_EQ(parsed("@v2"), "@v2");
  EXPECT_EQ(parsed(""), "not known");
  EXPECT_EQ(ParseCaller("app@v2@x")->version, "v2@x");
  EXPECT_THAT(std::string(ParseCaller("a b@v2").status().message()), StartsWith("caller: must be"));
}

TEST(CallTest, IsCallerMethodAndMetadata) {
  const auto call = ParseCall("app@v2  /pkg.Service/Method user=17 q=a=b user=18");
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_EQ(call->call.caller, (Caller{.service = "app", .version = "v2", .labels = {}}));
  EXPECT_EQ(call->call.path, "/pkg.Service/Method");
  EXPECT_THAT(call->call.metadata, ElementsAre(Pair("q", "a=b"), Pair("user", "17,18")));
  EXPECT_EQ(ParseCall("@ pkg.Service/Method")->call.path, "/pkg.Service/Method");

  const auto message = [](std::string_view text) {
    return std::string(ParseCall(text).status().message());
  };
  EXPECT_THAT(message("app@v2"), StartsWith("call: must be like"));
  EXPECT_THAT(message("app@v2 Method"), StartsWith("method: must be like /pkg.Service/Method"));
  EXPECT_THAT(message("app@v2 /a/b user"), StartsWith("metadata: must be KEY=VALUE"));
  EXPECT_THAT(message("app@v2 /a/b User=1"), StartsWith("metadata: must be"));
}

TEST(RecordedCallsTest, EqualOnesAreCountedTogether) {
  const auto calls = ParseRecordedCalls(R"(
{"service":"srv.user","caller":{"service":"app","version":"v2","labels":{"zone":"a"}},"method":"/a/b","metadata":{"user":"17"},"count":100}
{"method":"/a/c"}

{"service":"srv.user","caller":{"service":"app","version":"v2","labels":{"zone":"a"}},"method":"/a/b","metadata":{"user":"17"},"count":100}
{"service":"srv.other","method":"/a/d"}
)",
                                        "srv.user");
  ASSERT_TRUE(calls.ok()) << calls.status();
  ASSERT_THAT(*calls, SizeIs(2));
  EXPECT_EQ(calls->at(0).call.path, "/a/c");
  EXPECT_EQ(calls->at(0).count, 1);
  EXPECT_EQ(calls->at(1).count, 200);
  EXPECT_EQ(CallerText(calls->at(1).call.caller), "app@v2 zone=a");
  EXPECT_EQ(MetadataText(calls->at(1).call), "user=17");
  EXPECT_THAT(*ParseRecordedCalls(R"({"service":"srv.other","method":"/a/d"})", ""), SizeIs(1));
}

TEST(RecordedCallsTest, SaysWhichLineIsWrong) {
  const auto message = [](std::string_view line) {
    return std::string(
        ParseRecordedCalls("{\"method\":\"/a/b\"}\n" + std::string(line), "s").status().message());
  };
  EXPECT_EQ(message("nonsense"), "line 2: must be a JSON object");
  EXPECT_EQ(message("{}"), "line 2: method: missing");
  EXPECT_THAT(message(R"({"method":"/a/b","count":0})"), StartsWith("line 2: count: "));
  EXPECT_THAT(message(R"({"method":"/a/b","metadata":{"a":1}})"), StartsWith("line 2: metadata: "));
  EXPECT_THAT(message(R"({"method":"/a/b","caller":{"name":"x"}})"),
              HasSubstr("caller.name: must be"));
  EXPECT_THAT(message(R"({"method":"/a/b","more":1})"), StartsWith("line 2: more: unknown"));
}

}  // namespace
}  // namespace turnout::cli
