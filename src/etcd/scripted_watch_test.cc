// Watches on an etcd that does what real ones seldom do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/etcd/test_client.h"
#include "tests/support/scripted_etcd.h"

namespace turnout::etcd {
namespace {

using ::testing::ElementsAre;
using testing::ScriptedEtcd;
using ::testing::SizeIs;

std::string To(Revision revision) { return absl::StrCat("to ", revision); }

int Count(const std::vector<std::string>& lines, const std::string& line) {
  return static_cast<int>(std::count(lines.begin(), lines.end(), line));
}

class ScriptedWatchTest : public ::testing::Test {
 protected:
  // A watch of /a/ from now on, that runs.
  void Begin() {
    watch_.emplace([&] { return client_.WatchPrefix("/a/", etcd_.revision() + 1, &journal_); });
    ASSERT_THAT(journal_.Wait(1), ElementsAre("resumed"));
  }

  ScriptedEtcd etcd_;
  ClientImpl& client_ = NewClient({etcd_.endpoint()});
  WatchJournal journal_;
  std::optional<OnLoop<Client::WatchHandle>> watch_;
};

TEST_F(ScriptedWatchTest, CompactionDuringABreakIsSaid) {
  Begin();
  etcd_.Stop();
  ASSERT_THAT(journal_.Wait(2), SizeIs(2));
  etcd_.Put("/a/1", "missed");
  etcd_.Compact(etcd_.Put("/a/2", "missed"));
  etcd_.Start();
  EXPECT_THAT(journal_.Wait(4), ElementsAre("resumed", "interrupted", "resumed", "compacted"));
}

TEST_F(ScriptedWatchTest, CompactionUpToWhatWeHaveCostsNothing) {
  Begin();
  etcd_.Stop();
  ASSERT_THAT(journal_.Wait(2), SizeIs(2));
  etcd_.Compact(etcd_.revision());
  const Revision put = etcd_.Put("/a/1", "1");
  etcd_.Start();
  EXPECT_THAT(journal_.Wait(5),
              ElementsAre("resumed", "interrupted", "resumed", "put /a/1 1", To(put)));
}

TEST_F(ScriptedWatchTest, FragmentsAreOneCall) {
  Begin();
  etcd_.FragmentEvents(2);
  const Revision put = etcd_.PutAll({{"/a/1", "1"}, {"/a/2", "2"}, {"/a/3", "3"}});
  EXPECT_THAT(journal_.Wait(5),
              ElementsAre("resumed", "put /a/1 1", "put /a/2 2", "put /a/3 3", To(put)));
}

TEST_F(ScriptedWatchTest, ABreakBetweenFragmentsLosesAndDoublesNothing) {
  Begin();
  etcd_.FragmentEvents(1);
  etcd_.BreakWatches(2);
  const Revision put = etcd_.PutAll({{"/a/1", "1"}, {"/a/2", "2"}, {"/a/3", "3"}});
  EXPECT_THAT(journal_.Wait(7), ElementsAre("resumed", "interrupted", "resumed", "put /a/1 1",
                                            "put /a/2 2", "put /a/3 3", To(put)));
}

TEST_F(ScriptedWatchTest, BreaksAtEachResponseLoseAndDoubleNothing) {
  Begin();
  std::vector<std::string> puts;
  for (int i = 0; i < 20; ++i) {
    if (i % 4 == 0) etcd_.BreakWatches(1 + i / 4);
    etcd_.Put("/a/1", absl::StrCat(i));
    puts.push_back(absl::StrCat("put /a/1 ", i));
  }
  const std::string end = To(etcd_.revision());
  std::vector<std::string> lines;
  for (std::size_t seen = 1; Count(lines, end) == 0; ++seen) {
    lines = journal_.Wait(seen);
    ASSERT_GE(lines.size(), seen) << "never came to the end";
  }
  std::erase_if(lines, [](const std::string& line) { return !line.starts_with("put"); });
  EXPECT_EQ(lines, puts);
}

TEST_F(ScriptedWatchTest, ACancelledWatchGoesOn) {
  Begin();
  etcd_.RefuseWatches("/a/", "etcdserver: permission denied");
  etcd_.CancelWatches("/a/", "etcdserver: mvcc: no particular reason");
  ASSERT_THAT(journal_.Wait(2), ElementsAre("resumed", "interrupted"));
  const Revision put = etcd_.Put("/a/1", "meanwhile");
  etcd_.RefuseWatches("/a/", "");
  EXPECT_THAT(journal_.Wait(5),
              ElementsAre("resumed", "interrupted", "resumed", "put /a/1 meanwhile", To(put)));
}

TEST_F(ScriptedWatchTest, ARefusalConcernsItsWatchAlone) {
  etcd_.RefuseWatches("/secret/", "etcdserver: permission denied");
  WatchJournal refused;
  const auto watch = Watch(client_, "/secret/", 1, refused);
  Begin();
  ASSERT_THAT(refused.Wait(1), ElementsAre("interrupted"));
  const Revision put = etcd_.Put("/a/1", "1");
  EXPECT_THAT(journal_.Wait(3), ElementsAre("resumed", "put /a/1 1", To(put)));
  etcd_.RefuseWatches("/secret/", "");
  const Revision secret = etcd_.Put("/secret/1", "1");
  EXPECT_THAT(refused.Wait(4),
              ElementsAre("interrupted", "resumed", "put /secret/1 1", To(secret)));
  EXPECT_THAT(journal_.lines(), SizeIs(3));
}

// Watches share a stream, and yet one may be far behind another.
TEST_F(ScriptedWatchTest, ALateWatchIsNeitherLostNorMixedUp) {
  WatchJournal other;
  const auto watch = Watch(client_, "/b/", 1, other);
  Begin();
  other.Wait(1);
  etcd_.HoldWatches("/a/");
  const Revision early = etcd_.Put("/a/1", "early");
  const Revision late = etcd_.Put("/b/1", "late");
  EXPECT_THAT(other.Wait(3), ElementsAre("resumed", "put /b/1 late", To(late)));
  EXPECT_THAT(journal_.lines(), ElementsAre("resumed"));
  etcd_.ReleaseWatches();
  EXPECT_THAT(journal_.Wait(3), ElementsAre("resumed", "put /a/1 early", To(early)));
}

TEST_F(ScriptedWatchTest, AMemberThatLagsIsNoNewHistory) {
  const Revision put = etcd_.Put("/a/1", "1");
  Begin();
  etcd_.AlterAs<etcdpb::WatchResponse>("Watch", [](etcdpb::WatchResponse& response) {
    if (response.created()) response.mutable_header()->set_revision(1);
  });
  const int asked = etcd_.requests("Range");
  etcd_.BreakWatches();
  ASSERT_THAT(journal_.Wait(3), ElementsAre("resumed", "interrupted", "resumed"));
  ASSERT_TRUE(etcd_.WaitForRequests("Range", asked + 1));
  const Revision next = etcd_.Put("/a/2", "2");
  EXPECT_GT(next, put);
  EXPECT_THAT(journal_.Wait(5),
              ElementsAre("resumed", "interrupted", "resumed", "put /a/2 2", To(next)));
}

TEST_F(ScriptedWatchTest, ARestoredHistoryIsANewOne) {
  const Revision backup = etcd_.Put("/a/1", "1");
  etcd_.Put("/a/2", "will never have been");
  Begin();
  etcd_.RestoreTo(backup);
  EXPECT_THAT(journal_.Wait(4), ElementsAre("resumed", "interrupted", "resumed", "compacted"));
}

TEST_F(ScriptedWatchTest, AnotherClustersHistoryIsANewOne) {
  Begin();
  etcd_.BecomeCluster(4711);
  etcd_.BreakWatches();
  EXPECT_THAT(journal_.Wait(3), ElementsAre("resumed", "interrupted", "compacted"));
}

// Its connection lives, and answers pings.
TEST_F(ScriptedWatchTest, ASilentEtcdIsNoticedWithinTenSecondsAndNothingOfItIsDoubled) {
  Begin();
  const auto begin = std::chrono::steady_clock::now();
  etcd_.SetSilent(true);
  const Revision put = etcd_.Put("/a/1", "unheard");
  ASSERT_THAT(journal_.Wait(2), ElementsAre("resumed", "interrupted"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  etcd_.SetSilent(false);
  EXPECT_THAT(journal_.Wait(5),
              ElementsAre("resumed", "interrupted", "resumed", "put /a/1 unheard", To(put)));
}

// It would be silent, for the watch has nothing to tell; but it was asked to say so.
TEST_F(ScriptedWatchTest, AMemberWithoutALeaderIsLeftAtOnce) {
  Begin();
  const auto begin = std::chrono::steady_clock::now();
  etcd_.SetLeader(false);
  ASSERT_THAT(journal_.Wait(2), ElementsAre("resumed", "interrupted"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3));
  EXPECT_THAT(journal_.WaitForWhy(), ::testing::HasSubstr("no leader"));
  etcd_.SetLeader(true);
  EXPECT_THAT(journal_.Wait(3), ElementsAre("resumed", "interrupted", "resumed"));
}

// Steps of 100, 200, 400, 800, 1600 ms, or half of that.
TEST_F(ScriptedWatchTest, AWatchWithoutPermissionIsAskedForWithGrowingPauses) {
  Journal refusals;
  etcd_.AlterAs<etcdpb::WatchResponse>("Watch", [&](etcdpb::WatchResponse& response) {
    if (response.created() && response.canceled()) refusals.Write("refused");
  });
  etcd_.RefuseWatches("/secret/", "etcdserver: permission denied");
  const auto watch = Watch(client_, "/secret/", 1, journal_);
  ASSERT_THAT(refusals.Wait(5), SizeIs(5));
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_THAT(refusals.Wait(6), SizeIs(6));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(700));
  EXPECT_THAT(journal_.lines(), ElementsAre("interrupted"));
  etcd_.Alter("Watch", nullptr);
}

// Whatever etcd says: what is really there is told once, or is to be listed again.
class GarbageTest : public ScriptedWatchTest {
 protected:
  etcdpb::WatchResponse Response(std::int64_t id) const {
    etcdpb::WatchResponse response;
    response.mutable_header()->set_cluster_id(1);
    response.mutable_header()->set_revision(etcd_.revision());
    response.set_watch_id(id);
    return response;
  }
  etcdpb::WatchResponse Event(const std::string& key, Revision revision) const {
    etcdpb::WatchResponse response = Response(1);
    etcdpb::KeyValue& kv = *response.add_events()->mutable_kv();
    kv.set_key(key);
    kv.set_mod_revision(revision);
    return response;
  }

  // After two puts, `garbage`, and another.
  template <typename Garbage>
  std::vector<std::string> LinesAround(const Garbage& garbage) {
    Begin();
    etcd_.Put("/a/1", "1");
    etcd_.Put("/a/2", "2");
    journal_.Wait(5);
    etcd_.SendToWatches(garbage);
    etcd_.Put("/a/3", "3");
    const std::string end = To(etcd_.revision());
    std::vector<std::string> lines;
    for (std::size_t seen = 6; Count(lines, end) + Count(lines, "compacted") == 0; ++seen) {
      lines = journal_.Wait(seen);
      if (lines.size() < seen) break;
    }
    return lines;
  }
  template <typename Garbage>
  void ExpectIgnored(const Garbage& garbage) {
    const auto lines = LinesAround(garbage);
    EXPECT_EQ(Count(lines, "put /a/1 1"), 1);
    EXPECT_EQ(Count(lines, "put /a/2 2"), 1);
    EXPECT_EQ(Count(lines, "put /a/3 3"), 1);
    EXPECT_EQ(lines.back(), To(etcd_.revision()));
  }
  template <typename Garbage>
  void ExpectRelist(const Garbage& garbage) {
    const auto lines = LinesAround(garbage);
    EXPECT_EQ(Count(lines, "put /a/1 1"), 1);
    EXPECT_EQ(Count(lines, "put /a/2 2"), 1);
    EXPECT_EQ(lines.back(), "compacted");
    EXPECT_THAT(lines, SizeIs(6));
  }
};

TEST_F(GarbageTest, BytesThatAreNoMessage) {
  ExpectIgnored(std::string("\xff\xff\xff\xff\x07not a message", 18));
}

TEST_F(GarbageTest, NothingAtAll) { ExpectIgnored(std::string()); }

TEST_F(GarbageTest, EventsOfAWatchThatNobodyAskedFor) {
  etcdpb::WatchResponse response = Event("/a/1", 2);
  response.set_watch_id(4711);
  ExpectIgnored(response);
}

TEST_F(GarbageTest, ACreationThatNobodyAskedFor) {
  etcdpb::WatchResponse response = Response(4711);
  response.set_created(true);
  ExpectIgnored(response);
}

TEST_F(GarbageTest, ACreationThatHasBeenAnswered) {
  etcdpb::WatchResponse response = Response(1);
  response.mutable_header()->set_revision(std::numeric_limits<Revision>::min());
  response.set_created(true);
  ExpectIgnored(response);
}

TEST_F(GarbageTest, TheEndOfAWatchThatThereIsNot) {
  etcdpb::WatchResponse response = Response(4711);
  response.set_canceled(true);
  response.set_compact_revision(-5);
  ExpectIgnored(response);
}

TEST_F(GarbageTest, AnEventTwice) { ExpectRelist(Event("/a/1", 2)); }

TEST_F(GarbageTest, AnEventBelowAllRevisions) {
  ExpectRelist(Event("/a/1", std::numeric_limits<Revision>::min()));
}

TEST_F(GarbageTest, AnEventAboveAllRevisions) {
  ExpectRelist(Event("/a/1", std::numeric_limits<Revision>::max()));
}

TEST_F(GarbageTest, AnEventOfTheFuture) { ExpectRelist(Event("/a/1", 1'000'000)); }

TEST_F(GarbageTest, EventsOutOfOrder) {
  etcdpb::WatchResponse response = Event("/a/1", 1'000);
  *response.add_events() = Event("/a/2", 999).events(0);
  response.mutable_header()->set_revision(1'000);
  ExpectRelist(response);
}

TEST_F(GarbageTest, FragmentsWithoutEnd) {
  Begin();
  etcdpb::WatchResponse part = Event("/a/1", 2);
  part.mutable_events(0)->mutable_kv()->set_value(std::string(1 << 20, 'x'));
  part.mutable_header()->set_revision(2);
  part.set_fragment(true);
  for (std::size_t i = 0; i <= Fragments::kMostBytes >> 20; ++i) etcd_.SendToWatches(part);
  EXPECT_THAT(journal_.Wait(2), ElementsAre("resumed", "compacted"));
}

}  // namespace
}  // namespace turnout::etcd
