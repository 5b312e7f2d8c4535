#include "src/model/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/model/text.h"

namespace turnout::model {
namespace {

using testing::HasSubstr;

constexpr char kService[] = "hwholiday.srv.app";
constexpr char kId[] = "app-b001e0ed-e67a-11f1-8166-5ab3373d41a7";

absl::StatusOr<Instance> Parse(std::string_view value, const RecordLimits& limits = {}) {
  return ParseRecord(kService, kId, value, limits);
}

std::string WithAddress(std::string_view address) {
  return R"({"node":{"version":"v1","address":")" + std::string(address) + R"("}})";
}

std::string With(std::string_view fields) {
  return R"({"node":{"version":"v1","address":"10.1.2.3:8089"},)" + std::string(fields) + "}";
}

std::string ErrorOf(std::string_view value, const RecordLimits& limits = {}) {
  const auto parsed = Parse(value, limits);
  EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << value;
  return std::string(Message(parsed.status()));
}

TEST(ParseRecord, WhatGoWrote) {
  const auto instance =
      Parse(R"({"node":{"name":"app","path":"/hwholiday/srv/app",)"
            R"("id":"app-b001e0ed-e67a-11f1-8166-5ab3373d41a7","version":"v1",)"
            R"("address":"10.1.2.3:8089"},"metadata":null,"endpoints":{"ApiTest":{"online":true,)"
            R"("limiting_switch":false,"limiting":10,"fuse":false,"defaults":null}}})");
  ASSERT_TRUE(instance.ok()) << instance.status();
  EXPECT_EQ(*instance, (Instance{.service = kService,
                                 .id = kId,
                                 .version = "v1",
                                 .addresses = {"10.1.2.3:8089"},
                                 .methods = {{"ApiTest", {.limiting = 10}}}}));
}

TEST(ParseRecord, OptionalPartsMayBeMissingOrNull) {
  for (const char* fields :
       {R"("x":1)", R"("metadata":null,"endpoints":null)", R"("metadata":{},"endpoints":{})"}) {
    const auto instance = Parse(With(fields));
    ASSERT_TRUE(instance.ok()) << instance.status();
    EXPECT_TRUE(instance->metadata.empty());
    EXPECT_TRUE(instance->methods.empty());
  }
}

TEST(ParseRecord, Methods) {
  const auto instance = Parse(With(
      R"("endpoints":{"A":{"online":false,"limiting_switch":true,"limiting":-1,"fuse":true,)"
      R"("defaults":"AP8="},"B":{"defaults":""},"C":null,"D":{"limiting":9223372036854775807}})"));
  ASSERT_TRUE(instance.ok()) << instance.status();
  EXPECT_EQ(instance->methods,
            (std::map<std::string, MethodSettings>{{"A",
                                                    {.online = false,
                                                     .limiting_switch = true,
                                                     .limiting = -1,
                                                     .fuse = true,
                                                     .defaults = std::string("\0\xff", 2)}},
                                                   {"B", {.defaults = ""}},
                                                   {"C", {}},
                                                   {"D", {.limiting = 9223372036854775807}}}));
}

TEST(ParseRecord, OwnFieldsStayInTheMetadata) {
  const auto instance = Parse(With(
      R"("metadata":{"team":"blue","turnout.weight":"7","turnout.zone":"z1","turnout.region":"eu",)"
      R"("turnout.state":"draining","turnout.health":"app-1","turnout.pings":"permitted",)"
      R"("turnout.ttl":"60"})"));
  ASSERT_TRUE(instance.ok()) << instance.status();
  EXPECT_EQ(instance->weight, 7);
  EXPECT_EQ(instance->locality, (Locality{.region = "eu", .zone = "z1"}));
  EXPECT_TRUE(instance->draining);
  EXPECT_EQ(instance->health_service, "app-1");
  EXPECT_TRUE(instance->permits_pings);
  EXPECT_EQ(instance->lease_ttl, std::chrono::seconds(60));
  EXPECT_EQ(instance->metadata.size(), 8);
  EXPECT_EQ(instance->metadata.at("team"), "blue");
}

TEST(ParseRecord, OwnFieldsThatAreWrongCountAsMissing) {
  for (const char* weight : {"", "x", "-1", "65536", "1.5", "7 ", "99999999999"}) {
    const auto instance = Parse(With(R"("metadata":{"turnout.weight":")" + std::string(weight) +
                                     R"(","turnout.state":"Draining","turnout.pings":"yes"})"));
    ASSERT_TRUE(instance.ok()) << instance.status();
    EXPECT_EQ(instance->weight, 1) << weight;
    EXPECT_FALSE(instance->draining);
    EXPECT_FALSE(instance->permits_pings);
  }
  EXPECT_EQ(Parse(With(R"("metadata":{"turnout.weight":"0"})"))->weight, 0);
  EXPECT_EQ(Parse(With(R"("metadata":{"turnout.weight":"65535"})"))->weight, 65535);

