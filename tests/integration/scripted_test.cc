// Followers and registrars at an etcd that fails on command: nothing is lost, nothing told twice.
#include <gmock/gmock.h>

#include <chrono>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/backend.h"
#include "tests/support/follower.h"
#include "tests/support/process.h"
#include "tests/support/records.h"
#include "tests/support/scripted_etcd.h"
#include "turnout/observer.h"

namespace turnout::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kService[] = "scripted.app";
constexpr char kRecords[] = "/scripted/app/";
constexpr char kStates[] = "/turnout/state/";

// "a v1, b v2 draining": who is there.
std::string Names(const Snapshot& snapshot) {
  std::string text;
  for (const Member& member : snapshot.members) {
    text += (text.empty() ? "" : ", ") + member.instance->id + " " + member.instance->version;
    if (member.status != InstanceStatus::kRegistered)
      text += " " + std::string(ToString(member.status));
  }
  return text;
}

class ScriptedTest : public ::testing::Test {
 protected:
  // The follower watches records, states and rules.
  void SetUp() override { ASSERT_TRUE(etcd_.WaitForWatches(3)); }

  static std::string Value(const std::string& id, const std::string& version,
                           bool draining = false) {
    const GoRecord record{.service = kService,
                          .id = id,
                          .version = version,
                          // The id's last letter makes the address.
                          .address = "127.0.0.1:" + std::to_string(1000 + id.back()),
                          .metadata = draining ? R"({"turnout.state":"draining"})" : "null"};
    return record.value();
  }
  std::int64_t Put(const std::string& id, const std::string& version = "v1") {
    return etcd_.Put(RecordKey(kService, id), Value(id, version));
  }
  // Announced, so that it does not lapse.
  std::int64_t Remove(const std::string& id, const std::string& version = "v1") {
    etcd_.Put(RecordKey(kService, id), Value(id, version, /*draining=*/true));
    return etcd_.Delete(RecordKey(kService, id));
  }
  SnapshotPtr WaitFor(const std::string& names) {
    return follower_->WaitFor([&](const Snapshot& snapshot) { return Names(snapshot) == names; });
  }
  // Each snapshot so far differs from the one before.
  void ExpectNothingTwice() const {
    const auto snapshots = follower_->snapshots();
    for (std::size_t i = 1; i < snapshots.size(); ++i) {
      EXPECT_NE(Names(*snapshots[i]), Names(*snapshots[i - 1])) << "the snapshot of index " << i;
    }
  }

  ScriptedEtcd etcd_;
  std::optional<Follower> follower_{std::in_place, etcd_.endpoint(), kService};
};

TEST_F(ScriptedTest, AfterCompactionOnlyDifferencesAreTold) {
  Put("a");
  Put("b");
  Put("c");
  const SnapshotPtr before = WaitFor("a v1, b v1, c v1");
  ASSERT_NE(before, nullptr);
  const std::uint64_t relists = GetCounters().relists;
  etcd_.Stop();
  EXPECT_FALSE(follower_->WaitForError().ok());
  Remove("a");
  Put("b", "v2");
  etcd_.Compact(Put("d"));
  etcd_.Start();
  // "a" was marked as draining in what nobody has seen: its record has just vanished.
  const SnapshotPtr after = WaitFor("a v1 lapsed, b v2, c v1, d v1");
  ASSERT_NE(after, nullptr);
  EXPECT_EQ(GetCounters().relists, relists + 1);
  const Member* const c = FindMember(*after, "c");
  EXPECT_EQ(c->instance, FindMember(*before, "c")->instance) << "it is as it was";
  EXPECT_EQ(c->status_since, FindMember(*before, "c")->status_since);
  EXPECT_EQ(FindMember(*after, "b")->stats, FindMember(*before, "b")->stats);
  ExpectNothingTwice();
  Put("e");
  EXPECT_NE(WaitFor("a v1 lapsed, b v2, c v1, d v1, e v1"), nullptr) << "and goes on from there";
}

TEST_F(ScriptedTest, AFragmentedTransactionIsOneSnapshot) {
  Put("a");
  ASSERT_NE(WaitFor("a v1"), nullptr);
  etcd_.FragmentEvents(2);
  std::map<std::string, std::string> records;
  for (const std::string id : {"b", "c", "d", "e", "f"}) {
    records[RecordKey(kService, id)] = Value(id, "v1");
  }
  etcd_.PutAll(records);
  ASSERT_NE(WaitFor("a v1, b v1, c v1, d v1, e v1, f v1"), nullptr);
  for (const SnapshotPtr& snapshot : follower_->snapshots()) {
    const std::size_t members = snapshot->members.size();
    EXPECT_TRUE(members <= 1 || members == 6) << Describe(*snapshot);
  }
  ExpectNothingTwice();
}

