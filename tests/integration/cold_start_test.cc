// Starts while etcd is away, with the disk cache.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "tests/support/backend.h"
#include "tests/support/caller.h"
#include "tests/support/etcd_admin.h"
#include "tests/support/etcd_server.h"
#include "tests/support/follower.h"
#include "tests/support/process.h"
#include "tests/support/records.h"
#include "tests/support/reports.h"
#include "tests/support/temporary_folder.h"
#include "turnout/observer.h"

namespace turnout::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::IsEmpty;

constexpr char kService[] = "it.cold-start";

class ColdStartTest : public ::testing::Test {
 protected:
  // Each time different options, and so a watch that begins anew, as in a process of its own.
  RegistryOptions Registry() const {
    static int made = 0;
    return {.endpoints = {etcd.endpoint()},
            .request_timeout = milliseconds(2000 + ++made),
            .cache_dir = cache.path()};
  }

  std::unique_ptr<Backend> Start(const std::string& version) const {
    return StartBackend(etcd.endpoint(), kService, version);
  }

  // The path of the only file in the cache, once it contains all of `texts`.
  std::string AwaitFile(const std::vector<std::string>& texts) const {
    const auto deadline = steady_clock::now() + kPatience;
    std::string content;
    while (steady_clock::now() < deadline) {
      for (const auto& entry : std::filesystem::directory_iterator(cache.path())) {
        if (entry.path().extension() != ".cache") continue;
        std::ifstream file(entry.path());
        content.assign(std::istreambuf_iterator<char>(file), {});
        const bool all = std::all_of(texts.begin(), texts.end(), [&](const std::string& text) {
          return content.find(text) != std::string::npos;
        });
        if (all) return entry.path();
      }
      std::this_thread::sleep_for(milliseconds(10));
    }
    ADD_FAILURE() << "no such file in time; the last one: " << content;
    return "";
  }

  // A process that calls, and the cache if it has one.
  std::unique_ptr<Process> StartClient(int calls, bool with_cache = true) const {
    return std::make_unique<Process>(std::vector<std::string>{
        "/usr/bin/env", "TURNOUT_CACHE_DIR=" + (with_cache ? cache.path() : ""),
        Program("app_client"), "--etcd", etcd.endpoint(), "--service", kService, "--calls",
        std::to_string(calls), "--interval-ms", "10", "--timeout-ms", "20000", "--json"});
  }

  const TemporaryFolder cache;
  EtcdServer etcd;
};

// What a client reported, and when.
struct Report {
  int exit_status = -1;
  std::uint64_t ok = 0;
  std::string text;
};
Report ReportOf(Process& client) {
  Report report;
  report.text = client.ReadAll();
  report.exit_status = client.Wait().value_or(-1);
  const auto json = nlohmann::json::parse(report.text, nullptr, /*allow_exceptions=*/false);
  if (json.is_object()) report.ok = json.value("ok", std::uint64_t{0});
  return report;
}

TEST_F(ColdStartTest, NewProcessesCallWhomAnEarlierOneKnew) {
  const auto first = Start("v1");
  const auto second = Start("v1");
  const auto earlier = StartClient(1'000'000);
  AwaitFile({first->address(), second->address()});
  earlier->Signal(SIGTERM);
  ReportOf(*earlier);
  etcd.Stop();

  const auto begin = steady_clock::now();
  std::vector<std::unique_ptr<Process>> clients;  // one folder for all of them
  for (int i = 0; i < 3; ++i) clients.push_back(StartClient(20));
  const auto without_cache = StartClient(1, /*with_cache=*/false);
  for (const auto& client : clients) {
    const Report report = ReportOf(*client);
    EXPECT_EQ(report.exit_status, 0) << report.text;
    EXPECT_EQ(report.ok, 20U) << report.text;
  }
  const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
  RecordProperty("cold_start_ms", std::to_string(took.count()));
  EXPECT_GE(took, milliseconds(2000)) << "etcd is given this long";
  // And no longer than 5 s, or the channels' resolve_timeout would have failed the calls.
  EXPECT_GT(first->calls() + second->calls(), 59);

  const Report failed = ReportOf(*without_cache);
  EXPECT_EQ(failed.exit_status, 1) << failed.text;
  EXPECT_EQ(failed.ok, 0U);
  AwaitFile({first->address(), second->address()});
}

// Remembers whether the observer is told where a snapshot comes from.
class SnapshotObserver final : public Observer {
 public:
  void OnSnapshot(std::shared_ptr<const Snapshot> snapshot) override {
    (snapshot->from_cache ? from_cache : from_etcd) = true;
  }
  std::atomic<bool> from_cache{false}, from_etcd{false};
};

