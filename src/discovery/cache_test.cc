#include "src/discovery/cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <deque>
#include <filesystem>
#include <fstream>

#include "src/base/test_logs.h"
#include "src/discovery/cache_file.h"
#include "src/discovery/fake_client.h"
#include "tests/support/temporary_folder.h"

namespace turnout::discovery {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using turnout::testing::TemporaryFolder;

constexpr char kService[] = "hwholiday.srv.app";

class CacheTest : public ::testing::Test {
 protected:
  static std::shared_ptr<const Snapshot> Registered(
      etcd::Revision revision, InstanceStatus status = InstanceStatus::kRegistered) {
    Instance instance{.service = kService,
                      .id = "app-1",
                      .version = "v1",
                      .addresses = {"10.0.0.1:80"},
                      .create_revision = 3,
                      .mod_revision = 3};
    Snapshot snapshot{.service = kService, .revision = revision};
    snapshot.members.push_back({std::make_shared<const Instance>(std::move(instance)),
                                status,
                                {},
                                std::make_shared<InstanceStats>()});
    return std::make_shared<const Snapshot>(std::move(snapshot));
  }

  std::unique_ptr<Cache> MakeCache() {
    return std::make_unique<Cache>(
        kService, options,
        Cache::Environment{
            .run_on_disk = [this](auto task) { disk.push_back(std::move(task)); },
            .post = [](const auto& task) { task(); },
            .run_after = [this](auto delay,
                                auto task) { return timers.RunAfter(delay, std::move(task)); },
            .now = [this] { return timers.now() + reads++ * tick; }});
  }
  int RunDisk() {
    int tasks = 0;
    for (; !disk.empty(); ++tasks) {
      const auto task = std::move(disk.front());
      disk.pop_front();
      task();
    }
    return tasks;
  }
  std::string Path() const { return CachePath(options); }
  static std::string CachePath(const RegistryOptions& options) {
    return options.cache_dir + "/" + CacheIdentity(kService, options).FileName();
  }
  // Of what stands in the file; 0 if that is unusable.
  etcd::Revision OnDisk() const {
    const auto lists = CachedService(kService, options).Load();
    return lists.has_value() ? lists->records.revision : 0;
  }