TEST_F(ScriptedTest, BreaksLoseAndDoubleNothing) {
  std::string names;
  for (char id = 'a'; id <= 'p'; ++id) {
    etcd_.BreakWatches(1 + id % 3);
    Put(std::string(1, id));
    names += (names.empty() ? "" : ", ") + std::string(1, id) + " v1";
  }
  ASSERT_NE(WaitFor(names), nullptr);
  ExpectNothingTwice();
  std::size_t members = 0;
  for (const SnapshotPtr& snapshot : follower_->snapshots()) {
    EXPECT_GE(snapshot->members.size(), members) << "nobody leaves by a break";
    members = snapshot->members.size();
  }
}

TEST_F(ScriptedTest, ACancelledAndRefusedWatchIsAnErrorUntilItRunsAgain) {
  Put("a");
  ASSERT_NE(WaitFor("a v1"), nullptr);
  etcd_.RefuseWatches(kRecords, "etcdserver: permission denied");
  etcd_.CancelWatches(kRecords, "etcdserver: permission denied");
  EXPECT_THAT(std::string(follower_->WaitForError().message()), HasSubstr("permission denied"));
  Put("b");
  Remove("a");
  etcd_.RefuseWatches(kRecords, "");
  ASSERT_NE(WaitFor("b v1"), nullptr);
  ExpectNothingTwice();
}

// The operator's word and the record travel by watches that share a stream; either may come first.
TEST_F(ScriptedTest, RecordsAndStatesMayComeInAnyOrder) {
  Put("a");
  Put("b");
  ASSERT_NE(WaitFor("a v1, b v1"), nullptr);
  const std::string state = std::string(kStates) + kService + "/a";
  etcd_.HoldWatches(kStates);
  etcd_.Put(state, "removed");
  Put("a", "v2");
  ASSERT_NE(WaitFor("a v2, b v1"), nullptr) << "the record alone";
  etcd_.ReleaseWatches();
  ASSERT_NE(WaitFor("b v1"), nullptr) << "then the state";

  etcd_.HoldWatches(kRecords);
  Put("a", "v3");
  etcd_.Delete(state);
  ASSERT_NE(WaitFor("a v2, b v1"), nullptr) << "the state alone";
  etcd_.ReleaseWatches();
  ASSERT_NE(WaitFor("a v3, b v1"), nullptr);
  ExpectNothingTwice();
}

TEST_F(ScriptedTest, AMemberThatLagsChangesNothing) {
  Put("a");
  ASSERT_NE(WaitFor("a v1"), nullptr);
  const std::uint64_t relists = GetCounters().relists;
  etcd_.AlterAs<etcdpb::WatchResponse>("Watch", [](etcdpb::WatchResponse& response) {
    if (response.created()) response.mutable_header()->set_revision(1);
  });
  etcd_.BreakWatches();
  EXPECT_FALSE(follower_->WaitForError().ok());
  Put("b");
  ASSERT_NE(WaitFor("a v1, b v1"), nullptr);
  EXPECT_EQ(GetCounters().relists, relists);
  ExpectNothingTwice();
}

TEST_F(ScriptedTest, ARestoredEtcdMakesLapsedWhatItHasNotHeardOf) {
  const std::int64_t backup = Put("a");
  Put("b");
  ASSERT_NE(WaitFor("a v1, b v1"), nullptr);
  etcd_.RestoreTo(backup);
  ASSERT_NE(WaitFor("a v1, b v1 lapsed"), nullptr);
  Put("b");
  ASSERT_NE(WaitFor("a v1, b v1"), nullptr);
}

TEST_F(ScriptedTest, AnotherClusterIsReadAnew) {
  Put("a");
  ASSERT_NE(WaitFor("a v1"), nullptr);
  etcd_.BecomeCluster(4711);
  etcd_.BreakWatches();
  Put("b");
  ASSERT_NE(WaitFor("a v1, b v1"), nullptr);
}

TEST_F(ScriptedTest, SilenceIsNoticedWithinTenSecondsAndCostsNothing) {
  Put("a");
  ASSERT_NE(WaitFor("a v1"), nullptr);
  const auto begin = std::chrono::steady_clock::now();
  etcd_.SetSilent(true);
  Put("b");
  EXPECT_FALSE(follower_->WaitForError().ok());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  etcd_.SetSilent(false);
  ASSERT_NE(WaitFor("a v1, b v1"), nullptr);
  ExpectNothingTwice();
}

