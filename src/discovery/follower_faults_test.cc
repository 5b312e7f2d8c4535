// What becomes of a service while etcd fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/base/test_logs.h"
#include "src/discovery/follower_fixture.h"
#include "src/discovery/lapse.h"

namespace turnout::discovery {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::IsEmpty;
using testing::SizeIs;

class FollowerFaultsTest : public FollowerTest {
 protected:
  FollowerFaultsTest()
      : FollowerTest({.service = kService,
                      .keys = model::Keys(""),
                      .max_instances = 5,
                      .lapsed_limit = seconds(300)}) {}

  void Interrupt() {
    Watched(kRecords).OnInterrupted(absl::UnavailableError("connection reset"));
    Watched(kStates).OnInterrupted(absl::UnavailableError("connection reset"));
    Watched(kRules).OnInterrupted(absl::UnavailableError("connection reset"));
  }
  void Resume() {
    Watched(kRecords).OnResumed();
    Watched(kStates).OnResumed();
    Watched(kRules).OnResumed();
  }
  // What is asked about the history; a list may be under way beside it.
  void AnswerGet(absl::StatusOr<etcd::RangeResult> answer) {
    ASSERT_EQ(std::count_if(client.gets.begin(), client.gets.end(),
                            [](const auto& get) { return get.key != kRules; }),
              1);
    ASSERT_TRUE(client.AnswerGet(Record(0, 0).key, std::move(answer)));
  }
  std::size_t Count(InstanceStatus status) const {
    const auto& members = snapshots.back()->members;
    return static_cast<std::size_t>(
        std::count_if(members.begin(), members.end(),
                      [&](const Member& member) { return member.status == status; }));
  }
};

TEST_F(FollowerFaultsTest, AResumedWatchIsCheckedByOneRecordAsItWas) {
  AnswerList(10, 10, {Record(0, 8), Record(1, 9)});
  EXPECT_THAT(client.gets, IsEmpty());
  Interrupt();
  Resume();
  ASSERT_THAT(client.gets, SizeIs(1));
  EXPECT_EQ(client.gets[0].key, Record(0, 8).key);
  EXPECT_EQ(client.gets[0].at, 10);
  AnswerGet(etcd::RangeResult{30, {Record(0, 8)}});
  timers.Advance(seconds(10));
  EXPECT_THAT(client.ranges, IsEmpty());
  EXPECT_THAT(client.watches, SizeIs(3));
  EXPECT_THAT(snapshots, SizeIs(1));
}

// etcd was wiped, its servers are back under other revisions, and it is past where we were.
TEST_F(FollowerFaultsTest, AnotherHistoryIsListed) {
  AnswerList(10, 10, {Record(0, 8), Record(1, 9)});
  Interrupt();
  Resume();
  AnswerGet(etcd::RangeResult{30, {Record(0, 7)}});
  timers.Advance(milliseconds(100));
  etcd::KeyValue returned = Record(0, 7);
  returned.create_revision = 7;
  AnswerList(30, 30, {returned});
  EXPECT_EQ(Count(InstanceStatus::kRegistered), 1);
  EXPECT_EQ(Count(InstanceStatus::kLapsed), 1);
  timers.Advance(seconds(299));
  EXPECT_EQ(Count(InstanceStatus::kLapsed), 1);
  timers.Advance(seconds(2));
  EXPECT_EQ(Members(), 1);
}

TEST_F(FollowerFaultsTest, AHistoryThatCannotBeReadAnyMoreIsListed) {
  AnswerList(10, 10, {Record(0, 8)});
  Interrupt();
  Resume();
  AnswerGet(absl::OutOfRangeError("mvcc: required revision has been compacted"));
  timers.Advance(milliseconds(100));
  AnswerList(30, 30, {Record(0, 8)});
  EXPECT_THAT(snapshots, SizeIs(1)) << "nothing had changed";
}

TEST_F(FollowerFaultsTest, WithoutARecordToCheckAllIsListed) {
  AnswerList(10, 10, {});
  Interrupt();
  Resume();
  EXPECT_THAT(client.gets, IsEmpty());
  timers.Advance(milliseconds(100));
  AnswerList(12, 12, {Record(3, 5)});
  EXPECT_EQ(Members(), 1);
}

TEST_F(FollowerFaultsTest, AnAnswerThatComesAfterANewListIsIgnored) {
  AnswerList(10, 10, {Record(0, 8)});
  Interrupt();
  Resume();
  Watched(kRecords).OnCompacted(20);
  timers.Advance(milliseconds(100));
  AnswerGet(etcd::RangeResult{30, {}});
  AnswerList(30, 30, {Record(0, 8)});
  timers.Advance(seconds(1));
  EXPECT_THAT(client.ranges, IsEmpty());
}

TEST_F(FollowerFaultsTest, AWholeServiceThatVanishesStays) {
  AnswerList(10, 10, {Record(0, 7), Record(1, 8), Record(2, 9)});
  for (int n = 0; n < 3; ++n) Delete(n, 11 + n);
  timers.Advance(seconds(200));
  EXPECT_EQ(Count(InstanceStatus::kLapsed), 3);
  Put(Record(1, 20));
  EXPECT_EQ(Count(InstanceStatus::kRegistered), 1);
  timers.Advance(seconds(101));
  EXPECT_EQ(Members(), 1);
}

TEST_F(FollowerFaultsTest, OneThatVanishesGoesAfterTheWindow) {
  AnswerList(10, 10, {Record(0, 7), Record(1, 8), Record(2, 9)});
  Delete(1, 11);
  EXPECT_EQ(Count(InstanceStatus::kLapsed), 1);
  timers.Advance(kLapseWindow);
  EXPECT_EQ(Members(), 2);
}

// Nobody could tell us meanwhile that they are back.
TEST_F(FollowerFaultsTest, LapsesDoNotEndInAnOutage) {
  AnswerList(10, 10, {Record(0, 7), Record(1, 8), Record(2, 9)});
  Delete(1, 11);
  Interrupt();
  timers.Advance(std::chrono::hours(2));
  EXPECT_EQ(Count(InstanceStatus::kLapsed), 1);
  Resume();
  AnswerGet(etcd::RangeResult{30, {Record(0, 7)}});
  timers.Advance(kLapseWindow - seconds(1));
  EXPECT_EQ(Count(InstanceStatus::kLapsed), 1);
  timers.Advance(seconds(2));
  EXPECT_EQ(Members(), 2);
}

// Servers with long leases take longer to learn that theirs are gone.
TEST_F(FollowerFaultsTest, AfterAnOutageALapseHasItsWindowAgain) {
  etcd::KeyValue record = Record(1, 8);
  record.value.insert(1, R"("metadata":{"turnout.ttl":"60"},)");
  AnswerList(10, 10, {Record(0, 7), record, Record(2, 9)});
  Delete(1, 11);
  Interrupt();
  timers.Advance(std::chrono::hours(2));
  Resume();
  AnswerGet(etcd::RangeResult{30, {Record(0, 7)}});
  timers.Advance(seconds(59));
  EXPECT_EQ(Count(InstanceStatus::kLapsed), 1);
  timers.Advance(seconds(2));
  EXPECT_EQ(Members(), 2);
}

TEST_F(FollowerFaultsTest, ACachedListHoldsUntilEtcdAnswers) {
  follower->Preload({{10, {Record(0, 7), Record(1, 8)}}, {10, {}}, {10, {}}});
  ASSERT_THAT(snapshots, SizeIs(1));
  EXPECT_TRUE(snapshots[0]->from_cache);
  EXPECT_EQ(Members(), 2);
  const auto stats = snapshots[0]->members[0].stats;
  AnswerList(12, 12, {Record(0, 7)});
  ASSERT_THAT(snapshots, SizeIs(2));
  EXPECT_FALSE(snapshots[1]->from_cache);
  EXPECT_EQ(snapshots[1]->members[0].stats, stats);
  EXPECT_EQ(Count(InstanceStatus::kLapsed), 1);
}

TEST_F(FollowerFaultsTest, ThatTheCacheWasRightIsToldToo) {
  follower->Preload({{10, {Record(0, 7)}}, {10, {}}, {10, {}}});
  AnswerList(10, 10, {Record(0, 7)});
  timers.Advance(milliseconds(100));
  ASSERT_THAT(snapshots, SizeIs(2));
  EXPECT_FALSE(snapshots[1]->from_cache);
  EXPECT_EQ(Count(InstanceStatus::kRegistered), 1);
}

TEST_F(FollowerFaultsTest, CachedRulesHoldUntilEtcdAnswers) {
  follower->Preload({{10, {Record(0, 7)}}, {10, {}}, {10, {Rules("{ }", 6)}}});
  ASSERT_THAT(snapshots, SizeIs(1));
  const auto cached = snapshots[0]->rules;
  ASSERT_NE(cached, nullptr);
  AnswerList(12, 12, {Record(0, 7)}, 12, {Rules("{ }", 6)});
  ASSERT_THAT(snapshots, SizeIs(1));
  timers.Advance(milliseconds(100));
  ASSERT_THAT(snapshots, SizeIs(2));
  EXPECT_EQ(snapshots[1]->rules, cached) << "nothing is decided anew";
  EXPECT_FALSE(snapshots[1]->from_cache);
}

// The servers are back before the rules are: what was forbidden stays so.
TEST_F(FollowerFaultsTest, RulesOutliveAWipedEtcd) {
  AnswerList(10, 10, {Record(0, 8)}, 10, {Rules("{ }", 6)});
  Interrupt();
  Resume();
  AnswerGet(etcd::RangeResult{3, {}});
  timers.Advance(milliseconds(100));
  AnswerList(3, 3, {});
  timers.Advance(seconds(1));
  ASSERT_NE(snapshots.back()->rules, nullptr);
  EXPECT_EQ(snapshots.back()->rules->text(), "{ }");
  EXPECT_THAT(snapshots.back()->rejected, SizeIs(1));
  PutRules("{  }", 4);
  EXPECT_EQ(snapshots.back()->rules_revision, 4);
  EXPECT_THAT(snapshots.back()->rejected, IsEmpty());
}

TEST_F(FollowerFaultsTest, ACacheThatComesLateIsIgnored) {
  AnswerList(10, 10, {Record(0, 7)});
  follower->Preload({{5, {Record(1, 4)}}, {5, {}}, {5, {}}});
  EXPECT_THAT(snapshots, SizeIs(1));
}

TEST_F(FollowerFaultsTest, WhatIsBeyondTheLimitIsLeftOutUntilThereIsRoom) {
  AnswerList(10, 10, {Record(0, 1), Record(1, 2), Record(2, 3), Record(3, 4), Record(4, 5)});
  Put(Record(5, 11));
  Put(Record(6, 12));
  timers.Advance(seconds(60));
  EXPECT_EQ(Members(), 5);
  EXPECT_THAT(client.ranges, IsEmpty()) << "there is no room";
  Put(Record(0, 13));
  Delete(0, 14);
  timers.Advance(kLapseWindow + seconds(5));
  AnswerList(15, 15, {Record(1, 2), Record(2, 3), Record(3, 4), Record(4, 5), Record(5, 11)});
  EXPECT_EQ(Members(), 5);
}

TEST_F(FollowerFaultsTest, AnOutageIsLoggedAtItsBeginningAndAtItsEnd) {
  base::TestLogs logs;
  for (int i = 0; i < 1000; ++i) {
    const auto failure = absl::UnavailableError(i % 2 == 0 ? "connection refused" : "no leader");
    ASSERT_TRUE(client.Answer(kRecords, failure)) << "it tries again, " << i;
    ASSERT_TRUE(client.Answer(kStates, failure));
    ASSERT_TRUE(client.AnswerGet(kRules, failure));
    timers.Advance(seconds(5));
  }
  EXPECT_THAT(errors, SizeIs(1000)) << "each that is another one";
  EXPECT_EQ(logs.Count("cannot read the registrations of hwholiday.srv.app"), 1);
  EXPECT_THAT(logs.Messages(), SizeIs(1));
  AnswerList(10, 10, {Record(0, 8)});
  EXPECT_EQ(logs.Count("can be read again"), 1);
  EXPECT_THAT(logs.Messages(), SizeIs(2));
  EXPECT_EQ(recoveries, 1);
}

TEST_F(FollowerFaultsTest, SoIsOneOfItsWatches) {
  AnswerList(10, 10, {Record(0, 8)});
  base::TestLogs logs;
  for (int i = 0; i < 1000; ++i) {
    Interrupt();
    Watched(kRecords).OnInterrupted(absl::UnavailableError(i % 2 ? "refused" : "no leader"));
    timers.Advance(seconds(2));
  }
  EXPECT_EQ(logs.Count("cannot read the registrations of hwholiday.srv.app"), 1);
  EXPECT_THAT(logs.Messages(), SizeIs(1));
  Watched(kRecords).OnResumed();
  Watched(kStates).OnResumed();
  EXPECT_THAT(logs.Messages(), SizeIs(1)) << "a part of it is still away";
  Watched(kRules).OnResumed();
  AnswerGet(etcd::RangeResult{30, {Record(0, 8)}});
  timers.Advance(seconds(60));
  EXPECT_EQ(logs.Count("can be read again"), 1);
  EXPECT_THAT(logs.Messages(), SizeIs(2));
}

TEST_F(FollowerFaultsTest, AMissingPermissionIsNoReasonToHammer) {
  int requests = 0;
  for (int i = 0; i < 60'000; ++i) {
    if (client.Answer(kRecords, absl::PermissionDeniedError("may not do that"))) ++requests;
    client.Answer(kStates, absl::PermissionDeniedError("may not do that"));
    client.AnswerGet(kRules, absl::PermissionDeniedError("may not do that"));
    timers.Advance(milliseconds(1));
  }
  EXPECT_LE(requests, 6 + 60 / 2.5) << "0.1, 0.2, ... 3.2 s, then 5 s, or half of that";
  EXPECT_GE(requests, 60 / 5) << "yet it goes on";
  EXPECT_THAT(errors, SizeIs(1));
}

TEST_F(FollowerFaultsTest, WhoseRecordsAreTooManyIsToldOnce) {
  base::TestLogs logs;
  AnswerList(10, 10, {Record(0, 1), Record(1, 2), Record(2, 3), Record(3, 4)});
  for (int n = 4; n < 100; ++n) Put(Record(n, 11 + n));
  EXPECT_EQ(logs.Count("has more than 5 instances"), 1);
}

// A storm of departures is published as often as its windows end, and a few times at once.
TEST_F(FollowerFaultsTest, AStormOfDeparturesIsCoalesced) {
  AnswerList(10, 10, {Record(0, 7), Record(1, 8)});
  timers.Advance(seconds(1));
  const std::size_t before = snapshots.size();
  for (int i = 0; i < 1000; ++i) {
    Put(Record(0, 100 + i, i % 2 == 0 ? "v2" : "v1"));
    timers.Advance(milliseconds(1));
  }
  timers.Advance(seconds(1));
  EXPECT_LE(snapshots.size() - before, 1000 / 80 * 5 + 30);
  EXPECT_EQ(snapshots.back()->members[0].instance->version, "v1");
}

TEST_F(FollowerFaultsTest, AStormOfDeparturesDoesNotHoldUpRules) {
  AnswerList(10, 10, {Record(0, 7), Record(1, 8)});
  for (int i = 0; i < 20; ++i) Put(Record(0, 100 + i, i % 2 == 0 ? "v2" : "v1"));
  const std::size_t before = snapshots.size();
  Put(Record(0, 200, "v3"));
  EXPECT_EQ(snapshots.size(), before) << "a departure waits by now";
  PutRules("{ }", 300);
  ASSERT_EQ(snapshots.size(), before + 1);
  EXPECT_EQ(snapshots.back()->rules_revision, 300);
}

}  // namespace
}  // namespace turnout::discovery
