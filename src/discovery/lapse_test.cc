#include "src/discovery/lapse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/discovery/fold_fixture.h"

namespace turnout::discovery {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kLapsed = InstanceStatus::kLapsed;
constexpr auto kRegistered = InstanceStatus::kRegistered;
constexpr char kDraining[] = R"({"turnout.state":"draining"})";

class LapseTest : public FoldTest {
 protected:
  LapseTest() { scope.lapsed_limit = seconds(300); }

  // "a", "b", … on addresses of their own.
  etcd::KeyValue Server(char id, std::string_view version = "v1",
                        std::string_view metadata = "null") {
    return Record(std::string(1, id),
                  Value("10.0.0." + std::to_string(id) + ":1", version, metadata));
  }
  void ListServers(const std::string& ids) {
    std::vector<etcd::KeyValue> records;
    for (const char id : ids) records.push_back(Server(id));
    List(std::move(records));
  }
  void DeleteAll(const std::string& ids) {
    for (const char id : ids) Delete(std::string(1, id));
  }
};

TEST_F(LapseTest, OneOfManyLapsesForTheWindow) {
  ListServers("abc");
  const Member before = At("b");
  now += seconds(5);
  Delete("b");
  EXPECT_TRUE(changes.departures) << "calls must turn away at once";
  EXPECT_THAT(changes.lapsed, ElementsAre(before.instance));
  EXPECT_EQ(At("b").status, kLapsed);
  EXPECT_EQ(At("b").status_since, now);
  EXPECT_EQ(At("b").instance, before.instance);
  EXPECT_EQ(At("b").stats, before.stats);
  EXPECT_EQ(view->next_lapse_ends, now + kLapseWindow);

  Wait(kLapseWindow - seconds(1));
  EXPECT_FALSE(changes.anything);
  Wait(seconds(1));
  EXPECT_TRUE(changes.departures);
  EXPECT_THAT(changes.kept, IsEmpty());
  EXPECT_THAT(Ids(), ElementsAre("a", "c"));
  EXPECT_EQ(view->next_lapse_ends, TimePoint::max());
}

TEST_F(LapseTest, WhoeverComesBackIsRegisteredAgain) {
  ListServers("abc");
  const auto stats = At("b").stats;
  Delete("b");
  Put(Server('b'));
  EXPECT_EQ(At("b").status, kRegistered);
  EXPECT_EQ(At("b").stats, stats);
  Wait(kLapseWindow);
  EXPECT_FALSE(changes.anything);
  EXPECT_THAT(Ids(), ElementsAre("a", "b", "c"));
}

// 4 of 7 vanish within the window, though none of them together with another one.
TEST_F(LapseTest, MoreThanHalfWithinTheWindowStay) {
  ListServers("abcdefg");
  for (const char* id : {"a", "b", "c", "d"}) {
    now += seconds(3);
    Delete(id);
  }
  const TimePoint first = now - seconds(9);
  Take(FoldTime(scope, *view, first + kLapseWindow));
  EXPECT_THAT(changes.kept, SizeIs(1));
  EXPECT_FALSE(changes.anything);
  now = first + kLapseWindow;
  Wait(seconds(9));
  EXPECT_THAT(changes.kept, SizeIs(3));
  EXPECT_EQ(view->next_lapse_ends, first + seconds(300));
  EXPECT_THAT(snapshot->members, SizeIs(7));

  now = first + seconds(300);
  Take(FoldTime(scope, *view, now));
  EXPECT_THAT(Ids(), ElementsAre("b", "c", "d", "e", "f", "g")) << "each for its own five minutes";
  Wait(seconds(9));
  EXPECT_THAT(Ids(), ElementsAre("e", "f", "g"));
}

// Leases of 60 s that have lost etcd at one moment end within 20 s.
TEST_F(LapseTest, TheWindowIsAsLongAsTheLeases) {
  constexpr char kLongLease[] = R"({"turnout.ttl":"60"})";
  std::vector<etcd::KeyValue> records;
  for (const char id : std::string("abcdefg")) records.push_back(Server(id, "v1", kLongLease));
  List(std::move(records));
  const TimePoint first = now;
  for (const char* id : {"a", "b", "c", "d"}) {
    Take(FoldTime(scope, *view, now));
    Delete(id);
    now += seconds(6);
  }
  EXPECT_EQ(view->next_lapse_ends, first + seconds(60));
  EXPECT_EQ(LongestLapseWindow(*view), seconds(60));
  now = first + seconds(60);
  Wait(seconds(18));
  EXPECT_THAT(changes.kept, SizeIs(4));
  EXPECT_THAT(snapshot->members, SizeIs(7));
}

TEST_F(LapseTest, AShortLeaseHasTheUsualWindow) {
  List({Server('a'), Server('b', "v1", R"({"turnout.ttl":"2"})"), Server('c')});
  Delete("b");
  EXPECT_EQ(view->next_lapse_ends, now + kLapseWindow);
  EXPECT_EQ(LongestLapseWindow(*view), kLapseWindow);
}

TEST_F(LapseTest, AWindowEndsByTheLimit) {
  List({Server('a'), Server('b', "v1", R"({"turnout.ttl":"3600"})"), Server('c')});
  Delete("b");
  Wait(seconds(299));
  EXPECT_EQ(At("b").status, kLapsed);
  Wait(seconds(1));
  EXPECT_THAT(Ids(), ElementsAre("a", "c"));
}

TEST_F(LapseTest, LessThanHalfGo) {
  ListServers("abcdefg");
  DeleteAll("abc");
  Wait(kLapseWindow);
  EXPECT_THAT(Ids(), ElementsAre("d", "e", "f", "g"));
}

TEST_F(LapseTest, ExactlyHalfGo) {
  ListServers("abcd");
  DeleteAll("ab");
  Wait(kLapseWindow);
  EXPECT_THAT(Ids(), ElementsAre("c", "d"));
}

// Two vanish, and long after that two others: never more than half at a time.
TEST_F(LapseTest, ThoseThatWentBeforeTheWindowDoNotCount) {
  ListServers("abcdef");
  DeleteAll("ab");
  Wait(kLapseWindow);
  DeleteAll("cd");
  Wait(kLapseWindow);
  EXPECT_THAT(Ids(), ElementsAre("e", "f"));
}

TEST_F(LapseTest, TheLastOfAVersionStays) {
  List({Server('a'), Server('b'), Server('c'), Server('d', "v2")});
  Delete("d");
  Wait(kLapseWindow);
  EXPECT_EQ(At("d").status, kLapsed);
  Wait(seconds(290));
  EXPECT_THAT(Ids(), ElementsAre("a", "b", "c"));
}

TEST_F(LapseTest, TheLastWithALabelStays) {
  List({Server('a'), Server('b'), Server('c', "v1", R"({"tier":"gold"})")});
  Delete("c");
  Wait(kLapseWindow);
  EXPECT_EQ(At("c").status, kLapsed);
}

TEST_F(LapseTest, OurOwnFieldsAreNoLabels) {
  List({Server('a'), Server('b'), Server('c', "v1", R"({"turnout.weight":"7"})")});
  Delete("c");
  Wait(kLapseWindow);
  EXPECT_THAT(Ids(), ElementsAre("a", "b"));
}

TEST_F(LapseTest, TheLastInAZoneAndTheLastWithAMethodStay) {
  const std::string off = R"({"Ping":{"online":false}})";
  List({Record("a", Value("10.0.0.1:1", "v1", R"({"turnout.zone":"x"})")), Server('b'), Server('c'),
        Record("d", Value("10.0.0.4:1", "v3", "null", off)),
        Record("e", Value("10.0.0.5:1", "v3", "null", off)),
        Record("f", Value("10.0.0.6:1", "v3"))});
  DeleteAll("af");
  Wait(kLapseWindow);
  EXPECT_EQ(At("a").status, kLapsed);
  EXPECT_EQ(At("f").status, kLapsed);
}

TEST_F(LapseTest, AnAnnouncedEndIsAnEnd) {
  ListServers("ab");
  Put(Server('b', "v1", kDraining));
  Delete("b");
  EXPECT_THAT(Ids(), ElementsAre("a"));
  EXPECT_THAT(changes.lapsed, IsEmpty());
}

TEST_F(LapseTest, AnAnnouncementInTheSameBatchCounts) {
  ListServers("ab");
  const auto marked = Server('b', "v1", kDraining);
  Events({{etcd::Event::Type::kPut, marked},
          {etcd::Event::Type::kDelete, {.key = marked.key, .mod_revision = ++revision}}});
  EXPECT_THAT(Ids(), ElementsAre("a"));
}

TEST_F(LapseTest, AnOperatorsWordEndsALapse) {
  ListServers("abc");
  DeleteAll("abc");
  Put(State("a", "removed"));
  EXPECT_TRUE(changes.departures);
  EXPECT_THAT(Ids(), ElementsAre("b", "c"));
  Put(State("b", "draining"));
  EXPECT_THAT(Ids(), ElementsAre("c"));
  DeleteState("a");
  EXPECT_THAT(Ids(), ElementsAre("c")) << "what has ended does not come back by itself";
}

TEST_F(LapseTest, WhoIsDrainedByAnOperatorDoesNotLapse) {
  ListServers("ab");
  Put(State("b", "draining"));
  Delete("b");
  EXPECT_THAT(Ids(), ElementsAre("a"));
}

TEST_F(LapseTest, ASuccessorOnItsAddressEndsALapse) {
  ListServers("ab");
  Delete("b");
  Put(Record("c", Value("10.0.0.98:1", "v2")));  // b's
  EXPECT_THAT(Ids(), ElementsAre("a", "c"));
  EXPECT_EQ(At("c").status, kRegistered);
  EXPECT_THAT(changes.shadowed, IsEmpty());
}

// Its record was created before the lapsed one's, and is there.
TEST_F(LapseTest, WhomItShadowedTakesItsAddressBack) {
  List({Record("a-old", Value("10.0.0.1:1")), Record("b-young", Value("10.0.0.1:1", "v2"))});
  EXPECT_THAT(Ids(), ElementsAre("b-young"));
  Delete("b-young");
  EXPECT_THAT(Ids(), ElementsAre("a-old"));
}

TEST_F(LapseTest, ZeroTurnsItOff) {
  scope.lapsed_limit = seconds(0);
  ListServers("ab");
  DeleteAll("ab");
  EXPECT_THAT(Ids(), IsEmpty());
}

TEST_F(LapseTest, ALimitBelowTheWindowIsALimit) {
  scope.lapsed_limit = seconds(3);
  ListServers("a");
  Delete("a");
  Wait(seconds(2));
  EXPECT_THAT(Ids(), ElementsAre("a"));
  Wait(seconds(1));
  EXPECT_THAT(Ids(), IsEmpty());
}

// A compaction: what is missing from the new list lapses as if its end had been heard of.
TEST_F(LapseTest, WhatAListLacksLapsesToo) {
  const auto a = Server('a'), b = Server('b'), c = Server('c');
  List({a, b, c});
  List({a, c});
  EXPECT_FALSE(changes.new_history);
  EXPECT_EQ(At("b").status, kLapsed);
  Wait(kLapseWindow);
  EXPECT_THAT(Ids(), ElementsAre("a", "c"));
}

// A wiped etcd has not heard of them yet, however few they are.
TEST_F(LapseTest, InANewHistoryAllThatIsMissingStays) {
  ListServers("abcdefg");
  revision = 3;
  const auto d = Server('d'), e = Server('e'), f = Server('f'), g = Server('g');
  List({d, e, f, g});
  EXPECT_TRUE(changes.new_history);
  EXPECT_EQ(At("a").status, kLapsed);
  EXPECT_EQ(At("d").status, kRegistered);
  Wait(seconds(299));
  EXPECT_THAT(snapshot->members, SizeIs(7));
  Put(Server('a'));
  EXPECT_EQ(At("a").status, kRegistered);
  Wait(seconds(1));
  EXPECT_THAT(Ids(), ElementsAre("a", "d", "e", "f", "g"));
}

}  // namespace
}  // namespace turnout::discovery