// Whatever comes, what etcd holds is known in the end, and what was known stays until then.
TEST_F(ScriptedTest, GarbageOnTheWatchIsOvercome) {
  const auto event = [](std::int64_t watch, std::int64_t revision, std::int64_t header) {
    etcdpb::WatchResponse response;
    response.mutable_header()->set_cluster_id(1);
    response.mutable_header()->set_revision(header);
    response.set_watch_id(watch);
    etcdpb::Event& change = *response.add_events();
    change.set_type(etcdpb::Event::DELETE);
    change.mutable_kv()->set_key(RecordKey(kService, "a"));
    change.mutable_kv()->set_mod_revision(revision);
    return response.SerializeAsString();
  };
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const std::vector<std::string> garbage = {
      "",
      std::string("\xff\xff\xff\xff\x0f no message", 16),
      event(4711, 5, 5),
      event(-1, 5, 5),
      event(1, -1, 5),
      event(1, 0, 5),
      event(1, 1, 5),
      event(1, kMost, 5),
      event(1, -kMost, -kMost),
  };
  Put("a");
  ASSERT_NE(WaitFor("a v1"), nullptr);
  int version = 1;
  for (const std::string& bytes : garbage) {
    SCOPED_TRACE(version);
    etcd_.SendToWatches(bytes);
    Put("a", "v" + std::to_string(++version));
    ASSERT_NE(WaitFor("a v" + std::to_string(version)), nullptr);
  }
  ExpectNothingTwice();
  const auto snapshots = follower_->snapshots();
  for (std::size_t i = 1; i < snapshots.size(); ++i) EXPECT_THAT(snapshots[i]->members, SizeIs(1));
}

TEST_F(ScriptedTest, GarbageInTheListIsAnErrorThatPasses) {
  follower_.reset();
  Put("a");
  etcd_.AlterAs<etcdpb::RangeResponse>("Range", [](etcdpb::RangeResponse& response) {
    response.mutable_header()->set_revision(-5);
  });
  // Another service, which nobody has read.
  Follower follower(etcd_.endpoint(), "scripted.other");
  EXPECT_THAT(std::string(follower.WaitForError().message()), HasSubstr("no such revision"));
  etcd_.Alter("Range", nullptr);
  EXPECT_NE(follower.WaitForCount(0), nullptr);
}

// The real thing on the other side: registered by the library, found by the library.
class ScriptedRegistrarTest : public ScriptedTest {
 protected:
  BackendOptions Options() const {
    BackendOptions options;
    options.registration.service = kService;
    options.registration.version = "v1";
    options.registration.id = "a";
    options.registration.lease_ttl = std::chrono::seconds(2);
    options.registration.drain_delay = std::chrono::milliseconds(0);
    options.registration.registry.endpoints = {etcd_.endpoint()};
    return options;
  }
  const std::string key_ = RecordKey(kService, "a");
};

TEST_F(ScriptedRegistrarTest, ALeaseThatIsGoneIsReplacedAndTheRecordPutBackOnce) {
  const Backend backend(Options());
  ASSERT_NE(WaitFor("a v1"), nullptr);
  const std::uint64_t before = GetCounters().registrations;
  const std::string record = etcd_.Value(key_);
  etcd_.EndLeases();
  EXPECT_EQ(etcd_.WaitForValue(key_), record);
  ASSERT_NE(follower_->WaitFor([&](const Snapshot& snapshot) {
    return snapshot.revision == etcd_.revision() && Names(snapshot) == "a v1";
  }),
            nullptr);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (GetCounters().registrations == before && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(GetCounters().registrations, before + 1);
  for (const SnapshotPtr& snapshot : follower_->snapshots()) {
    if (snapshot->revision == 1) continue;  // before it came
    EXPECT_THAT(snapshot->members, SizeIs(1)) << "lapsed, never gone";
  }
}

TEST_F(ScriptedRegistrarTest, ARestoredEtcdGetsItsRecordsBack) {
  const std::int64_t backup = etcd_.Put("/something", "else");
  const Backend backend(Options());
  ASSERT_NE(WaitFor("a v1"), nullptr);
  etcd_.RestoreTo(backup);
  EXPECT_NE(etcd_.WaitForValue(key_), "");
}

TEST_F(ScriptedRegistrarTest, AnExpiredTokenIsRenewedForRequestsAndStreams) {
  etcd_.RequireLogIn("app", "correct horse");
  BackendOptions options = Options();
  options.registration.registry.username = "app";
  options.registration.registry.password = "correct horse";
  const Backend backend(options);
  follower_.emplace(options.registration.registry, kService);
  ASSERT_NE(WaitFor("a v1"), nullptr);
  EXPECT_EQ(etcd_.requests("Authenticate"), 1) << "one for all";

  etcd_.ForgetTokens();
  etcd_.BreakWatches();
  Put("b");
  ASSERT_NE(WaitFor("a v1, b v1"), nullptr) << "the watch is there again";
  etcd_.EndLeases();
  EXPECT_NE(etcd_.WaitForValue(key_), "") << "and so is the registration";
  EXPECT_GE(etcd_.requests("Authenticate"), 2);
  EXPECT_LE(etcd_.requests("Authenticate"), 4);
}

}  // namespace
}  // namespace turnout::testing
