// Instances come and go: what their callers notice.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>
#include <future>
#include <set>
#include <thread>

#include "tests/support/fixture.h"
#include "tests/support/relay.h"
#include "turnout/observer.h"

namespace turnout::testing {
namespace {

using std::chrono::seconds;

constexpr char kRoundRobin[] =
    R"({"loadBalancingConfig":[{"turnout":{"picker":[{"round_robin":{}}]}}]})";

class MembershipTest : public IntegrationTest {};

TEST_F(MembershipTest, OneThatJoinsIsCalled) {
  const auto first = Start("v1");
  const auto channel = Channel();
  EXPECT_EQ(Call(channel).ToString(), first->answer());
  const auto second = Start("v1");
  EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v1"}, second->answer()));
}

TEST_F(MembershipTest, NoCallFailsWhenOneLeavesUnderLoad) {
  const auto staying = Start("v1");
  const auto leaving = Start("v1");
  Load load(Channel(), {.version = "v1"}, 4);
  load.WaitForCalls(100);
  leaving->Drain();
  load.WaitForCalls(100);
  const Tally during = load.Stop();
  EXPECT_TRUE(during.all_ok()) << during;
  EXPECT_GT(leaving->calls(), 0);
  EXPECT_FALSE(Admin().Get(leaving->registrar().key()).has_value());
  EXPECT_EQ(leaving->registrar().state(), RegistrationState::kEnded);

  const Tally after = CallMany(Channel(), 20, {.version = "v1"});
  EXPECT_THAT(after.by_output, ::testing::ElementsAre(::testing::Pair(staying->answer(), 20)));
}

// A client that etcd cannot tell of it is told over the connection.
TEST_F(MembershipTest, NoCallFailsWhenOneLeavesThoughEtcdDoesNotTell) {
  const auto staying = Start("v1");
  std::vector<std::unique_ptr<Backend>> leaving;
  for (int i = 0; i < 8; ++i) leaving.push_back(std::make_unique<Backend>(Options("v1")));
  Relay relay(Etcd());
  Load load(ChannelTo(relay.endpoint(), Service()), {.version = "v1"}, 8);
  for (const auto& one : leaving) {
    while (one->calls() == 0 && !HasFailure()) load.WaitForCalls(10);
  }
  relay.Set({.mode = Relay::Mode::kSilent});
  for (const auto& one : leaving) one->Drain();
  load.WaitForCalls(100);
  const Tally tally = load.Stop();
  EXPECT_TRUE(tally.all_ok()) << tally;
}

TEST_F(MembershipTest, ACallThatRunsWhenItsServerDrainsIsAnswered) {
  std::promise<void> begun;
  std::promise<void> may_end;
  BackendOptions options = Options("v1");
  options.registration.drain_delay = std::chrono::milliseconds(0);
  options.before_answer = [&](grpc::ServerContextBase&) {
    begun.set_value();
    may_end.get_future().wait();
    return grpc::Status::OK;
  };
  Backend backend(options);
  const auto channel = Channel();
  auto call = std::async(std::launch::async, [&] { return Call(channel); });
  begun.get_future().wait();
  Follower follower(Etcd(), Service());
  auto drained = std::async(std::launch::async, [&] { backend.Drain(); });
  follower.WaitForCount(0);
  may_end.set_value();
  EXPECT_EQ(call.get().ToString(), backend.answer());
  drained.get();
}

TEST_F(MembershipTest, TheDeadAreForgottenWhenTheirLeaseEnds) {
  const auto living = Start("v1");
  Process dead({Program("app_server"), "--etcd", Etcd(), "--service", Service(), "--version", "v1",
                "--listen", "127.0.0.1:0", "--ttl", "2", "--id", "dead"});
  ASSERT_TRUE(dead.ReadLine().has_value());
  Load load(Channel(), {.version = "v1"});
  load.WaitForCalls(100);
  dead.Signal(SIGKILL);
  EXPECT_EQ(dead.Wait(), -SIGKILL);
  load.WaitForCalls(100);
  Follower follower(Etcd(), Service());
  follower.WaitForCount(1);
  const Tally tally = load.Stop();
  // The calls that were under way, and no more: long before the lease ended, others took over.
  EXPECT_LE(tally.calls - tally.ok, 10) << tally;
  EXPECT_EQ(tally.by_output.size(), 2) << tally;
  const Tally after = CallMany(Channel(), 20, {.version = "v1"});
  EXPECT_THAT(after.by_output, ::testing::ElementsAre(::testing::Pair(living->answer(), 20)));
}

TEST_F(MembershipTest, ARegistrationThatLosesItsLeaseComesBack) {
  BackendOptions options = Options("v1");
  options.registration.lease_ttl = seconds(2);
  Backend backend(options);
  const std::string& key = backend.registrar().key();
  const auto before = Admin().Get(key);
  ASSERT_TRUE(before.has_value());
  Follower follower(Etcd(), Service());
  follower.WaitForCount(1);
  Admin().Revoke(before->lease);
  follower.WaitFor([&](const Snapshot& snapshot) {
    return snapshot.members.size() == 1 &&
           snapshot.members[0].instance->create_revision > before->create_revision;
  });
  const auto after = Admin().Get(key);
  ASSERT_TRUE(after.has_value());
  EXPECT_NE(after->lease, before->lease);
  EXPECT_EQ(after->value, before->value);
  EXPECT_EQ(Call(Channel()).ToString(), backend.answer());
}

TEST_F(MembershipTest, ARecordThatOthersDeleteComesBack) {
  const auto backend = Start("v1");
  Follower follower(Etcd(), Service());
  const auto before = follower.WaitForCount(1);
  Admin().Delete(backend->registrar().key());
  follower.WaitFor([&](const Snapshot& snapshot) {
    return snapshot.members.size() == 1 && snapshot.revision > before->revision;
  });
}

// One server, whatever its record says of its version.
TEST_F(MembershipTest, ConnectionsAreKeptFromOneSnapshotToTheNext) {
  BackendOptions unregistered;
  unregistered.prepared = false;
  const Backend backend(unregistered);
  GoRecord record{Service(), "app-1", "v1", backend.address()};
  Admin().Put(record.key(), record.value());
  const auto channel = Channel();
  EXPECT_EQ(Call(channel, {.version = "v1", .checked = false}).ToString(), backend.answer());
  const std::uint64_t before = GetCounters().subchannels_created;

  record.version = "v2";
  Admin().Put(record.key(), record.value());
  EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v2", .checked = false}, backend.answer()));
  record.version = "v3";
  record.metadata = R"({"turnout.weight":"5","team":"a"})";
  Admin().Put(record.key(), record.value());
  EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v3", .checked = false}, backend.answer()));
  EXPECT_EQ(GetCounters().subchannels_created, before);

  const auto joined = Start("v4");
  EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v4"}, joined->answer()));
  EXPECT_EQ(Call(channel, {.version = "v3", .checked = false}).ToString(), backend.answer());
  EXPECT_EQ(GetCounters().subchannels_created, before + 1);
}

TEST_F(MembershipTest, AThousandRecordsAtOnceCostFewSnapshots) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  ASSERT_GE(files.rlim_cur, 4096U) << "both ends of 1,000 connections are in this process";

