// The wrong instance never answers: not even from an address that a record still calls its own.
#include <gmock/gmock.h>

#include <csignal>
#include <optional>

#include "tests/support/fixture.h"
#include "tests/support/reports.h"

namespace turnout::testing {
namespace {

class IdentityTest : public IntegrationTest {
 protected:
  std::vector<std::string> AppServerCommand(const std::string& version, const std::string& listen,
                                            const std::string& id) const {
    std::vector<std::string> command = {
        Program("app_server"), "--etcd", Etcd(),     "--service", Service(),
        "--version",           version,  "--listen", listen};
    if (!id.empty()) command.insert(command.end(), {"--id", id});
    return command;
  }

  // From "registered KEY ADDRESS".
  static std::string AddressOf(Process& server) {
    const std::string line = server.ReadLine().value_or("");
    EXPECT_EQ(line.substr(0, 11), "registered ");
    return line.substr(line.rfind(' ') + 1);
  }

  // A v1 server is killed and comes back as v2 on its address, while calls for v1 never end. Its
  // record lives for 10 s more, unless the new one replaces it.
  void RestartAsAnotherVersion(const std::string& id) {
    const auto other = Start("v1");
    std::optional<Process> server;
    server.emplace(AppServerCommand("v1", "127.0.0.1:0", id));
    const std::string address = AddressOf(*server);
    const auto channel = Channel();
    const std::string impostor = "v2 " + address;
    ASSERT_TRUE(CallUntilAnswered(channel, {.version = "v1"}, "v1 " + address));
    Load load(channel, {.version = "v1"}, 3);
    load.WaitForCalls(50);
    server->Signal(SIGKILL);
    ASSERT_EQ(server->Wait(), -SIGKILL);
    server.emplace(AppServerCommand("v2", address, id));
    EXPECT_EQ(AddressOf(*server), address);
    ASSERT_TRUE(CallUntilAnswered(channel, {.version = "v2"}, impostor));
    load.WaitForCalls(300);
    const Tally tally = load.Stop();
    EXPECT_EQ(tally.by_output.count(impostor), 0) << tally;
    EXPECT_GT(tally.by_output.at(other->answer()), 0) << tally;
    const Tally after = CallMany(channel, 50, {.version = "v2"});
    EXPECT_THAT(after.by_output, ::testing::ElementsAre(::testing::Pair(impostor, 50))) << after;
  }
};

TEST_F(IdentityTest, ARestartAsAnotherVersionUnderANewIdGetsNoneOfTheOldOnesCalls) {
  RestartAsAnotherVersion("");
}

TEST_F(IdentityTest, ARestartAsAnotherVersionUnderTheSameIdGetsNoneOfTheOldOnesCalls) {
  RestartAsAnotherVersion("app-fixed");
}

// The new server has not registered, and never will.
TEST_F(IdentityTest, AServerOnTheAddressOfALivingRecordIsNotTakenForIt) {
  BackendOptions options = Options("v1");
  const auto old = std::make_unique<Backend>(options);
  const auto channel = Channel();
  ASSERT_EQ(Call(channel, {.version = "v1"}).ToString(), old->answer());
  old->StopServer();
  ASSERT_TRUE(Admin().Get(old->registrar().key()).has_value());

  BackendOptions stranger;
  stranger.listen = old->address();
  stranger.registration.version = "v2";
  const Backend impostor(stranger);
  const Tally tally = CallMany(channel, 20, {.version = "v1"});
  EXPECT_EQ(tally.ok, 0) << tally;
  const Tally fresh = CallMany(Channel(), 20, {.version = "v1"});
  EXPECT_EQ(fresh.ok, 0) << fresh;
  EXPECT_EQ(impostor.calls(), 0);
}

TEST_F(IdentityTest, OfTwoRecordsWithOneAddressTheNewerOneCounts) {
  const Reports reports;
  BackendOptions unregistered;
  unregistered.prepared = false;
  const Backend backend(unregistered);
  const GoRecord old{Service(), "app-z", "v1", backend.address()};
  const GoRecord young{Service(), "app-a", "v2", backend.address()};
  Admin().Put(old.key(), old.value());
  Admin().Put(young.key(), young.value());
  Admin().Put(old.key(), old.value());  // newer as a modification, older as a registration

  const auto channel = Channel();
  EXPECT_EQ(Call(channel, {.version = "v2", .checked = false}).ToString(), backend.answer());
  EXPECT_EQ(Call(channel, {.version = "v1"}).status.error_code(), grpc::StatusCode::UNAVAILABLE);
  Follower follower(Etcd(), Service());
  const auto snapshot = follower.WaitForCount(1);
  ASSERT_EQ(snapshot->rejected.size(), 1);
  EXPECT_EQ(snapshot->rejected[0].key, old.key());
  EXPECT_GE(reports.CountLogs(old.key(), "warning"), 1) << reports.AllLogs();

  // When the newer one goes, the older one is good again.
  Admin().Delete(young.key());
  EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v1", .checked = false}, backend.answer()));
}

// Two processes with one id: the one that came last has it, the other one stays away.
TEST_F(IdentityTest, AnIdBelongsToWhoeverRegisteredItLast) {
  BackendOptions options = Options("v1");
  options.registration.id = "app-fixed";
  Backend first(options);
  Process second(AppServerCommand("v2", "127.0.0.1:0", "app-fixed"));
  const std::string address = AddressOf(second);
  const auto channel = Channel();
  EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v2"}, "v2 " + address));
  Follower follower(Etcd(), Service());
  const auto snapshot = follower.WaitForCount(1);
  EXPECT_EQ(snapshot->members[0].instance->version, "v2");
  EXPECT_EQ(first.registrar().state(), RegistrationState::kSuperseded);
}

}  // namespace
}  // namespace turnout::testing
