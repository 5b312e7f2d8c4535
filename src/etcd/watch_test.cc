#include "src/etcd/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/etcd/test_client.h"
#include "tests/support/etcd_server.h"

namespace turnout::etcd {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::EtcdServer;
using ::testing::SizeIs;
using Type = Txn::Operation::Type;

std::string To(Revision revision) { return absl::StrCat("to ", revision); }

// Makes etcd forget what was before `revision`.
void Compact(const std::string& endpoint, Revision revision) {
  etcdpb::CompactionRequest request;
  request.set_revision(revision);
  CallEtcd<etcdpb::CompactionResponse>(endpoint, "/etcdserverpb.KV/Compact", request);
}

class WatchTest : public ::testing::Test {
 protected:
  Revision Put(const std::string& key, const std::string& value) {
    const auto revision = etcd_.Put(key, value);
    EXPECT_TRUE(revision.ok()) << revision.status();
    return revision.value_or(0);
  }

  EtcdServer server_;
  ClientImpl& client_ = NewClient({server_.endpoint()});
  BlockingClient etcd_{client_};
};

TEST_F(WatchTest, SeesExactlyWhatFollowsItsStart) {
  Put("/a/1", "before");
  const Revision listed = etcd_.RangePrefix("/a/")->revision;
  const Revision second = Put("/a/2", "between");
  WatchJournal journal;
  const auto watch = Watch(client_, "/a/", listed + 1, journal);
  ASSERT_THAT(journal.Wait(3), ElementsAre("resumed", "put /a/2 between", To(second)));
  Put("/b/1", "a neighbour");
  Put("/a", "a neighbour");
  Put("/a0", "a neighbour");
  const Revision third = Put("/a/1", "after");
  const Revision fourth = etcd_.Delete("/a/2")->revision;
  EXPECT_THAT(journal.Wait(7), ElementsAre("resumed", "put /a/2 between", To(second),
                                           "put /a/1 after", To(third), "delete /a/2", To(fourth)));
}

TEST_F(WatchTest, MissesNothingWhileEtcdRestarts) {
  WatchJournal journal;
  const Revision start = Put("/other", "") + 1;
  const auto watch = Watch(client_, "/a/", start, journal);
  const Revision first = Put("/a/1", "1");
  ASSERT_THAT(journal.Wait(3), ElementsAre("resumed", "put /a/1 1", To(first)));
  server_.Kill();
  ASSERT_THAT(journal.Wait(4), SizeIs(4));
  server_.Start();
  BlockingClient other(NewClient({server_.endpoint()}));
  const Revision second = *other.Put("/a/2", "2");
  const Revision third = *other.Put("/a/1", "3");
  // One or two calls, whether the watch was there before both.
  std::vector<std::string> lines = journal.Wait(8);
  if (lines.back() != To(third)) lines = journal.Wait(9);
  EXPECT_EQ(lines[3], "interrupted");
  EXPECT_EQ(lines[4], "resumed");
  EXPECT_EQ(lines[5], "put /a/2 2");
  EXPECT_THAT(lines, Contains("put /a/1 3"));
  EXPECT_EQ(lines.back(), To(third));
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "put /a/2 2"), 1);
  EXPECT_GT(third, second);
}

TEST_F(WatchTest, SaysWhenTheChangesAreGone) {
  const Revision first = Put("/a/1", "1");
  const Revision second = Put("/a/1", "2");
  Put("/a/1", "3");
  Compact(server_.endpoint(), second);
  WatchJournal journal;
  const auto watch = Watch(client_, "/a/", first, journal);
  EXPECT_THAT(journal.Wait(2), ElementsAre("resumed", "compacted"));
}

TEST_F(WatchTest, SaysWhenTheHistoryIsAnother) {
  for (int i = 0; i < 10; ++i) Put("/a/1", "old");
  WatchJournal journal;
  const auto watch = Watch(client_, "/a/", Put("/a/1", "old") + 1, journal);
  journal.Wait(1);
  server_.Kill();
  server_.Wipe();
  server_.Start();
  EXPECT_THAT(journal.Wait(4), ElementsAre("resumed", "interrupted", "resumed", "compacted"));
}

TEST_F(WatchTest, WatchesShareAStreamAndEndOneByOne) {
  WatchJournal a, b;
  const Revision start = Put("/other", "") + 1;
  const auto watch_b = Watch(client_, "/b/", start, b);
  {
    const auto watch_a = Watch(client_, "/a/", start, a);
    const Revision first = Put("/a/1", "1");
    const Revision second = Put("/b/1", "1");
    EXPECT_THAT(a.Wait(3), ElementsAre("resumed", "put /a/1 1", To(first)));
    EXPECT_THAT(b.Wait(3), ElementsAre("resumed", "put /b/1 1", To(second)));
  }
  Put("/a/2", "nobody looks");
  Put("/b/2", "2");
  EXPECT_THAT(b.Wait(5), SizeIs(5));
  EXPECT_THAT(a.lines(), SizeIs(3));
}

TEST_F(WatchTest, ATransactionComesInOneCall) {
  WatchJournal journal;
  const auto watch = Watch(client_, "/a/", Put("/other", "") + 1, journal);
  Txn txn;
  for (int i = 0; i < 100; ++i) {
    txn.then.push_back({.type = Type::kPut, .key = absl::StrCat("/a/", i), .value = "v"});
  }
  const auto result = etcd_.Commit(txn);
  ASSERT_TRUE(result.ok()) << result.status();
  const auto lines = journal.Wait(102);
  ASSERT_THAT(lines, SizeIs(102));
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                          [](const std::string& line) { return line.starts_with("to "); }),
            1);
  EXPECT_EQ(lines.back(), To(result->revision));
}

// Larger than etcd's limit for one response (2 MB), so that it comes in fragments; and than gRPC's
// usual limit for a message (4 MB), which is what comes when the events wait for the watch.
TEST_F(WatchTest, LargeTransactionsComeWhole) {
  const Revision start = Put("/other", "") + 1;
  WatchJournal live, late;
  const auto watch = Watch(client_, "/a/", start, live);
  ASSERT_THAT(live.Wait(1), SizeIs(1));
  for (int t = 0; t < 5; ++t) {
    Txn txn;
    for (int i = 0; i < 10; ++i) {
      txn.then.push_back({.type = Type::kPut,
                          .key = absl::StrCat("/a/", t, "/", i),
                          .value = std::string(140'000, 'v')});
    }
    ASSERT_TRUE(etcd_.Commit(txn).ok());
  }
  const auto late_watch = Watch(client_, "/a/", start, late);
  const auto puts = [](const std::vector<std::string>& lines) {
    return std::count_if(lines.begin(), lines.end(),
                         [](const std::string& line) { return line.starts_with("put "); });
  };
  EXPECT_EQ(puts(live.Wait(56)), 50);
  EXPECT_EQ(puts(late.Wait(52)), 50);
}

}  // namespace
}  // namespace turnout::etcd