TEST_F(ColdStartTest, WhenEtcdReturnsChangesAreFollowed) {
  const auto staying = Start("v1");
  auto leaving = Start("v1");
  {
    Follower follower(Registry(), kService);
    follower.WaitForCount(2);
    AwaitFile({staying->address(), leaving->address()});
  }
  etcd.Stop();
  const auto loads = GetCounters().cache_loads;
  Reports reports;
  const auto observer = std::make_shared<SnapshotObserver>();
  SetObserver(observer);
  const RegistryOptions registry = Registry();
  ASSERT_TRUE(RegisterCluster("cold", registry).ok());
  const auto channel = ChannelTo("cold", kService);
  Follower follower(registry, kService);
  const auto cached = follower.WaitForCount(2);
  ASSERT_NE(cached, nullptr);
  EXPECT_TRUE(cached->from_cache);
  EXPECT_GT(cached->revision, 0);
  EXPECT_EQ(GetCounters().cache_loads, loads + 1);
  EXPECT_TRUE(reports.WaitForLog("it.cold-start begins with 2 instances of the cache"));

  Load load(channel);
  load.WaitForCalls(100);
  etcd.Start();
  follower.WaitFor([](const Snapshot& s) { return !s.from_cache && s.members.size() == 2; });
  const auto joining = Start("v2");
  const auto all = follower.WaitForCount(3);
  leaving->Drain();
  follower.WaitFor(
      [&](const Snapshot& s) { return FindMember(s, leaving->registrar().id()) == nullptr; });
  load.WaitForCalls(100);
  const Tally tally = load.Stop();
  EXPECT_TRUE(tally.all_ok()) << tally;
  EXPECT_EQ(Call(channel, {.version = "v2"}).ToString(), joining->answer());
  AwaitFile({staying->address(), joining->address()});

  ASSERT_NE(all, nullptr);
  for (const Member& before : cached->members) {
    const Member* after = FindMember(*all, before.instance->id);
    ASSERT_NE(after, nullptr);
    EXPECT_EQ(after->stats, before.stats) << "what was learnt meanwhile stays";
    EXPECT_EQ(after->instance, before.instance) << "nothing about it has changed";
  }
  EXPECT_TRUE(observer->from_cache);
  EXPECT_TRUE(observer->from_etcd);
  EXPECT_EQ(reports.CountLogs("another history"), 0);
  EXPECT_EQ(reports.CountLogs("wiped"), 0);
}

// Records that a snapshot does not contain (here a shadowed and a malformed one) are not in the
// cache: that is no sign of another history.
TEST_F(ColdStartTest, WhatTheCacheLeavesOutIsNoOtherHistory) {
  EtcdAdmin admin(etcd.endpoint());
  const GoRecord older{kService, "older", "v1", "127.0.0.1:1"};
  const GoRecord newer{kService, "newer", "v1", "127.0.0.1:1"};
  admin.Put(older.key(), older.value());
  admin.Put(RecordKey(kService, "odd"), "{}");
  admin.Put(newer.key(), newer.value());
  {
    Follower follower(Registry(), kService);
    follower.WaitForCount(1);
    AwaitFile({"newer"});
  }
  etcd.Stop();
  Reports reports;
  Follower follower(Registry(), kService);
  const auto cached = follower.WaitForCount(1);
  ASSERT_NE(cached, nullptr);
  EXPECT_TRUE(cached->from_cache);
  etcd.Start();
  const auto listed = follower.WaitFor([](const Snapshot& s) { return !s.from_cache; });
  ASSERT_NE(listed, nullptr);
  EXPECT_EQ(listed->members.size(), 1U) << Describe(*listed);
  EXPECT_EQ(listed->rejected.size(), 2U);
  EXPECT_EQ(reports.CountLogs("wiped"), 0) << reports.AllLogs();
}

// Its connections are open, and nothing comes.
TEST_F(ColdStartTest, AFrozenEtcdIsAwayToo) {
  const auto backend = Start("v1");
  {
    Follower follower(Registry(), kService);
    follower.WaitForCount(1);
    AwaitFile({backend->address()});
  }
  etcd.Pause();
  Follower follower(Registry(), kService);
  const auto cached = follower.WaitForCount(1);
  etcd.Continue();
  ASSERT_NE(cached, nullptr);
  EXPECT_TRUE(cached->from_cache);
  follower.WaitFor([](const Snapshot& s) { return !s.from_cache && s.members.size() == 1; });
}

