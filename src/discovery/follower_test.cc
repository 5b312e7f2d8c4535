#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/discovery/follower_fixture.h"

namespace turnout::discovery {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(FollowerTest, ListsThenWatchesEachFromItsOwnRevision) {
  EXPECT_THAT(client.watches, IsEmpty());
  AnswerList(10, 12, {Record(0, 9)}, 14);
  ASSERT_EQ(snapshots.size(), 1);
  EXPECT_EQ(Members(), 1);
  ASSERT_EQ(client.watches.size(), 3);
  EXPECT_EQ(client.WatchOn(kRecords)->start, 11);
  EXPECT_EQ(client.WatchOn(kStates)->start, 13);
  EXPECT_EQ(client.WatchOn(kRules)->start, 15);
  EXPECT_THAT(errors, IsEmpty());
}

TEST_F(FollowerTest, AChangeBetweenListAndWatchIsSeen) {
  AnswerList(10, 10, {Record(0, 9)});
  // It happened at 11, after the range and before etcd knew of the watch, which delivers it because
  // it begins at 11.
  Put(Record(1, 11));
  timers.Advance(milliseconds(5));
  EXPECT_EQ(Members(), 2);
}

TEST_F(FollowerTest, AnEmptyServiceIsASnapshot) {
  AnswerList(10, 10, {});
  ASSERT_EQ(snapshots.size(), 1);
  EXPECT_EQ(Members(), 0);
}

TEST_F(FollowerTest, KeepsTryingWhenTheListFails) {
  for (int attempt = 0; attempt < 20; ++attempt) {
    const absl::Status refused = absl::UnavailableError("connection refused");
    ASSERT_TRUE(attempt % 3 == 0   ? client.Answer(kRecords, refused)
                : attempt % 3 == 1 ? client.Answer(kStates, refused)
                                   : client.AnswerGet(kRules, refused));
    EXPECT_THAT(snapshots, IsEmpty());
    client.ranges.clear();
    client.gets.clear();
    timers.Advance(milliseconds(49));
    EXPECT_THAT(client.ranges, IsEmpty()) << "no retry without a pause";
    EXPECT_THAT(client.gets, IsEmpty()) << "no retry without a pause";
    timers.Advance(milliseconds(5000));
    ASSERT_EQ(client.ranges.size(), 2) << "a retry after at most 5 s";
    ASSERT_EQ(client.gets.size(), 1) << "a retry after at most 5 s";
  }
  EXPECT_EQ(errors.size(), 1) << "one error, not one for each attempt";
  EXPECT_EQ(errors[0],
            absl::UnavailableError(
                "cannot read the registrations of hwholiday.srv.app from etcd at 10.9.9.9:2379, "
                "10.9.9.8:2379: connection refused"));
  AnswerList(10, 10, {Record(0, 9)});
  EXPECT_EQ(Members(), 1);
  EXPECT_EQ(recoveries, 1);
}

TEST_F(FollowerTest, AnswersToAnAbandonedListAreIgnored) {
  const auto late = client.ranges[0].second;
  const auto late_rules = client.gets[0].done;
  ASSERT_TRUE(client.Answer(kStates, absl::UnavailableError("no leader")));
  timers.Advance(milliseconds(100));
  late(etcd::RangeResult{5, {Record(7, 4)}});
  late_rules(etcd::RangeResult{5, {Rules("{}", 4)}});
  client.ranges.erase(client.ranges.begin());
  client.gets.erase(client.gets.begin());
  AnswerList(10, 10, {Record(0, 9)});
  ASSERT_EQ(Members(), 1);
  EXPECT_EQ(snapshots[0]->members[0].instance->id, "app-1000");
  EXPECT_EQ(snapshots[0]->rules, nullptr);
}

TEST_F(FollowerTest, DeparturesArePublishedAtOnce) {
  AnswerList(10, 10, {Record(0, 9), Record(1, 9), Record(2, 9)});
  Delete(0, 11);
  EXPECT_EQ(snapshots.size(), 2);
  Delete(1, 12);
  EXPECT_EQ(snapshots.size(), 3);
  Put(Record(2, 13, "v2"));
  EXPECT_EQ(snapshots.size(), 4);
  Watched(kStates).OnEvents({{etcd::Event::Type::kPut,
                              {.key = kStates + std::string("app-1002"),
                               .value = "draining",
                               .create_revision = 14,
                               .mod_revision = 14}}},
                            14);
  ASSERT_EQ(snapshots.size(), 5);
  EXPECT_EQ(snapshots.back()->members[0].status, InstanceStatus::kDraining);
}

TEST_F(FollowerTest, AJoinAfterAQuietTimeIsPublishedAtOnce) {
  AnswerList(10, 10, {});
  timers.Advance(milliseconds(5));
  EXPECT_EQ(timers.waiting(), 0) << "nothing to do while nothing happens";
  Put(Record(0, 11));
  EXPECT_EQ(snapshots.size(), 2);
  EXPECT_EQ(Members(), 1);
}

TEST_F(FollowerTest, JoinsInABurstShareSnapshots) {
  AnswerList(10, 10, {});
  timers.Advance(milliseconds(5));
  // 1,000 joins, four a millisecond.
  for (int n = 0; n < 1000; ++n) {
    Put(Record(n, 11 + n));
    if (n % 4 == 3) timers.Advance(milliseconds(1));
  }
  timers.Advance(milliseconds(80));
  EXPECT_EQ(Members(), 1000);
  EXPECT_LE(snapshots.size(), 10);

  // A departure does not wait for the window's end, and takes the joins along.
  timers.Advance(milliseconds(200));
  const std::size_t before = snapshots.size();
  Put(Record(1000, 2000));
  Put(Record(1001, 2001));
  Delete(0, 2002);
  EXPECT_EQ(snapshots.size(), before + 2);
  EXPECT_EQ(Members(), 1001);
}

TEST_F(FollowerTest, WhatChangesNothingIsNotPublished) {
  AnswerList(10, 10, {Record(0, 9)});
  Watched(kRecords).OnEvents({}, 20);
  Delete(5, 21);
  timers.Advance(milliseconds(100));
  EXPECT_EQ(snapshots.size(), 1);
}

TEST_F(FollowerTest, ListsAgainAfterACompactionAndPublishesTheDifference) {
  AnswerList(10, 10, {Record(0, 9), Record(1, 9)});
  const auto kept = snapshots[0]->members[0];
  Watched(kRecords).OnCompacted(50);
  EXPECT_EQ(snapshots.size(), 1) << "the list is not emptied";
  timers.Advance(milliseconds(100));
  EXPECT_THAT(client.watches, IsEmpty());
  AnswerList(60, 60, {Record(0, 9), Record(2, 55)});
  ASSERT_EQ(snapshots.size(), 2);
  EXPECT_EQ(Members(), 2);
  EXPECT_EQ(snapshots[1]->members[0].instance, kept.instance);
  EXPECT_EQ(snapshots[1]->members[0].stats, kept.stats);
  EXPECT_EQ(client.WatchOn(kRecords)->start, 61);

  Watched(kRecords).OnCompacted(70);
  Watched(kStates).OnCompacted(70);
  timers.Advance(milliseconds(200));
  AnswerList(80, 80, {Record(0, 9), Record(2, 55)});
  EXPECT_EQ(snapshots.size(), 2) << "nothing had changed";
  EXPECT_THAT(errors, IsEmpty());
}

TEST_F(FollowerTest, AnOutageLeavesTheListAlone) {
  AnswerList(10, 10, {Record(0, 9)});
  Watched(kRecords).OnInterrupted(absl::UnavailableError("connection reset"));
  Watched(kStates).OnInterrupted(absl::UnavailableError("connection reset"));
  ASSERT_EQ(errors.size(), 1);
  EXPECT_THAT(std::string(errors[0].message()),
              AllOf(HasSubstr("10.9.9.9:2379"), HasSubstr("connection reset")));
  timers.Advance(std::chrono::hours(24));
  EXPECT_EQ(snapshots.size(), 1);
  Watched(kRecords).OnResumed();
  EXPECT_EQ(recoveries, 0);
  Watched(kStates).OnResumed();
  EXPECT_EQ(recoveries, 1);
  Put(Record(1, 11));
  EXPECT_EQ(Members(), 2);
}

TEST_F(FollowerTest, TheFirstSnapshotHasTheRules) {
  ASSERT_TRUE(client.Answer(kRecords, etcd::RangeResult{10, {Record(0, 9)}}));
  ASSERT_TRUE(client.Answer(kStates, etcd::RangeResult{10, {}}));
  EXPECT_THAT(snapshots, IsEmpty()) << "no call goes by an answer without rules";
  ASSERT_TRUE(client.AnswerGet(kRules, etcd::RangeResult{12, {Rules("{ }", 7)}}));
  ASSERT_EQ(snapshots.size(), 1);
  ASSERT_NE(snapshots[0]->rules, nullptr);
  EXPECT_EQ(snapshots[0]->rules->text(), "{ }");
  EXPECT_EQ(snapshots[0]->rules_revision, 7);
  EXPECT_EQ(snapshots[0]->revision, 12);
}

TEST_F(FollowerTest, ChangedRulesArePublishedAtOnce) {
  AnswerList(10, 10, {Record(0, 9)});
  PutRules("{ }", 11);
  ASSERT_EQ(snapshots.size(), 2);
  EXPECT_EQ(snapshots[1]->rules_revision, 11);
  PutRules("{  }", 12);
  ASSERT_EQ(snapshots.size(), 3) << "though it is in the same moment";
  EXPECT_EQ(snapshots[2]->rules_revision, 12);
  Watched(kRules).OnEvents({{etcd::Event::Type::kDelete, {.key = kRules, .mod_revision = 13}}}, 13);
  ASSERT_EQ(snapshots.size(), 4);
  EXPECT_EQ(snapshots[3]->rules, nullptr);
}

// The watch is on what begins like our key.
TEST_F(FollowerTest, RulesOfAServiceWithALongerNameAreNotOurs) {
  AnswerList(10, 10, {Record(0, 9)}, 10, {Rules("{ }", 7)});
  etcd::KeyValue others = Rules("{}", 11);
  others.key += ".backend";
  Watched(kRules).OnEvents({{etcd::Event::Type::kPut, others}}, 11);
  others.mod_revision = 12;
  Watched(kRules).OnEvents({{etcd::Event::Type::kDelete, others}}, 12);
  timers.Advance(milliseconds(100));
  EXPECT_EQ(snapshots.size(), 1);
}

TEST_F(FollowerTest, WhenTheWatchOnRulesFallsBehindAllIsListed) {
  AnswerList(10, 10, {Record(0, 9)}, 10, {Rules("{ }", 7)});
  Watched(kRules).OnCompacted(50);
  timers.Advance(milliseconds(100));
  EXPECT_THAT(client.watches, IsEmpty());
  AnswerList(60, 60, {Record(0, 9)}, 61, {Rules("{  }", 55)});
  ASSERT_EQ(snapshots.size(), 2);
  EXPECT_EQ(snapshots[1]->rules_revision, 55);
  EXPECT_EQ(client.WatchOn(kRules)->start, 62);
}

TEST_F(FollowerTest, AnOutageLastsUntilRulesCanBeReadToo) {
  AnswerList(10, 10, {Record(0, 9)}, 10, {Rules("{ }", 7)});
  for (const char* const watch : {kRecords, kStates, kRules}) {
    Watched(watch).OnInterrupted(absl::UnavailableError("connection reset"));
  }
  EXPECT_EQ(errors.size(), 1);
  Watched(kRecords).OnResumed();
  Watched(kStates).OnResumed();
  EXPECT_EQ(recoveries, 0);
  Watched(kRules).OnResumed();
  EXPECT_EQ(recoveries, 1);
  EXPECT_EQ(snapshots.back()->rules_revision, 7);
}

TEST_F(FollowerTest, EndsWithoutTrace) {
  AnswerList(10, 10, {Record(0, 9)});
  follower.reset();
  EXPECT_THAT(client.watches, IsEmpty());
  EXPECT_EQ(timers.waiting(), 0);
}

TEST_F(FollowerTest, EndsWhileListing) {
  follower.reset();
  AnswerList(10, 10, {Record(0, 9)});
  EXPECT_THAT(snapshots, IsEmpty());
}

}  // namespace
}  // namespace turnout::discovery