  const auto ttl = [](const char* text) {
    return Parse(With(R"("metadata":{"turnout.ttl":")" + std::string(text) + R"("})"))->lease_ttl;
  };
  for (const char* text : {"", "x", "-1", "0", "1", "3601", "10s", "99999999999"}) {
    EXPECT_EQ(ttl(text), std::chrono::seconds(10)) << text;
  }
  EXPECT_EQ(ttl("2"), std::chrono::seconds(2));
  EXPECT_EQ(ttl("3600"), std::chrono::seconds(3600));
}

TEST(ParseRecord, TheLastOfDuplicateKeysWins) {
  const auto instance =
      Parse(R"({"node":1,"node":{"version":"v1","version":"v2","address":"a:1"}})");
  ASSERT_TRUE(instance.ok()) << instance.status();
  EXPECT_EQ(instance->version, "v2");
}

TEST(ParseRecord, TheKeyDecidesWhoItIs) {
  const auto instance =
      Parse(R"({"node":{"name":1,"path":"/x","id":"other","version":"","address":"[0::1]:80"}})");
  ASSERT_TRUE(instance.ok()) << instance.status();
  EXPECT_EQ(instance->id, kId);
  EXPECT_EQ(instance->version, "");
  EXPECT_EQ(instance->address(), "[::1]:80");
  EXPECT_FALSE(ParseRecord(kService, "a b", WithAddress("a:1")).ok());
}

TEST(ParseRecord, ErrorsNameThePathTheAllowedAndTheFound) {
  const std::pair<std::string, std::string> kCases[] = {
      {"[]", "record: must be an object, got array"},
      {"{}", "node: must be an object, got nothing"},
      {R"({"node":null})", "node: must be an object, got nothing"},
      {R"({"node":"x"})", "node: must be an object, got \"x\""},
      {R"({"node":{}})", "node.version: must be a string, got nothing"},
      {R"({"node":{"version":1}})", "node.version: must be a string, got number"},
      {R"({"node":{"version":"v1"}})", "node.address: must be a string, got nothing"},
      {WithAddress("10.0.0.1"),
       "node.address: must be host:port or [v6]:port, port 1 to 65535, got \"10.0.0.1\""},
      {With(R"("metadata":[])"), "metadata: must be null or an object of strings, got array"},
      {With(R"("metadata":{"a.b":1})"), "metadata.a.b: must be a string, got number"},
      {With(R"("metadata":{"a\n":null})"), R"(metadata."a\n": must be a string, got null)"},
      {With(R"("endpoints":1)"), "endpoints: must be null or an object, got number"},
      {With(R"("endpoints":{"A":1})"), "endpoints.A: must be an object, got number"},
      {With(R"("endpoints":{"A":{"online":1}})"),
       "endpoints.A.online: must be true or false, got number"},
      {With(R"("endpoints":{"A":{"limiting":1.5}})"),
       "endpoints.A.limiting: must be a whole number of 64 bits, got number"},
      {With(R"("endpoints":{"A":{"limiting":9223372036854775808}})"),
       "endpoints.A.limiting: must be a whole number of 64 bits, got number"},
      {With(R"("endpoints":{"A":{"fuse":"x"}})"),
       "endpoints.A.fuse: must be true or false, got \"x\""},
      {With(R"("endpoints":{"A":{"defaults":"!"}})"),
       "endpoints.A.defaults: must be null or base64, got \"!\""}};
  for (const auto& [value, message] : kCases) EXPECT_EQ(ErrorOf(value), message);
}

TEST(ParseRecord, RefusesWhatIsNoJson) {
  for (const char* value : {"", " ", "{", "nonsense", "{\"node\":{}}x", "{'node':1}"}) {
    EXPECT_THAT(ErrorOf(value), HasSubstr("record: must be UTF-8 JSON, is not at byte")) << value;
  }
  EXPECT_THAT(ErrorOf(With("\"x\":\"\xff\"")), HasSubstr("UTF-8"));
  EXPECT_THAT(ErrorOf(With(R"("x":"\ud800")")), HasSubstr("UTF-8"));
  EXPECT_THAT(ErrorOf(With(R"("x":1e999)")), HasSubstr("range of a double"));
}

TEST(ParseRecord, RefusesAddressesThatNobodyCanCall) {
  for (const char* address : {"0.0.0.0:8089", "[::]:8089", "[0:0:0::0]:8089"}) {
    EXPECT_THAT(ErrorOf(WithAddress(address)),
                HasSubstr("must be an address that others can call, not a wildcard"));
  }
  EXPECT_THAT(ErrorOf(WithAddress(":8089")), HasSubstr("host:port"));
}

TEST(ParseRecord, UnixAddressesWhereAllowed) {
  EXPECT_THAT(ErrorOf(WithAddress("unix:/run/app.sock")), HasSubstr("unix: is not allowed here"));
  const RecordLimits allowed{.allow_unix_addresses = true};
  EXPECT_EQ(Parse(WithAddress("unix:/run/app.sock"), allowed)->address(), "unix:/run/app.sock");
  for (const std::string& path : {std::string("app.sock"), std::string(),
                                  "/" + std::string(107, 'a'), std::string(R"(/a\n)")}) {
    EXPECT_THAT(ErrorOf(WithAddress("unix:" + path), allowed), HasSubstr("absolute path"));
  }
}

TEST(ParseRecord, Limits) {
  const std::string value = With(R"("x":")" + std::string(64 * 1024, 'x') + '"');
  EXPECT_THAT(ErrorOf(value), HasSubstr("record: must be at most 65536 bytes, is "));
  EXPECT_TRUE(Parse(value, {.size_bytes = value.size()}).ok());

  const auto nested = [](int depth) {
    return With("\"x\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']'));
  };
  EXPECT_TRUE(Parse(nested(32)).ok());
  EXPECT_THAT(ErrorOf(nested(33)), HasSubstr("record: must have a depth of at most 32"));
  EXPECT_THAT(ErrorOf(std::string(60'000, '[')), HasSubstr("depth"));
  EXPECT_TRUE(Parse(With(R"("x":"\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[")")).ok());
}

TEST(ParseRecord, ErrorsStaySmall) {
  EXPECT_LT(ErrorOf(WithAddress(std::string(60'000, 'x'))).size(), 200);
  EXPECT_LT(ErrorOf(With(R"("metadata":{")" + std::string(60'000, 'x') + R"(":1})")).size(), 200);
  EXPECT_LT(ErrorOf(With(R"("endpoints":{")" + std::string(60'000, 'x') + R"(":1})")).size(), 200);
}

TEST(ParseOperatorState, Words) {
  EXPECT_EQ(*ParseOperatorState("draining"), OperatorState::kDraining);
  EXPECT_EQ(*ParseOperatorState(" removed\n"), OperatorState::kRemoved);
  EXPECT_EQ(ParseOperatorState("Removed").status().message(),
            "state: must be `draining` or `removed`, got \"Removed\"");
  EXPECT_FALSE(ParseOperatorState("").ok());
}

}  // namespace
}  // namespace turnout::model