  const TemporaryFolder folder;
  const RegistryOptions options{.endpoints = {"10.9.9.9:2379"}, .cache_dir = folder / "cache"};
  FakeTimers timers;
  milliseconds tick{0};  // from one look at the clock to the next
  int reads = 0;
  std::deque<std::function<void()>> disk;  // to be done
  base::TestLogs logs;
};

TEST_F(CacheTest, WhatIsStoredIsLoadedByTheNext) {
  MakeCache()->Store(Registered(7));
  EXPECT_EQ(RunDisk(), 1);
  const auto cache = MakeCache();
  std::vector<Lists> loaded;
  cache->Load([&](Lists lists) { loaded.push_back(std::move(lists)); });
  EXPECT_THAT(loaded, IsEmpty()) << "the disk's thread is to do it";
  EXPECT_EQ(RunDisk(), 1);
  ASSERT_EQ(loaded.size(), 1U);
  EXPECT_EQ(loaded[0].records.revision, 7);
  ASSERT_EQ(loaded[0].records.kvs.size(), 1U);
  EXPECT_EQ(loaded[0].records.kvs[0].key, "/hwholiday/srv/app/app-1");
  EXPECT_THAT(logs.Messages(), IsEmpty());
}

TEST_F(CacheTest, WithoutAFileNothingIsLoadedOrSaid) {
  const auto cache = MakeCache();
  cache->Load([](const Lists&) { ADD_FAILURE(); });
  RunDisk();
  EXPECT_THAT(logs.Messages(), IsEmpty());
}

TEST_F(CacheTest, WhoIsGoneGetsNothingLoaded) {
  MakeCache()->Store(Registered(7));
  RunDisk();
  MakeCache()->Load([](const Lists&) { ADD_FAILURE(); });
  RunDisk();
}

TEST_F(CacheTest, OfThoseWithinASecondTheNewestIsWritten) {
  const auto cache = MakeCache();
  cache->Store(Registered(1));
  EXPECT_EQ(RunDisk(), 1) << "the first at once";
  for (int revision = 2; revision <= 50; ++revision) {
    cache->Store(Registered(revision));
    timers.Advance(milliseconds(10));
  }
  EXPECT_EQ(RunDisk(), 0);
  EXPECT_EQ(OnDisk(), 1);
  timers.Advance(milliseconds(600));
  EXPECT_EQ(RunDisk(), 1);
  EXPECT_EQ(OnDisk(), 50);
  timers.Advance(milliseconds(60'000));
  EXPECT_EQ(timers.waiting(), 0U) << "nothing to be done, nothing to wait for";
}

TEST_F(CacheTest, ADiskThatHangsHasOneTaskToDo) {
  const auto cache = MakeCache();
  for (int revision = 1; revision <= 20; ++revision) {
    cache->Store(Registered(revision));
    timers.Advance(milliseconds(2000));
  }
  EXPECT_EQ(RunDisk(), 1);
  EXPECT_EQ(OnDisk(), 20);
}

TEST_F(CacheTest, WritingTakesAFiftiethOfTheTime) {
  tick = milliseconds(100);
  const auto cache = MakeCache();
  for (const int revision : {1, 2}) {
    cache->Store(Registered(revision));
    timers.Advance(milliseconds(1500));  // that of the first was not known when it began
    RunDisk();
  }
  cache->Store(Registered(3));
  timers.Advance(milliseconds(3400));
  EXPECT_EQ(RunDisk(), 0);
  timers.Advance(milliseconds(200));
  EXPECT_EQ(RunDisk(), 1);
}

TEST_F(CacheTest, WhatIsNotWrittenYetIsWrittenAtTheEnd) {
  auto cache = MakeCache();
  cache->Store(Registered(1));
  RunDisk();
  cache->Store(Registered(2));
  cache.reset();
  EXPECT_EQ(timers.waiting(), 0U);
  EXPECT_EQ(RunDisk(), 1);
  EXPECT_EQ(OnDisk(), 2);
}

TEST_F(CacheTest, ASnapshotOfLapsedOnesDoesNotReplaceABetterOne) {
  const auto cache = MakeCache();
  cache->Store(Registered(1));
  RunDisk();
  cache->Store(Registered(2, InstanceStatus::kLapsed));
  timers.Advance(milliseconds(2000));
  EXPECT_EQ(RunDisk(), 0);
  EXPECT_EQ(OnDisk(), 1);
  cache->Store(std::make_shared<const Snapshot>(Snapshot{.service = kService, .revision = 3}));
  RunDisk();
  EXPECT_EQ(OnDisk(), 3) << "those who left in good order are gone";
}

TEST_F(CacheTest, WhatTheFileSaysAlreadyIsNotWrittenAgain) {
  MakeCache()->Store(Registered(7));
  RunDisk();
  struct stat before {};
  ASSERT_EQ(stat(Path().c_str(), &before), 0);
  const auto cache = MakeCache();
  cache->Load([](const Lists&) {});
  cache->Store(Registered(7));
  RunDisk();
  struct stat after {};
  ASSERT_EQ(stat(Path().c_str(), &after), 0);
  EXPECT_EQ(after.st_ino, before.st_ino);
}

TEST_F(CacheTest, ABadFileIsReportedOnceAndReplaced) {
  std::filesystem::create_directory(options.cache_dir);
  std::ofstream(Path()) << "garbage";
  const auto cache = MakeCache();
  for (int i = 0; i < 3; ++i) {
    cache->Load([](const Lists&) { ADD_FAILURE(); });
    RunDisk();
  }
  EXPECT_EQ(OnDisk(), 0);
  EXPECT_THAT(logs.Messages(),
              ElementsAre(AllOf(HasSubstr(Path()), HasSubstr("not a cache file"),
                                HasSubstr("will be replaced when etcd has answered"))));
  cache->Store(Registered(7));
  RunDisk();
  EXPECT_EQ(OnDisk(), 7);
}

TEST_F(CacheTest, AFolderThatCannotBeWrittenToIsReportedOnce) {
  std::ofstream(options.cache_dir) << "in the way";
  const auto cache = MakeCache();
  for (int revision = 1; revision <= 3; ++revision) {
    cache->Store(Registered(revision));
    timers.Advance(milliseconds(2000));
    EXPECT_EQ(RunDisk(), 1);
  }
  EXPECT_THAT(logs.Messages(),
              ElementsAre(AllOf(HasSubstr("not kept in " + options.cache_dir + ": "),
                                HasSubstr("Not a directory"), HasSubstr("TURNOUT_CACHE_DIR"))));
  std::filesystem::remove(options.cache_dir);
  cache->Store(Registered(4));
  timers.Advance(milliseconds(2000));
  RunDisk();
  EXPECT_EQ(OnDisk(), 4);
  EXPECT_THAT(logs.Messages(), ElementsAre(HasSubstr("not kept"),
                                           HasSubstr("kept in " + options.cache_dir + " again")));
}

TEST_F(CacheTest, TheServicesOfAClusterAreListed) {
  EXPECT_THAT(CachedServices(options), IsEmpty());
  for (const char* const service : {"a.b", "c-d"}) {
    CachedService(service, options).Store(*Registered(1));
  }
  RegistryOptions elsewhere = options;
  elsewhere.prefix = "/elsewhere";
  CachedService("e", elsewhere).Store(*Registered(1));
  std::ofstream(options.cache_dir + "/README") << "x";
  EXPECT_THAT(CachedServices(options), UnorderedElementsAre("a.b", "c-d"));
  EXPECT_THAT(CachedServices(elsewhere), UnorderedElementsAre("e"));
}

}  // namespace
}  // namespace turnout::discovery
