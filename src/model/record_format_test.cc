#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/model/record.h"

namespace turnout::model {
namespace {

constexpr char kService[] = "hwholiday.srv.app";
constexpr char kId[] = "app-b001e0ed-e67a-11f1-8166-5ab3373d41a7";

Instance Plain() {
  return {.service = kService, .id = kId, .version = "v1", .addresses = {"10.1.2.3:8089"}};
}

constexpr char kPlainHead[] =
    R"({"node":{"name":"app","path":"/hwholiday/srv/app",)"
    R"("id":"app-b001e0ed-e67a-11f1-8166-5ab3373d41a7","version":"v1","address":"10.1.2.3:8089"})";

TEST(FormatRecord, TheRecordOfTheGoSystem) {
  Instance instance = Plain();
  instance.methods["ApiTest"] = {.limiting = 10};
  EXPECT_EQ(FormatRecord(instance),
            kPlainHead + std::string(R"(,"metadata":null,"endpoints":{"ApiTest":{"online":true,)"
                                     R"("limiting_switch":false,"limiting":10,"fuse":false,)"
                                     R"("defaults":null}}})"));
}

TEST(FormatRecord, EmptyMapsAreNull) {
  EXPECT_EQ(FormatRecord(Plain()),
            kPlainHead + std::string(R"(,"metadata":null,"endpoints":null})"));
}

TEST(FormatRecord, MapsAreSortedByByte) {
  Instance instance = Plain();
  instance.metadata = {{"b", "2"}, {"a", "1"}, {"\u00e9", "3"}, {"B", "0"}};
  instance.methods = {{"Z", {.online = false, .fuse = true, .defaults = std::string("\0\xff", 2)}},
                      {"A", {.limiting_switch = true, .limiting = -3, .defaults = ""}}};
  EXPECT_EQ(
      FormatRecord(instance),
      kPlainHead + std::string(R"(,"metadata":{"B":"0","a":"1","b":"2","é":"3"},"endpoints":{)"
                               R"("A":{"online":true,"limiting_switch":true,"limiting":-3,)"
                               R"("fuse":false,"defaults":""},)"
                               R"("Z":{"online":false,"limiting_switch":false,"limiting":0,)"
                               R"("fuse":true,"defaults":"AP8="}}})"));
}

TEST(FormatRecord, EscapesAsGoDoes) {
  const auto formatted = [](std::string_view version) {
    Instance instance = Plain();
    instance.version = version;
    const std::string record = FormatRecord(instance);
    const std::size_t begin = record.find(R"("version":)") + 10;
    return record.substr(begin, record.find(R"(,"address")") - begin);
  };
  EXPECT_EQ(formatted("<a>&\"b\"\\/'"), R"("\u003ca\u003e\u0026\"b\"\\/'")");
  EXPECT_EQ(formatted("\n\r\t\b\f\x01\x1f\x7f"), "\"\\n\\r\\t\\u0008\\u000c\\u0001\\u001f\x7f\"");
  EXPECT_EQ(formatted(std::string_view("\0", 1)), R"("\u0000")");
  EXPECT_EQ(formatted("é\u2027\u2028\u2029\u202a😀"), "\"é\u2027\\u2028\\u2029\u202a😀\"");
  // One replacement for each byte that belongs to no sequence: stray, overlong, surrogate, too
  // high, truncated.
  EXPECT_EQ(formatted("\x80|\xc0\xaf|\xed\xa0\x80|\xf4\x90\x80\x80|\xe2\x82"),
            R"("\ufffd|\ufffd\ufffd|\ufffd\ufffd\ufffd|\ufffd\ufffd\ufffd\ufffd|\ufffd\ufffd")");
}

TEST(FormatRecord, OwnFieldsComeFromTheMembers) {
  Instance instance = Plain();
  instance.metadata = {{"team", "blue"},
                       {"turnout.weight", "9"},
                       {"turnout.state", "draining"},
                       {"turnout.ttl", "60"},
                       {"turnout.later", "kept"}};
  instance.weight = 0;
  instance.locality = {.region = "eu", .zone = "z1"};
  instance.health_service = kId;
  instance.permits_pings = true;
  EXPECT_EQ(
      FormatRecord(instance),
      kPlainHead + std::string(R"(,"metadata":{"team":"blue",)"
                               R"("turnout.health":"app-b001e0ed-e67a-11f1-8166-5ab3373d41a7",)"
                               R"("turnout.later":"kept","turnout.pings":"permitted",)"
                               R"("turnout.region":"eu","turnout.weight":"0","turnout.zone":"z1"},)"
                               R"("endpoints":null})"));
  instance.draining = true;
  instance.lease_ttl = std::chrono::seconds(61);
  EXPECT_THAT(FormatRecord(instance),
              testing::HasSubstr(R"("turnout.state":"draining","turnout.ttl":"61",)"));
}

TEST(FormatRecord, RoundTrip) {
  Instance instance = Plain();
  instance.version = "<\u2028 é \"\\";
  instance.metadata = {
      {"k<", "v\n"}, {"turnout.state", "draining"}, {"turnout.ttl", "7"}, {"turnout.weight", "3"}};
  instance.draining = true;
  instance.lease_ttl = std::chrono::seconds(7);
  instance.weight = 3;
  instance.methods = {{"A", {.online = false, .limiting = 5, .defaults = "\x01\xfe"}}};

  const std::string record = FormatRecord(instance);
  const auto parsed = ParseRecord(kService, kId, record);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(*parsed, instance);
  EXPECT_EQ(FormatRecord(*parsed), record);
}

TEST(WithMetadata, KeepsEverythingElse) {
  EXPECT_EQ(
      *WithMetadata(R"({"z":[1,{"y":null}],"node":{"b":"é","a":1.5},"metadata":{"k":"v"},"a":0})",
                    "turnout.state", "draining"),
      R"({"z":[1,{"y":null}],"node":{"b":"é","a":1.5},)"
      R"("metadata":{"k":"v","turnout.state":"draining"},"a":0})");
}

TEST(WithMetadata, FromNullMissingAndPresent) {
  EXPECT_EQ(*WithMetadata(R"({"metadata":null,"x":1})", "k", "v"),
            R"({"metadata":{"k":"v"},"x":1})");
  EXPECT_EQ(*WithMetadata(R"({"x":1})", "k", "v"), R"({"x":1,"metadata":{"k":"v"}})");
  EXPECT_EQ(*WithMetadata(R"({"metadata":{"k":"u","l":"w"}})", "k", "v"),
            R"({"metadata":{"k":"v","l":"w"}})");
}

TEST(WithMetadata, AnEmptyValueRemoves) {
  EXPECT_EQ(*WithMetadata(R"({"metadata":{"k":"u","l":"w"}})", "k", ""),
            R"({"metadata":{"l":"w"}})");
  EXPECT_EQ(*WithMetadata(R"({"metadata":{"k":"u"}})", "k", ""), R"({"metadata":null})");
  EXPECT_EQ(*WithMetadata(R"({"metadata":null})", "k", ""), R"({"metadata":null})");
}

TEST(WithMetadata, RefusesWhatIsNoRecord) {
  for (const char* value : {"", "[]", "{", R"({"metadata":1})", R"({"metadata":[]})"}) {
    EXPECT_EQ(WithMetadata(value, "k", "v").status().code(), absl::StatusCode::kInvalidArgument)
        << value;
  }
  EXPECT_FALSE(WithMetadata("{}", "k", "\xff").ok());
}

}  // namespace
}  // namespace turnout::model
