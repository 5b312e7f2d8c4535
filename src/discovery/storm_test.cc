// More changes than anyone could want to hear of, each by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/serial_thread.h"
#include "src/base/test_logs.h"
#include "src/discovery/follower_fixture.h"
#include "src/discovery/report.h"
#include "turnout/observer.h"

namespace turnout::discovery {
namespace {

using std::chrono::milliseconds;

// On a clock of its own: 10 events each millisecond for 10 s.
class StormTest : public FollowerTest {
 protected:
  static constexpr int kMilliseconds = 10'000;
  static constexpr int kEventsEach = 10;
  // While the windows grow from 5 to 80 ms, then one for each; and a few departures before that.
  static constexpr std::size_t kMostSnapshots = 5 + kMilliseconds / 80 + 4 + 1;

  StormTest()
      : FollowerTest({.service = kService,
                      .keys = model::Keys(""),
                      .lapsed_limit = std::chrono::seconds(300)}) {}

  // `change` makes one at the revision that it is given.
  void Storm(const std::function<void(etcd::Revision)>& change) {
    AnswerList(10, 10, {Record(0, 7), Record(1, 8)});
    timers.Advance(milliseconds(100));
    snapshots.clear();
    etcd::Revision revision = 10;
    for (int i = 0; i < kMilliseconds; ++i) {
      for (int event = 0; event < kEventsEach; ++event) change(++revision);
      timers.Advance(milliseconds(1));
    }
    timers.Advance(milliseconds(100));
    EXPECT_LE(snapshots.size(), kMostSnapshots);
    EXPECT_GE(snapshots.size(), kMilliseconds / 80 / 2) << "yet it goes on telling";
    EXPECT_EQ(snapshots.back()->revision, revision);
  }
};

TEST_F(StormTest, ChangesThatRerouteNothingShareTheirWindowsSnapshot) {
  Storm([this](etcd::Revision revision) {
    etcd::KeyValue kv = Record(0, revision);
    kv.value.insert(1, absl::StrCat(R"("metadata":{"load":")", revision, R"("},)"));
    Put(kv);
  });
}

TEST_F(StormTest, DeparturesShareTheirWindowsSnapshotToo) {
  Storm([this](etcd::Revision revision) { Put(Record(0, revision, revision % 2 ? "v1" : "v2")); });
  EXPECT_EQ(snapshots.back()->members[0].instance->version, "v2");
}

TEST_F(StormTest, JoinsShareTheirWindowsSnapshot) {
  Storm([this](etcd::Revision revision) {
    Put(Record(static_cast<int>(revision) % 1000, revision));
  });
  EXPECT_EQ(Members(), 1000U);
}

// Each change would be a warning: what is not logged is told in one line a second, and counted.
TEST_F(StormTest, WarningsAreFewAndNoneIsLost) {
  base::TestLogs logs;
  const std::uint64_t rejected_before = GetCounters().records_rejected;
  Storm([this](etcd::Revision revision) {
    etcd::KeyValue kv = Record(0, revision);
    if (revision % 2 == 0) kv.value = "{";
    Put(kv);
  });
  timers.Advance(std::chrono::seconds(2));
  const std::uint64_t rejected = GetCounters().records_rejected - rejected_before;
  EXPECT_EQ(rejected, kMilliseconds * kEventsEach / 2);

  EXPECT_EQ(logs.Count(" is not used: "), 10);
  std::uint64_t told = 10;
  for (const std::string& message : logs.Messages()) {
    std::uint64_t more = 0;
    if (std::sscanf(message.c_str(), "and %lu more warnings", &more) == 1) told += more;
  }
  EXPECT_EQ(told, rejected);
  EXPECT_THAT(logs.Messages(), testing::SizeIs(10 + kMilliseconds / 1000));
}

TEST_F(StormTest, VanishingIsLoggedRarelyToo) {
  base::TestLogs logs;
  const std::uint64_t lapsed_before = GetCounters().instances_lapsed;
  Storm([this](etcd::Revision revision) {
    revision % 2 == 0 ? Delete(0, revision) : Put(Record(0, revision));
  });
  EXPECT_EQ(GetCounters().instances_lapsed - lapsed_before, kMilliseconds * kEventsEach / 2);
  EXPECT_EQ(logs.Count("have vanished unannounced"), 10);
  EXPECT_LE(logs.Messages().size(), 10U + kMilliseconds / 1000);
}

// Only the newest snapshot is kept for an observer that takes its time.
TEST(ReportSnapshot, WhatHasBeenReplacedMeanwhileIsNotTold) {
  class Recorder final : public Observer {
   public:
    void OnSnapshot(std::shared_ptr<const Snapshot> snapshot) override {
      revisions.push_back(snapshot->revision);
    }
    std::vector<std::int64_t> revisions;
  };
  const auto recorder = std::make_shared<Recorder>();
  SetObserver(recorder);
  std::promise<void> let_go, done;
  base::ReportThread().Run([&] { let_go.get_future().wait(); });
  std::shared_ptr<const Snapshot> newest;
  for (int i = 1; i <= 100; ++i) {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->revision = i;
    newest = std::move(snapshot);
    ReportSnapshot(newest);
  }
  EXPECT_EQ(newest.use_count(), 1);
  let_go.set_value();
  base::ReportThread().Run([&] { done.set_value(); });
  done.get_future().wait();
  SetObserver(nullptr);
  EXPECT_EQ(recorder->revisions, std::vector<std::int64_t>{100});
}

}  // namespace
}  // namespace turnout::discovery
