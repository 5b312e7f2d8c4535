// Servers that die, freeze, or give their address to another: what their callers get, while every
// single answer is checked.
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include <future>

#include "tests/support/checked_load.h"
#include "tests/support/fixture.h"
#include "tests/support/server_process.h"

namespace turnout::testing {
namespace {

using std::chrono::milliseconds;

constexpr int kThreads = 3;

// Has its record gone, for whoever listens to etcd?
bool IsUnlisted(const Snapshot& snapshot, const std::string& id) {
  const Member* member = FindMember(snapshot, id);
  return member == nullptr || member->status == InstanceStatus::kLapsed;
}

class ServersTest : public IntegrationTest {
 protected:
  ServerProcessOptions Server(const std::string& version, const std::string& listen = "127.0.0.1:0",
                              const std::string& id = "") const {
    return {.etcd = Etcd(), .service = Service(), .version = version, .listen = listen, .id = id};
  }
  static CheckedLoadOptions LoadOf(const std::string& version,
                                   milliseconds timeout = milliseconds(10000)) {
    return {.call = {.version = version, .timeout = timeout}, .unary_threads = kThreads};
  }
  // So many calls, all answered, all by `answer`.
  static void ExpectAnsweredBy(const std::shared_ptr<grpc::Channel>& channel,
                               const std::string& version, const std::string& answer, int count) {
    for (int i = 0; i < count; ++i) {
      const LoggedCall call = CheckedCall(channel, {.version = version});
      ASSERT_EQ(call.answer.ToString(), answer) << "call " << i;
      ASSERT_EQ(call.answer.wrong, "");
    }
  }
};

TEST_F(ServersTest, OnlyCallsInFlightFailWhenAServerIsKilled) {
  const auto servers = StartAll({Server("v1"), Server("v1"), Server("v2")});
  CheckedLoad load(Channel(), LoadOf("v1"));
  CheckedLoad other_load(Channel(), LoadOf("v2"));
  load.AwaitAnswerFrom(servers[0]->address());
  load.AwaitAnswerFrom(servers[1]->address());
  const Kill kill = servers[0]->Kill();
  load.AwaitAnswers(100);
  // Nor does its record's end, a lease later, make a difference.
  Follower follower(Etcd(), Service());
  follower.WaitFor(
      [&](const Snapshot& snapshot) { return IsUnlisted(snapshot, servers[0]->id()); });
  load.AwaitAnswers(100);
  other_load.AwaitAnswers(100);
  ExpectOnlyCallsInFlightFailed(load.Stop(), {kill});
  const CallLog others = other_load.Stop();
  EXPECT_TRUE(others.failed.empty()) << others;
  ExpectAnsweredBy(Channel(), "v1", servers[1]->answer(), 50);
}

// A killed server is gone from its connection at once, whatever etcd says.
TEST_F(ServersTest, CallsForTheOnlyServerFailAtOnceWhenItIsKilledAndSucceedWhenItIsBack) {
  const auto servers = StartAll({Server("v1")});
  const auto channel = Channel();
  const std::string address = servers[0]->address();
  ExpectAnsweredBy(channel, "v1", servers[0]->answer(), 1);
  servers[0]->Kill();
  EXPECT_TRUE(CallUntil(channel, {.version = "v1"}, [](const Answer& answer) {
    EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::UNAVAILABLE) << answer.ToString();
    return answer.ToString().find("Connection refused") != std::string::npos;
  }));
  const auto again = StartAll({Server("v1", address)});
  EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v1"}, again[0]->answer(), 20));
}

// Frozen for longer than its lease: its calls end by their deadlines until the lease has gone, then
// nobody calls it. Thawed, it finds that its lease has gone, and registers again.
TEST_F(ServersTest, AFrozenServerLosesItsCallsWithItsLeaseAndRegistersAgainWhenItThaws) {
  const auto servers = StartAll({Server("v1", "127.0.0.1:0", "frozen"), Server("v1")});
  const std::string& address = servers[0]->address();
  const auto before = Admin().Get(servers[0]->key());
  ASSERT_TRUE(before.has_value());
  const auto channel = Channel();
  CheckedLoad load(channel, LoadOf("v1", milliseconds(1000)));
  load.AwaitAnswerFrom(address);
  servers[0]->Freeze();
  Follower follower(Etcd(), Service());
  follower.WaitFor([](const Snapshot& snapshot) { return IsUnlisted(snapshot, "frozen"); });
  EXPECT_FALSE(Admin().Get(servers[0]->key()).has_value());
  // A record may be reported before the channel's picker knows.
  EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v1"}, servers[1]->answer(), 20));
  const auto unlisted_since = std::chrono::steady_clock::now();
  load.AwaitAnswers(300);

  servers[0]->Thaw();
  follower.WaitFor([&](const Snapshot& snapshot) {
    const Member* thawed = FindMember(snapshot, "frozen");
    return thawed != nullptr && thawed->status == InstanceStatus::kRegistered &&
           thawed->instance->create_revision > before->create_revision;
  });
  load.AwaitAnswerFrom(address);
  load.AwaitAnswerFrom(servers[1]->address());
  const CallLog log = load.Stop();
  EXPECT_FALSE(log.failed.empty()) << "it was never frozen";
  for (const LoggedCall& call : log.failed) {
    EXPECT_EQ(call.answer.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED) << call;
    EXPECT_LT(call.begin, unlisted_since) << call;
  }
}

// What was sent to a frozen server and waits in its sockets is answered late, if its caller has the
// time: by the instance that it was sent to.
TEST_F(ServersTest, ACallThatOutlastsTheFreezeIsAnswered) {
  const auto servers = StartAll({Server("v1")});
  const auto channel = Channel();
  ExpectAnsweredBy(channel, "v1", servers[0]->answer(), 1);
  const auto before = Admin().Get(servers[0]->key());
  servers[0]->Freeze();
  auto call = std::async(std::launch::async, [&] {
    return CheckedCall(channel, {.version = "v1", .timeout = milliseconds(60000)});
  });
  Follower follower(Etcd(), Service());
  follower.WaitFor(
      [&](const Snapshot& snapshot) { return IsUnlisted(snapshot, servers[0]->id()); });
  servers[0]->Thaw();
  const LoggedCall late = call.get();
  EXPECT_EQ(late.answer.ToString(), servers[0]->answer()) << late;
  EXPECT_EQ(late.answer.wrong, "");
  ExpectAnsweredBy(channel, "v1", servers[0]->answer(), 20);
}

// The address of a killed v1 is taken over by a v2, while both versions are called all the time.
TEST_F(ServersTest, ARestartAsAnotherVersionAnswersNoCallForTheOldOne) {
  const auto servers = StartAll({Server("v1"), Server("v1")});
  const auto channel = Channel();
  CheckedLoad old_load(channel, LoadOf("v1"));
  CheckedLoad new_load(channel, LoadOf("v2"));
  const std::string address = servers[0]->address();
  old_load.AwaitAnswerFrom(address);
  const Kill kill = servers[0]->Kill();
  const auto again = StartAll({Server("v2", address)});
  new_load.AwaitAnswers(300);
  old_load.AwaitAnswers(300);
  ExpectOnlyCallsInFlightFailed(old_load.Stop(), {kill});
  for (const LoggedCall& call : new_load.Stop().failed) {  // before it was there
    EXPECT_EQ(call.answer.status.error_code(), grpc::StatusCode::UNAVAILABLE) << call;
    EXPECT_EQ(call.answer.Address(), "") << call;
  }
  ExpectAnsweredBy(channel, "v1", servers[1]->answer(), 50);
  ExpectAnsweredBy(channel, "v2", again[0]->answer(), 50);
}

// The new process never gets to say what it is, so the old record is all that there is.
TEST_F(ServersTest, AServerThatCannotRegisterAnswersNoCallForTheOldOneOnItsAddress) {
  ServerProcessOptions lasting = Server("v1");
  lasting.ttl_s = 10;
  const auto servers = StartAll({lasting});
  const auto channel = Channel();
  ExpectAnsweredBy(channel, "v1", servers[0]->answer(), 1);
  const std::string address = servers[0]->address();
  servers[0]->Kill();
  ServerProcessOptions cut_off = Server("v2", address);
  cut_off.etcd = "127.0.0.1:1";
  const ServerProcess again(cut_off);
  const auto direct = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  ASSERT_TRUE(CallUntilAnswered(direct, {.wait_for_ready = true}, "v2 " + address));
  for (const auto& used : {channel, Channel()}) {
    for (int i = 0; i < 20; ++i) {
      const LoggedCall call = CheckedCall(used, {.version = "v1"});
      EXPECT_EQ(call.answer.status.error_code(), grpc::StatusCode::UNAVAILABLE) << call;
    }
  }
  EXPECT_TRUE(Admin().Get(servers[0]->key()).has_value()) << "its lease should live still";
}

// The record of the old service leads to the other one for as long as its lease lives.
TEST_F(ServersTest, ARestartAsAnotherServiceAnswersNoCallForTheOldOne) {
  const std::string other_service = Service() + ".other";
  ServerProcessOptions first = Server("old");
  first.ttl_s = 10;
  const auto servers = StartAll({first, Server("old")});
  const auto channel = Channel();
  CheckedLoad load(channel, {.unary_threads = kThreads});  // of any version
  const std::string address = servers[0]->address();
  load.AwaitAnswerFrom(address);
  const Kill kill = servers[0]->Kill();
  ServerProcessOptions other = Server("other", address);
  other.service = other_service;
  const auto again = StartAll({other});
  const auto other_channel = ChannelTo(Etcd(), other_service);
  ExpectAnsweredBy(other_channel, "other", again[0]->answer(), 50);
  EXPECT_TRUE(Admin().Get(servers[0]->key()).has_value()) << "its lease should live still";
  load.AwaitAnswers(300);
  ExpectOnlyCallsInFlightFailed(load.Stop(), {kill});
  ExpectAnsweredBy(channel, "old", servers[1]->answer(), 50);
  ExpectAnsweredBy(Channel(), "old", servers[1]->answer(), 20);  // nor on new connections
}

// Two processes announce one address, as with an advertise address that is shared by mistake. The
// newer record counts. It leads to the other's process, which is no instance of its record: calls
// fail and say so, rather than be answered by the wrong one.
TEST_F(ServersTest, OfTwoInstancesWithOneAddressNoneAnswersForTheOther) {
  const auto first = StartAll({Server("v1")});
  const auto channel = Channel();
  ExpectAnsweredBy(channel, "v1", first[0]->answer(), 1);
  ServerProcessOptions options = Server("v2");
  options.more = {"--advertise", first[0]->address()};
  auto second = StartAll({options});
  ASSERT_EQ(second[0]->address(), first[0]->address());
  Follower follower(Etcd(), Service());
  follower.WaitFor([](const Snapshot& snapshot) {
    return snapshot.members.size() == 1 && snapshot.members[0].instance->version == "v2" &&
           snapshot.rejected.size() == 1;
  });
  EXPECT_TRUE(CallUntil(channel, {.version = "v1"}, [](const Answer& answer) {
    return answer.ToString().find("no match found conn") != std::string::npos;
  }));
  for (int i = 0; i < 20; ++i) {
    for (const char* version : {"v1", "v2"}) {
      const LoggedCall call = CheckedCall(channel, {.version = version});
      EXPECT_EQ(call.answer.status.error_code(), grpc::StatusCode::UNAVAILABLE) << call;
    }
  }
  // When the newer one goes, the older one is good again.
  second[0]->Drain();
  EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v1"}, first[0]->answer(), 20));
}

}  // namespace
}  // namespace turnout::testing