  // All of 127.0.0.0/8 is this machine: one server has as many addresses as are wanted.
  BackendOptions options;
  options.listen = "0.0.0.0:0";
  options.prepared = false;
  const Backend backend(options);
  std::vector<std::pair<std::string, std::string>> entries;
  std::set<std::string> wanted;
  for (int i = 0; i < 1000; ++i) {
    const std::string address = "127.1." + std::to_string(i / 250) + "." +
                                std::to_string(i % 250 + 1) + ":" + std::to_string(backend.port());
    const GoRecord record{Service(), "app-" + std::to_string(i), "v1", address};
    entries.emplace_back(record.key(), record.value());
    wanted.insert("ipv4:" + address);
  }

  Follower follower(Etcd(), Service());
  follower.WaitForCount(0);
  const auto channel = Channel(kRoundRobin);
  EXPECT_EQ(Call(channel).status.error_code(), grpc::StatusCode::UNAVAILABLE);
  const Counters before = GetCounters();
  Admin().PutAll(entries);
  follower.WaitForCount(1000);
  std::set<std::string> reached;
  EXPECT_TRUE(CallUntil(channel, {.wait_for_ready = true, .checked = false},
                        [&](const Answer& answer) {
                          EXPECT_TRUE(answer.status.ok()) << answer.ToString();
                          reached.insert(answer.peer);
                          return reached.size() == wanted.size();
                        }))
      << "reached only " << reached.size();
  EXPECT_EQ(reached, wanted);
  const Counters after = GetCounters();
  EXPECT_EQ(after.subchannels_created - before.subchannels_created, 1000);
  // The eight transactions that wrote them are the most that can be told apart.
  EXPECT_LE(after.snapshots - before.snapshots, 8);
}

// A change that falls between the list and the beginning of the watch would be lost for good, if
// the watch began "now". So subscribers begin while records are written as fast as etcd takes them,
// and each has to end up with exactly what etcd holds.
TEST_F(MembershipTest, NoChangeIsLostBetweenListAndWatch) {
  constexpr int kRounds = 25;
  constexpr int kRecords = 12;
  for (int round = 0; round < kRounds; ++round) {
    const std::string service = Service() + ".r" + std::to_string(round);
    std::promise<void> writing;
    std::thread writer([&] {
      for (int i = 0; i < kRecords; ++i) {
        const GoRecord record{service, "app-" + std::to_string(i), "v1",
                              "127.0.0.1:" + std::to_string(1000 + i)};
        Admin().Put(record.key(), record.value());
        if (i % 3 == 2) Admin().Retire(RecordKey(service, "app-" + std::to_string(i - 1)));
        if (i == round % 4) writing.set_value();
      }
    });
    writing.get_future().wait();
    Follower follower(Etcd(), service);
    writer.join();
    const auto snapshot = follower.WaitFor([&](const Snapshot& candidate) {
      return FindMember(candidate, "app-" + std::to_string(kRecords - 1)) != nullptr &&
             FindMember(candidate, "app-" + std::to_string(kRecords - 2)) == nullptr;
    });
    ASSERT_NE(snapshot, nullptr);
    std::set<std::string> known;
    for (const Member& member : snapshot->members) {
      known.insert(RecordKey(service, member.instance->id));
    }
    std::set<std::string> held;
    for (const auto& entry : Admin().List(RecordKey(service, ""))) held.insert(entry.key);
    ASSERT_EQ(known, held) << "in round " << round;
  }
}

}  // namespace
}  // namespace turnout::testing