TEST_F(ColdStartTest, WhileEtcdAnswersTheCacheIsNotUsed) {
  auto former = Start("v1");
  {
    Follower follower(Registry(), kService);
    follower.WaitForCount(1);
    AwaitFile({former->address()});
  }
  former->Drain();
  const auto current = Start("v2");
  Follower follower(Registry(), kService);
  const auto snapshot = follower.WaitForCount(1);
  ASSERT_NE(snapshot, nullptr);
  EXPECT_FALSE(snapshot->from_cache);
  EXPECT_EQ(snapshot->members[0].instance->version, "v2");
  AwaitFile({current->address()});
  EXPECT_EQ(follower.snapshots().size(), 1U);
}

TEST_F(ColdStartTest, ABadFileIsReportedOnceAndReplaced) {
  const auto backend = Start("v1");
  {
    Follower follower(Registry(), kService);
    follower.WaitForCount(1);
  }
  const std::string path = AwaitFile({backend->address()});
  ASSERT_FALSE(path.empty());
  std::filesystem::resize_file(path, 100);
  Reports reports;
  Follower follower(Registry(), kService);
  follower.WaitForCount(1);
  EXPECT_EQ(AwaitFile({backend->address()}), path);
  Follower another(Registry(), kService);
  another.WaitForCount(1);
  EXPECT_TRUE(reports.WaitForLog(path + " is not used"));
  EXPECT_EQ(reports.CountLogs(path, "warning"), 1) << reports.AllLogs();
}

TEST_F(ColdStartTest, WithoutAPlaceToWriteEverythingElseWorks) {
  const auto backend = Start("v1");
  RegistryOptions registry = Registry();
  registry.cache_dir = cache / "file";
  std::ofstream(registry.cache_dir) << "in the way";
  Reports reports;
  ASSERT_TRUE(RegisterCluster("no-place", registry).ok());
  EXPECT_EQ(Call(ChannelTo("no-place", kService)).ToString(), backend->answer());
  EXPECT_TRUE(reports.WaitForLog("snapshots are not kept in " + registry.cache_dir));
  const auto another = Start("v2");
  Follower follower(registry, kService);
  follower.WaitForCount(2);
  EXPECT_EQ(reports.CountLogs("snapshots are not kept", "warning"), 1) << reports.AllLogs();
}

// Of whom the cache knew and etcd does not, though nobody announced that.
TEST_F(ColdStartTest, ListShowsWhoHasVanished) {
  EtcdAdmin admin(etcd.endpoint());
  const GoRecord staying{kService, "staying", "v1", "127.0.0.1:1"};
  const GoRecord vanishing{kService, "vanishing", "v1", "127.0.0.1:2"};
  const GoRecord draining{kService, "draining", "v1", "127.0.0.1:3",
                          R"({"turnout.state":"draining"})"};
  for (const GoRecord* record : {&staying, &vanishing, &draining}) {
    admin.Put(record->key(), record->value());
  }
  {
    Follower follower(Registry(), kService);
    follower.WaitForCount(3);
    AwaitFile({"staying", "vanishing", "draining"});
  }
  admin.Delete(vanishing.key());
  admin.Delete(draining.key());
  const auto services = List(Registry(), kPatience);
  ASSERT_TRUE(services.ok()) << services.status();
  ASSERT_EQ(services->size(), 1U);
  const Snapshot& listed = services->front();
  EXPECT_EQ(listed.members.size(), 2U) << Describe(listed);
  EXPECT_FALSE(listed.from_cache);
  ASSERT_NE(FindMember(listed, "staying"), nullptr);
  EXPECT_EQ(FindMember(listed, "staying")->status, InstanceStatus::kRegistered);
  ASSERT_NE(FindMember(listed, "vanishing"), nullptr);
  EXPECT_EQ(FindMember(listed, "vanishing")->status, InstanceStatus::kLapsed);

  admin.Delete(staying.key());
  const auto all_vanished = List(Registry(), kPatience);
  ASSERT_TRUE(all_vanished.ok()) << all_vanished.status();
  ASSERT_EQ(all_vanished->size(), 1U) << "a service without any record left";
  EXPECT_EQ(all_vanished->front().members.size(), 2U) << Describe(all_vanished->front());

  RegistryOptions without_cache = Registry();
  without_cache.cache_dir.clear();
  const auto plain = List(without_cache, kPatience);
  ASSERT_TRUE(plain.ok()) << plain.status();
  EXPECT_THAT(*plain, IsEmpty());
}

}  // namespace
}  // namespace turnout::testing
