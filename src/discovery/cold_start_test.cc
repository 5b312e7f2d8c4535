#include "src/discovery/cold_start.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "src/discovery/fake_client.h"
#include "tests/support/temporary_folder.h"

namespace turnout::discovery {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using turnout::testing::TemporaryFolder;

constexpr char kService[] = "hwholiday.srv.app";
constexpr std::chrono::milliseconds kAlmost = ColdStart::kPatience - std::chrono::milliseconds(1);

class ColdStartTest : public ::testing::Test {
 protected:
  void SetUp() override { WriteFile(7, {"app-1"}); }

  void WriteFile(etcd::Revision revision, const std::vector<std::string>& ids) const {
    Snapshot snapshot{.service = kService, .revision = revision};
    for (const std::string& id : ids) {
      Instance instance{.service = kService,
                        .id = id,
                        .version = "v1",
                        .addresses = {"10.0.0.1:80"},
                        .create_revision = 3,
                        .mod_revision = 3};
      snapshot.members.push_back({std::make_shared<const Instance>(std::move(instance)),
                                  InstanceStatus::kRegistered,
                                  {},
                                  std::make_shared<InstanceStats>()});
    }
    CachedService(kService, options).Store(snapshot);
  }
  void RunDisk() {
    for (; !disk.empty(); disk.pop_front()) disk.front()();
  }

  const TemporaryFolder folder;
  const RegistryOptions options{.cache_dir = folder.path()};
  FakeTimers timers;
  std::deque<std::function<void()>> disk;
  const Cache::Environment environment{
      .run_on_disk = [this](auto task) { disk.push_back(std::move(task)); },
      .post = [](const auto& task) { task(); },
      .run_after = [this](auto delay,
                          auto task) { return timers.RunAfter(delay, std::move(task)); },
      .now = [this] { return timers.now(); }};
  Cache cache{kService, options, environment};
  std::vector<etcd::Revision> used;
  std::function<void(const Lists&)> use = [this](const Lists& lists) {
    used.push_back(lists.records.revision);
  };
};

TEST_F(ColdStartTest, TheCacheIsUsedAfterTwoSeconds) {
  const ColdStart start(cache, environment, use);
  RunDisk();
  timers.Advance(kAlmost);
  EXPECT_THAT(used, IsEmpty());
  timers.Advance(std::chrono::milliseconds(1));
  EXPECT_THAT(used, ElementsAre(7));
  timers.Advance(std::chrono::hours(1));
  EXPECT_THAT(used, ElementsAre(7)) << "once";
}

TEST_F(ColdStartTest, ASlowDiskIsWaitedFor) {
  const ColdStart start(cache, environment, use);
  timers.Advance(ColdStart::kPatience * 2);
  EXPECT_THAT(used, IsEmpty());
  RunDisk();
  EXPECT_THAT(used, ElementsAre(7));
}

TEST_F(ColdStartTest, OnceEtcdHasAnsweredTheCacheIsLeftAlone) {
  ColdStart start(cache, environment, use);
  RunDisk();
  timers.Advance(kAlmost);
  start.End();
  timers.Advance(std::chrono::hours(1));
  EXPECT_THAT(used, IsEmpty());
}

TEST_F(ColdStartTest, ASlowDiskMayBeTooLate) {
  ColdStart start(cache, environment, use);
  start.End();
  RunDisk();
  timers.Advance(std::chrono::hours(1));
  EXPECT_THAT(used, IsEmpty());
}

TEST_F(ColdStartTest, AnEmptyServiceIsNoStart) {
  WriteFile(9, {});
  const ColdStart start(cache, environment, use);
  RunDisk();
  timers.Advance(ColdStart::kPatience);
  EXPECT_THAT(used, IsEmpty());
}

}  // namespace
}  // namespace turnout::discovery
