#include "src/cli/describe.h"

#include <gtest/gtest.h>

namespace turnout::cli {
namespace {

const Paint kPlain(false);

Member MakeMember(std::string id, std::string version, std::string address) {
  auto instance = std::make_shared<Instance>();
  instance->id = std::move(id);
  instance->version = std::move(version);
  instance->addresses = {std::move(address)};
  Member member;
  member.instance = std::move(instance);
  return member;
}

Snapshot Example() {
  Snapshot snapshot;
  snapshot.service = "hwholiday.srv.app";
  snapshot.revision = 7;
  snapshot.members = {MakeMember("app-a", "v2", "10.0.0.1:1"), MakeMember("app-b", "v1", "h:2")};
  return snapshot;
}

TEST(InstanceTableTest, ShowsOnlyWhatIsNotTheDefault) {
  EXPECT_EQ(InstanceTable(Example(), kPlain),
            "VERSION  ADDRESS     STATUS      ID\n"
            "v1       h:2         registered  app-b\n"
            "v2       10.0.0.1:1  registered  app-a\n");
}

TEST(InstanceTableTest, ShowsWeightZoneMethodsAndStatus) {
  Snapshot snapshot = Example();
  auto instance = std::make_shared<Instance>(*snapshot.members[0].instance);
  instance->weight = 5;
  instance->locality = {.region = "eu", .zone = "eu-1"};
  instance->methods = {{"On", {}}, {"Off", {.online = false}}};
  snapshot.members = {snapshot.members[0]};
  snapshot.members[0].instance = instance;
  snapshot.members[0].status = InstanceStatus::kDraining;
  EXPECT_EQ(InstanceTable(snapshot, kPlain),
            "VERSION  ADDRESS     STATUS    WEIGHT  ZONE     METHODS OFF  ID\n"
            "v2       10.0.0.1:1  draining  5       eu/eu-1  Off          app-a\n");
}

TEST(InstanceTableTest, ShowsRecordsThatAreNotUsed) {
  Snapshot snapshot;
  snapshot.rejected = {{"/hwholiday/srv/app/x\x1b[2J", "must be UTF-8 JSON"}};
  EXPECT_EQ(InstanceTable(snapshot, kPlain),
            "NOT USED                  REASON\n"
            "/hwholiday/srv/app/x?[2J  must be UTF-8 JSON\n");
}

TEST(ServiceTableTest, CountsVersions) {
  Snapshot app = Example();
  app.members.push_back(MakeMember("app-c", "v1", "h:3"));
  app.members[0].status = InstanceStatus::kDraining;
  Snapshot other;
  other.service = "b";
  EXPECT_EQ(ServiceTable({app, other}, {}, kPlain),
            "SERVICE            INSTANCES  VERSIONS      DRAINING\n"
            "hwholiday.srv.app  3          v1 ×2, v2 ×1  1\n"
            "b                  0\n");
}

TEST(ServiceTableTest, CountsWhoLapsedAndWhoIsRemoved) {
  Snapshot app = Example();
  app.members[1].status = InstanceStatus::kLapsed;
  const std::vector<OperatorDecision> decisions = {{app.service, "app-c", true, {}},
                                                   {app.service, "app-d", false, {}},
                                                   {"another", "app-e", true, {}}};
  EXPECT_EQ(ServiceTable({app}, decisions, kPlain),
            "SERVICE            INSTANCES  VERSIONS      LAPSED  REMOVED\n"
            "hwholiday.srv.app  2          v1 ×1, v2 ×1  1       1\n");
}

TEST(DecisionTableTest, ShowsHowLongTheyStand) {
  EXPECT_EQ(DecisionTable({}, kPlain), "");
  EXPECT_EQ(DecisionTable(
                {{"app", "app-1", true, std::chrono::minutes(90)}, {"app", "app-2\x1b", false, {}}},
                kPlain),
            "DECIDED   FOR ANOTHER     ID\n"
            "removed   1h 30m          app-1\n"
            "draining  until restored  app-2?\n");
}

TEST(TimeTextTest, HasTwoUnits) {
  using std::chrono::seconds;
  EXPECT_EQ(TimeText(seconds(0)), "0s");
  EXPECT_EQ(TimeText(seconds(59)), "59s");
  EXPECT_EQ(TimeText(seconds(60)), "1m 0s");
  EXPECT_EQ(TimeText(seconds(86399)), "23h 59m");
  EXPECT_EQ(TimeText(seconds(3 * 86400 + 3600)), "3d 1h");
}

TEST(ToJsonTest, StatesTheInstance) {
  const Json json = ToJson(Example());
  EXPECT_EQ(json["service"], "hwholiday.srv.app");
  EXPECT_EQ(json["revision"], 7);
  EXPECT_EQ(json["instances"][1]["address"], "h:2");
  EXPECT_EQ(json["instances"][1]["status"], "registered");
  EXPECT_EQ(json["instances"][1]["weight"], 1);
  EXPECT_TRUE(json["rejected"].is_array());
}

TEST(DumpTest, TakesAnyBytes) { EXPECT_EQ(Dump({{"k", "\xFF"}}), "{\"k\":\"\xEF\xBF\xBD\"}"); }

}  // namespace
}  // namespace turnout::cli
