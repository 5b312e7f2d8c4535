#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/discovery/fold_fixture.h"

namespace turnout::discovery {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(FoldTest, TheFirstList) {
  List({Record("b", Value("10.0.0.2:1", "v2")), Record("a", Value("10.0.0.1:1"))});
  EXPECT_TRUE(changes.anything);
  EXPECT_FALSE(changes.departures);
  EXPECT_EQ(snapshot->service, kService);
  EXPECT_EQ(snapshot->revision, revision);
  EXPECT_THAT(Ids(), ElementsAre("a", "b"));
  const Member& b = At("b");
  EXPECT_EQ(b.instance->version, "v2");
  EXPECT_EQ(b.instance->create_revision, 101);
  EXPECT_EQ(b.instance->mod_revision, 101);
  EXPECT_EQ(b.status, InstanceStatus::kRegistered);
  EXPECT_EQ(b.status_since, now);
  EXPECT_EQ(b.stats->first_seen(), now);
}

TEST_F(FoldTest, AnEmptyServiceIsASnapshotToo) {
  List({});
  EXPECT_TRUE(changes.anything);
  EXPECT_THAT(snapshot->members, IsEmpty());
  List({});
  EXPECT_FALSE(changes.anything);
}

TEST_F(FoldTest, KeysOfOthersAreIgnored) {
  auto nested = Record("x", Value("10.0.0.1:1"));
  nested.key = "/ns/hwholiday/srv/app/sub/x";
  auto neighbour = nested;
  neighbour.key = "/ns/hwholiday/srv/app2/x";
  List({nested, neighbour});
  EXPECT_THAT(Ids(), IsEmpty());
  Put(nested);
  EXPECT_FALSE(changes.anything);
  EXPECT_THAT(snapshot->rejected, IsEmpty());
}

TEST_F(FoldTest, JoinAndLeave) {
  List({Record("b", Value("10.0.0.2:1"))});
  const Member before = At("b");
  now += seconds(1);
  Put(Record("a", Value("10.0.0.1:1")));
  Put(Record("c", Value("10.0.0.3:1")));
  EXPECT_TRUE(changes.anything);
  EXPECT_FALSE(changes.departures);
  EXPECT_THAT(Ids(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(At("b").instance, before.instance);
  EXPECT_EQ(At("b").stats, before.stats);
  EXPECT_EQ(At("b").status_since, before.status_since);

  Delete("b");
  EXPECT_TRUE(changes.departures);
  EXPECT_TRUE(changes.anything);
  EXPECT_THAT(Ids(), ElementsAre("a", "c"));
  Delete("b");
  EXPECT_FALSE(changes.anything);
}

TEST_F(FoldTest, OneBatchOfEvents) {
  List({Record("b", Value("10.0.0.2:1"))});
  const auto put = etcd::Event::Type::kPut;
  const auto gone = etcd::Event::Type::kDelete;
  Events({{put, Record("d", Value("10.0.0.4:1"))},
          {put, Record("a", Value("10.0.0.1:1"))},
          {gone, {.key = scope.keys.Record(kService, "d"), .mod_revision = ++revision}},
          {put, Record("c", Value("10.0.0.3:1"))}});
  EXPECT_THAT(Ids(), ElementsAre("a", "b", "c"));
  EXPECT_FALSE(changes.departures);
  EXPECT_EQ(snapshot->revision, revision);
}

TEST_F(FoldTest, EventsThatAreContainedAlreadyAreDropped) {
  const auto old = Record("a", Value("10.0.0.1:1", "old"));
  List({Record("a", Value("10.0.0.1:1", "new"), old.create_revision)});
  Put(old);
  EXPECT_FALSE(changes.anything);
  EXPECT_EQ(At("a").instance->version, "new");
  Events({{etcd::Event::Type::kDelete, {.key = old.key, .mod_revision = old.mod_revision}}});
  EXPECT_THAT(Ids(), ElementsAre("a"));
}

TEST_F(FoldTest, StatesAreDroppedByTheirOwnRevision) {
  // The states were read later than the records: an event in between is news for the records only.
  const auto record = Record("a", Value("10.0.0.1:1"));
  const auto draining = State("a", "draining");
  Take(FoldList(scope, nullptr, {{100, {}}, {revision, {}}, {revision, {}}}, now));
  Put(draining);
  Put(record);
  EXPECT_EQ(At("a").status, InstanceStatus::kRegistered);
}

TEST_F(FoldTest, ChangesThatWouldMisroute) {
  const std::string base = Value("10.0.0.1:1");
  const std::pair<std::string, bool> kCases[] = {
      {Value("10.0.0.9:1"), true},
      {Value("10.0.0.1:1", "v2"), true},
      {Value("10.0.0.1:1", "v1", R"({"turnout.health":"a"})"), true},
      {Value("10.0.0.1:1", "v1", R"({"turnout.state":"draining"})"), true},
      {Value("10.0.0.1:1", "v1", "null", R"({"M":{"online":false}})"), true},
      {Value("10.0.0.1:1", "v1", R"({"turnout.weight":"5"})"), false},
      {Value("10.0.0.1:1", "v1", R"({"k":"v"})"), false},
      {base, false}};
  for (const auto& [value, departs] : kCases) {
    List({Record("a", base, 7)});
    Put(Record("a", value, 7));
    EXPECT_TRUE(changes.anything) << value;  // mod_revision, at least
    EXPECT_EQ(changes.departures, departs) << value;
  }
  List({Record("a", base, 7)});
  Put(Record("a", base, 8));
  EXPECT_TRUE(changes.departures) << "a restart under the same id";
}

TEST_F(FoldTest, AMalformedRecordHurtsNobody) {
  List({Record("bad", "{"), Record("good", Value("10.0.0.1:1"))});
  EXPECT_THAT(Ids(), ElementsAre("good"));
  ASSERT_EQ(changes.rejected.size(), 1);
  EXPECT_EQ(changes.rejected[0].key, "/ns/hwholiday/srv/app/bad");
  EXPECT_THAT(changes.rejected[0].reason, HasSubstr("UTF-8 JSON"));
  ASSERT_EQ(snapshot->rejected.size(), 1);
  EXPECT_EQ(snapshot->rejected[0].key, "/ns/hwholiday/srv/app/bad");
}

TEST_F(FoldTest, AGoodValueStaysWhenAMalformedOneFollows) {
  List({Record("a", Value("10.0.0.1:1"))});
  const Member before = At("a");
  Put(Record("a", "{", 101));
  EXPECT_TRUE(changes.anything);  // of the rejected ones
  EXPECT_FALSE(changes.departures);
  EXPECT_EQ(changes.rejected.size(), 1);
  EXPECT_EQ(At("a").instance, before.instance);
  EXPECT_EQ(snapshot->rejected.size(), 1);

  Put(Record("a", "[", 101));
  EXPECT_THAT(changes.rejected, IsEmpty()) << "reported already";
  List({Record("a", "", 101)});
  EXPECT_THAT(changes.rejected, IsEmpty()) << "reported already";
  EXPECT_EQ(At("a").instance, before.instance);

  Put(Record("a", Value("10.0.0.1:1"), 101));
  EXPECT_THAT(snapshot->rejected, IsEmpty());
  EXPECT_EQ(At("a").stats, before.stats);
  Put(Record("a", "{", 101));
  EXPECT_EQ(changes.rejected.size(), 1) << "it was good in between";

  Delete("a");
  EXPECT_TRUE(changes.departures);
  EXPECT_THAT(snapshot->members, IsEmpty());
  EXPECT_THAT(snapshot->rejected, IsEmpty());
}

TEST_F(FoldTest, TheNewestOfOneAddressWins) {
  List(
      {Record("new", Value("10.0.0.1:1", "v2"), 50), Record("old", Value("10.0.0.1:1", "v1"), 40)});
  EXPECT_THAT(Ids(), ElementsAre("new"));
  EXPECT_THAT(changes.shadowed,
              ElementsAre(AllOf(
                  Field(&Snapshot::Rejected::key, "/ns/hwholiday/srv/app/old"),
                  Field(&Snapshot::Rejected::reason,
                        "shadowed by new, which has the same address 10.0.0.1:1 and is newer"))));
  EXPECT_EQ(snapshot->rejected.size(), 1);
  EXPECT_THAT(changes.rejected, IsEmpty());

  Put(Record("other", Value("10.0.0.2:1")));
  EXPECT_THAT(changes.shadowed, IsEmpty()) << "reported already";

  Delete("new");
  EXPECT_TRUE(changes.departures);
  EXPECT_THAT(Ids(), ElementsAre("old", "other"));
  EXPECT_THAT(snapshot->rejected, IsEmpty());
}

TEST_F(FoldTest, ARestartOnAnAddressTakesItOverAtOnce) {
  List({Record("a-old", Value("10.0.0.1:1", "v1"))});
  Put(Record("b-new", Value("10.0.0.1:1", "v2")));
  EXPECT_TRUE(changes.departures);
  EXPECT_THAT(Ids(), ElementsAre("b-new"));
  Delete("a-old");
  EXPECT_FALSE(changes.departures);
  EXPECT_TRUE(changes.anything);  // of the rejected ones
  EXPECT_THAT(Ids(), ElementsAre("b-new"));
}

TEST_F(FoldTest, AnInstanceThatMovesFreesItsAddress) {
  List({Record("a", Value("10.0.0.1:1"), 40), Record("b", Value("10.0.0.1:1"), 50)});
  EXPECT_THAT(Ids(), ElementsAre("b"));
  Put(Record("b", Value("10.0.0.2:1"), 50));
  EXPECT_THAT(Ids(), ElementsAre("a", "b"));
  Put(Record("a", Value("10.0.0.2:1"), 40));
  EXPECT_THAT(Ids(), ElementsAre("b"));
  EXPECT_EQ(changes.shadowed.size(), 1);
}

TEST_F(FoldTest, OfThreeThatShareAnAddressOneIsLeft) {
  List({Record("a", Value("10.0.0.1:1"), 9), Record("b", Value("10.0.0.1:1"), 9),
        Record("c", Value("10.0.0.1:1"), 8)});
  EXPECT_THAT(Ids(), ElementsAre("b")) << "created alike: the greater id";
  EXPECT_EQ(changes.shadowed.size(), 2);
  Delete("b");
  EXPECT_THAT(Ids(), ElementsAre("a"));
  EXPECT_EQ(changes.shadowed.size(), 1) << "c has another shadow now";
}

TEST_F(FoldTest, OperatorsDrainAndRemove) {
  List({Record("a", Value("10.0.0.1:1")), Record("b", Value("10.0.0.2:1"))});
  now += seconds(1);
  Put(State("a", "draining"));
  EXPECT_TRUE(changes.departures);
  EXPECT_EQ(At("a").status, InstanceStatus::kDraining);
  EXPECT_EQ(At("a").status_since, now);

  now += seconds(1);
  Put(State("a", "removed"));
  EXPECT_TRUE(changes.departures);
  EXPECT_THAT(Ids(), ElementsAre("b"));
  ASSERT_EQ(snapshot->rejected.size(), 1);
  EXPECT_EQ(snapshot->rejected[0].reason, "removed by an operator");

  DeleteState("a");
  EXPECT_FALSE(changes.departures);
  EXPECT_THAT(Ids(), ElementsAre("a", "b"));
  EXPECT_EQ(At("a").status, InstanceStatus::kRegistered);
  EXPECT_EQ(At("a").status_since, now);
}

TEST_F(FoldTest, AStateMayComeBeforeItsRecord) {
  List({}, {State("a", "removed"), State("b", "draining")});
  EXPECT_THAT(snapshot->members, IsEmpty());
  EXPECT_THAT(snapshot->rejected, IsEmpty());
  Put(Record("a", Value("10.0.0.1:1")));
  Put(Record("b", Value("10.0.0.2:1")));
  EXPECT_THAT(Ids(), ElementsAre("b"));
  EXPECT_EQ(At("b").status, InstanceStatus::kDraining);
}

TEST_F(FoldTest, ARemovedInstanceShadowsNobody) {
  List({Record("old", Value("10.0.0.1:1"), 40), Record("new", Value("10.0.0.1:1"), 50)});
  Put(State("new", "removed"));
  EXPECT_THAT(Ids(), ElementsAre("old"));
  DeleteState("new");
  EXPECT_THAT(Ids(), ElementsAre("new"));
}

TEST_F(FoldTest, AMalformedStateIsReportedAndIgnored) {
  List({Record("a", Value("10.0.0.1:1"))});
  Put(State("a", "gone"));
  EXPECT_EQ(At("a").status, InstanceStatus::kRegistered);
  ASSERT_EQ(changes.rejected.size(), 1);
  EXPECT_EQ(changes.rejected[0].key, "/ns/turnout/state/hwholiday.srv.app/a");
  Put(State("a", "gone too"));
  EXPECT_THAT(changes.rejected, IsEmpty());
  DeleteState("a");
  EXPECT_THAT(snapshot->rejected, IsEmpty());
}

TEST_F(FoldTest, ADrainingRecordDrains) {
  List({Record("a", Value("10.0.0.1:1", "v1", R"({"turnout.state":"draining"})"))});
  EXPECT_EQ(At("a").status, InstanceStatus::kDraining);
  now += seconds(1);
  Put(Record("a", Value("10.0.0.1:1"), 101));
  EXPECT_EQ(At("a").status, InstanceStatus::kRegistered);
  EXPECT_EQ(At("a").status_since, now);
  EXPECT_FALSE(changes.departures);
}

TEST_F(FoldTest, ANewListKeepsWhatDidNotChange) {
  const auto a = Record("a", Value("10.0.0.1:1"));
  const auto b = Record("b", Value("10.0.0.2:1"));
  const auto gone = Record("gone", Value("10.0.0.3:1"));
  List({a, b, gone}, {State("gone", "draining")});
  const Member before = At("a");
  now += seconds(1);
  List({a, Record("b", Value("10.0.0.2:1", "v2"), b.create_revision)});
  EXPECT_TRUE(changes.departures);
  EXPECT_THAT(Ids(), ElementsAre("a", "b"));
  EXPECT_EQ(At("a").instance, before.instance);
  EXPECT_EQ(At("a").status_since, before.status_since);
  EXPECT_EQ(At("b").instance->version, "v2");

  List({a, {b.key, Value("10.0.0.2:1", "v2"), b.create_revision, revision}});
  EXPECT_FALSE(changes.anything);
}

TEST_F(FoldTest, ARestoredHistoryHasOtherValuesAtTheSameRevisions) {
  auto a = Record("a", Value("10.0.0.1:1", "v1"));
  List({a});
  a.value = Value("10.0.0.1:1", "v2");
  revision = 50;
  List({a});
  EXPECT_EQ(At("a").instance->version, "v2");
  Put({a.key, Value("10.0.0.1:1", "v3"), a.create_revision, 51});
  EXPECT_EQ(At("a").instance->version, "v3");
}

TEST_F(FoldTest, WhoReturnsFindsItsStatistics) {
  List({Record("a", Value("10.0.0.1:1"))});
  const auto stats = At("a").stats;
  Delete("a");
  now += seconds(1);
  Put(Record("a", Value("10.0.0.1:1")));
  EXPECT_EQ(At("a").stats, stats);
  EXPECT_EQ(At("a").status_since, now);
}

TEST_F(FoldTest, TheDepartedAreForgottenInTheEnd) {
  List({});
  for (int i = 0; i < 300; ++i) {
    const std::string id = "a" + std::to_string(i);
    Put(Record(id, Value("10.0.0.1:1")));
    Delete(id);
  }
  EXPECT_EQ(view->departed.size(), 256);
  EXPECT_EQ(view->departed.back()->id, "a299");
}

TEST_F(FoldTest, DecisionsBeyondTheLimitAreLeftOut) {
  scope.max_instances = 3;
  List({Record("a", Value("10.0.0.1:1")), Record("b", Value("10.0.0.2:1"))});
  Put(State("x", "removed"));
  EXPECT_FALSE(changes.overflow);
  for (const char* id : {"y", "z"}) {
    Put(State(id, "removed"));
    EXPECT_EQ(changes.overflow, id == std::string("y")) << "told once";
  }
  EXPECT_THAT(view->entries, SizeIs(3));
  EXPECT_TRUE(view->overflow);

  // What is about those who are known always counts.
  Put(State("b", "removed"));
  EXPECT_THAT(Ids(), ElementsAre("a"));
  DeleteState("b");
  EXPECT_THAT(Ids(), ElementsAre("a", "b"));
}

TEST_F(FoldTest, AListKeepsRecordsRatherThanDecisions) {
  scope.max_instances = 3;
  List({Record("a", Value("10.0.0.1:1")), Record("b", Value("10.0.0.2:1"))},
       {State("b", "draining"), State("x", "removed"), State("y", "removed")});
  EXPECT_THAT(Ids(), ElementsAre("a", "b"));
  EXPECT_EQ(At("b").status, InstanceStatus::kDraining);
  EXPECT_THAT(view->entries, SizeIs(3));
  EXPECT_TRUE(changes.overflow);
}

TEST_F(FoldTest, AListOfDecisionsThatIsCutIsTold) {
  Take(FoldList(scope, nullptr,
                {{revision, {}}, {revision, {State("x", "removed")}, true}, {revision, {}}}, now));
  EXPECT_TRUE(changes.overflow);
  EXPECT_TRUE(view->overflow);
}

}  // namespace
}  // namespace turnout::discovery
