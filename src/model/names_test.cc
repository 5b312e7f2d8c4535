#include "src/model/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace turnout::model {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Optional;
using testing::Pair;

const std::string kNone;
const std::string kLong(257, 'a');
const std::string kLongPrefix = "/" + kLong;

TEST(Names, Service) {
  for (const char* service : {"a", "hwholiday.srv.app", "A_b-9.x", "app.turnout", "turnouts"}) {
    EXPECT_TRUE(CheckServiceName(service).ok()) << service;
  }
  for (const std::string_view service : std::initializer_list<std::string_view>{
           kNone, kLong, ".", "a.", ".a", "a..b", "a/b", "a b", "ä", "turnout", "turnout.state"}) {
    EXPECT_EQ(CheckServiceName(service).code(), absl::StatusCode::kInvalidArgument) << service;
  }
  EXPECT_EQ(CheckServiceName("a b").message(),
            "service: must be components of [A-Za-z0-9_-] joined by dots, got \"a b\"");
  EXPECT_THAT(CheckServiceName("turnout.x").message(), HasSubstr("reserved `turnout`"));
}

TEST(Names, InstanceId) {
  EXPECT_TRUE(CheckInstanceId("app-b001e0ed-e67a-11f1-8166-5ab3373d41a7").ok());
  EXPECT_TRUE(CheckInstanceId("A.b_c-9").ok());
  for (const std::string_view id :
       std::initializer_list<std::string_view>{kNone, kLong, "a/b", "a\n"}) {
    EXPECT_FALSE(CheckInstanceId(id).ok()) << id;
  }
}

TEST(Names, Version) {
  for (const char* version : {"v1", "latest", "2024 spring", "版本"}) {
    EXPECT_TRUE(CheckVersion(version).ok()) << version;
  }
  for (const std::string_view version : std::initializer_list<std::string_view>{
           kNone, kLong, "v\n1", "\x7f", std::string_view("\0", 1)}) {
    EXPECT_FALSE(CheckVersion(version).ok()) << version;
  }
}

TEST(Names, Prefix) {
  for (const char* prefix : {"", "/team-a", "/eu/prod", "/v1.2"}) {
    EXPECT_TRUE(CheckPrefix(prefix).ok()) << prefix;
  }
  for (const std::string_view prefix :
       std::initializer_list<std::string_view>{"/", "team", "/a/", "//a", "/a b", kLongPrefix}) {
    EXPECT_FALSE(CheckPrefix(prefix).ok()) << prefix;
  }
}

TEST(Names, Node) {
  EXPECT_EQ(NodeName("hwholiday.srv.app"), "app");
  EXPECT_EQ(NodeName("app"), "app");
  EXPECT_EQ(NodePath("hwholiday.srv.app"), "/hwholiday/srv/app");
}

TEST(Names, NewIdsAreRandomUuids) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    std::string id = NewInstanceId("hwholiday.srv.app");
    EXPECT_THAT(id, MatchesRegex("app-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                                 "[0-9a-f]{12}"));
    ids.insert(std::move(id));
  }
  EXPECT_EQ(ids.size(), 1000);
}

TEST(Keys, AsTheGoSystemHasThem) {
  const Keys keys("");
  EXPECT_EQ(keys.Record("hwholiday.srv.app", "app-1"), "/hwholiday/srv/app/app-1");
  EXPECT_EQ(keys.RecordPrefix("hwholiday.srv.app"), "/hwholiday/srv/app/");
  EXPECT_EQ(keys.State("hwholiday.srv.app", "app-1"), "/turnout/state/hwholiday.srv.app/app-1");
}

TEST(Keys, UnderANamespace) {
  const Keys keys("/eu/prod");
  EXPECT_EQ(keys.root(), "/eu/prod");
  EXPECT_EQ(keys.Record("a.b", "b-1"), "/eu/prod/a/b/b-1");
  EXPECT_EQ(keys.StatePrefix("a.b"), "/eu/prod/turnout/state/a.b/");
}

TEST(Keys, RecordsHaveOneComponentAfterTheService) {
  const Keys keys("/ns");
  EXPECT_THAT(keys.IdOfRecord("hwholiday.srv", "/ns/hwholiday/srv/srv-1"),
              Optional(testing::Eq("srv-1")));
  for (const char* key : {"/ns/hwholiday/srv/app/app-1", "/ns/hwholiday/srv/", "/ns/hwholiday/srv",
                          "/ns/hwholiday/srv2/x", "/hwholiday/srv/srv-1", ""}) {
    EXPECT_EQ(keys.IdOfRecord("hwholiday.srv", key), std::nullopt) << key;
  }
  EXPECT_THAT(keys.IdOfState("a.b", "/ns/turnout/state/a.b/x"), Optional(testing::Eq("x")));
  EXPECT_EQ(keys.IdOfState("a.b", "/ns/turnout/state/a.b.c/x"), std::nullopt);
  EXPECT_EQ(keys.IdOfState("a.b", "/ns/turnout/state/a.b/x/y"), std::nullopt);
}

TEST(Keys, ParseRecord) {
  const Keys keys("/ns");
  EXPECT_THAT(keys.ParseRecord("/ns/hwholiday/srv/app/app-1"),
              Optional(Pair("hwholiday.srv.app", "app-1")));
  EXPECT_THAT(keys.ParseRecord("/ns/app/app-1"), Optional(Pair("app", "app-1")));
  for (const char* key :
       {"/ns/app-1", "/ns/app/", "/ns//app/x", "/ns/a.b/x", "/ns/turnout/state/a/x", "/nsx/app/x",
        "/other/app/x", "ns/app/x", "", "/ns"}) {
    EXPECT_EQ(keys.ParseRecord(key), std::nullopt) << key;
  }
}

TEST(Keys, ParseRecordInvertsRecord) {
  const Keys keys("");
  EXPECT_THAT(keys.ParseRecord(keys.Record("a.b.c", "c-1")), Optional(Pair("a.b.c", "c-1")));
}

TEST(KeysTest, ParsesStateKeysOfAllServices) {
  const Keys keys("/eu");
  EXPECT_EQ(keys.StateRoot(), "/eu/turnout/state/");
  EXPECT_EQ(keys.ParseState(keys.State("srv.app", "one")),
            std::pair(std::string("srv.app"), std::string("one")));
  for (const char* key :
       {"/turnout/state/srv.app/one", "/eu/turnout/state/srv.app", "/eu/turnout/state/srv.app/",
        "/eu/turnout/state/srv.app/one/two", "/eu/turnout/state//one", "/eu/srv/app/one"}) {
    EXPECT_EQ(keys.ParseState(key), std::nullopt) << key;
  }
}

}  // namespace
}  // namespace turnout::model
