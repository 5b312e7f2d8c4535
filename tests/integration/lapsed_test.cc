// Last known good: what calls get when records vanish unannounced.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <csignal>

#include "tests/support/fixture.h"
#include "tests/support/reports.h"
#include "turnout/observer.h"

namespace turnout::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr auto kUnavailable = grpc::StatusCode::UNAVAILABLE;

class LapsedTest : public IntegrationTest {
 protected:
  // A server that nobody registers but the test.
  static std::unique_ptr<Backend> Unregistered(const std::string& version) {
    BackendOptions options;
    options.registration.version = version;
    return std::make_unique<Backend>(options);
  }
  GoRecord RecordOf(const Backend& backend, const std::string& id, const std::string& version,
                    const std::string& metadata = "null") {
    GoRecord record{Service(), id, version, backend.address(), metadata};
    Admin().Put(record.key(), record.value());
    AwaitStatus(id, InstanceStatus::kRegistered);
    return record;
  }
  void AwaitStatus(const std::string& id, InstanceStatus status) {
    EXPECT_NE(follower_.WaitFor([&](const Snapshot& snapshot) {
      const Member* member = FindMember(snapshot, id);
      return member != nullptr && member->status == status;
    }),
              nullptr);
  }
  void AwaitGone(const std::string& id) {
    EXPECT_NE(follower_.WaitFor(
                  [&](const Snapshot& snapshot) { return FindMember(snapshot, id) == nullptr; }),
              nullptr);
  }

  Reports reports_;
  Follower follower_{Etcd(), Service()};
};

TEST_F(LapsedTest, TheLastOfAVersionIsStillCalledOverItsConnection) {
  const auto v1 = Unregistered("v1"), v2 = Unregistered("v2");
  RecordOf(*v1, "one", "v1");
  const GoRecord record = RecordOf(*v2, "two", "v2");
  const auto channel = Channel();
  ASSERT_EQ(Call(channel, {.version = "v2"}).ToString(), v2->answer());
  Admin().Delete(record.key());
  AwaitStatus("two", InstanceStatus::kLapsed);
  const Tally tally = CallMany(channel, 200, {.version = "v2"});
  EXPECT_THAT(tally.by_output, ElementsAre(Pair(v2->answer(), 200))) << tally;

  // A channel that has no connection to it has no proof that it is still the same.
  EXPECT_EQ(Call(Channel(), {.version = "v2"}).status.error_code(), kUnavailable);
}

TEST_F(LapsedTest, WhereOthersAreRegisteredNoLapsedOneIsCalled) {
  const auto stays = Unregistered("v1"), vanishes = Unregistered("v1");
  RecordOf(*stays, "stays", "v1");
  const GoRecord record = RecordOf(*vanishes, "vanishes", "v1");
  const auto channel = Channel();
  ASSERT_TRUE(CallUntilAnswered(channel, {}, vanishes->answer()));
  ASSERT_TRUE(CallUntilAnswered(channel, {}, stays->answer()));
  Admin().Delete(record.key());
  AwaitStatus("vanishes", InstanceStatus::kLapsed);
  ASSERT_TRUE(CallUntilAnswered(channel, {}, stays->answer(), 30));
  const Tally tally = CallMany(channel, 200);
  EXPECT_THAT(tally.by_output, ElementsAre(Pair(stays->answer(), 200))) << tally;

  // It is the last resort.
  stays->StopServer();
  EXPECT_TRUE(CallUntilAnswered(channel, {}, vanishes->answer(), 50));
}

TEST_F(LapsedTest, ALostConnectionEndsIt) {
  auto server = Unregistered("v1");
  const int port = server->port();
  const GoRecord record = RecordOf(*server, "one", "v1");
  const auto channel = Channel();
  ASSERT_EQ(Call(channel).ToString(), server->answer());
  Admin().Delete(record.key());
  AwaitStatus("one", InstanceStatus::kLapsed);
  ASSERT_EQ(Call(channel).ToString(), server->answer());
  server.reset();

  // Somebody else may be there now: it must not be taken for the one that vanished.
  BackendOptions options;
  options.listen = "127.0.0.1:" + std::to_string(port);
  options.registration.version = "v9";
  const Backend successor(options);
  const Tally tally = CallMany(channel, 50);
  EXPECT_EQ(tally.ok, 0) << tally;
  EXPECT_EQ(successor.calls(), 0);
}

// It proves its identity by a health check, as long as that lasts.
TEST_F(LapsedTest, AFailedHealthCheckEndsIt) {
  const auto server = Unregistered("v1");
  const auto healthy = [&](bool is) {
    server->server().GetHealthCheckService()->SetServingStatus("one@1", is);
  };
  healthy(true);
  const GoRecord record = RecordOf(*server, "one", "v1", R"({"turnout.health":"one@1"})");
  const auto channel = Channel();
  ASSERT_EQ(Call(channel).ToString(), server->answer());
  Admin().Delete(record.key());
  AwaitStatus("one", InstanceStatus::kLapsed);
  EXPECT_TRUE(CallMany(channel, 50).all_ok());

  healthy(false);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(CallUntil(channel, {}, [](const Answer& answer) { return !answer.status.ok(); }));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  healthy(true);
  EXPECT_EQ(Call(channel).status.error_code(), kUnavailable);
  const CallOptions patient{.timeout = std::chrono::seconds(2), .wait_for_ready = true};
  EXPECT_FALSE(Call(channel, patient).status.ok()) << "what has ended came back by itself";
}

TEST_F(LapsedTest, AfterTheDrainingAndBeforeTheFallback) {
  const auto lapses = Unregistered("v1"), drains = Unregistered("v1"), other = Unregistered("v2");
  const GoRecord lapsing = RecordOf(*lapses, "lapses", "v1");
  const GoRecord draining = RecordOf(*drains, "drains", "v1");
  RecordOf(*other, "other", "v2");
  const auto channel = Channel(
      R"({"loadBalancingConfig":[{"turnout":{"picker":[{"version":{"fallback":"any"}}]}}]})");
  const CallOptions v1{.version = "v1"};
  for (const auto& backend : {&lapses, &drains}) {
    ASSERT_TRUE(CallUntilAnswered(channel, v1, (*backend)->answer()));
  }
  Admin().Put("/turnout/state/" + Service() + "/drains", "draining");
  AwaitStatus("drains", InstanceStatus::kDraining);
  Admin().Delete(lapsing.key());
  AwaitStatus("lapses", InstanceStatus::kLapsed);
  ASSERT_TRUE(CallUntilAnswered(channel, v1, drains->answer(), 30));
  Tally tally = CallMany(channel, 200, v1);
  EXPECT_THAT(tally.by_output, ElementsAre(Pair(drains->answer(), 200))) << tally;

  Admin().Delete(draining.key());
  AwaitGone("drains");
  ASSERT_TRUE(CallUntilAnswered(channel, v1, lapses->answer(), 30));
  tally = CallMany(channel, 200, v1);
  EXPECT_THAT(tally.by_output, ElementsAre(Pair(lapses->answer(), 200))) << tally;

  Admin().Put("/turnout/state/" + Service() + "/lapses", "removed");
  AwaitGone("lapses");
  EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v1", .checked = false}, other->answer(), 30));
}

TEST_F(LapsedTest, AnOperatorsWordEndsIt) {
  const auto server = Unregistered("v1");
  const GoRecord record = RecordOf(*server, "one", "v1");
  const auto channel = Channel();
  ASSERT_EQ(Call(channel).ToString(), server->answer());
  Admin().Delete(record.key());
  AwaitStatus("one", InstanceStatus::kLapsed);
  Admin().Put("/turnout/state/" + Service() + "/one", "removed");
  AwaitGone("one");
  EXPECT_TRUE(CallUntil(channel, {}, [](const Answer& answer) { return !answer.status.ok(); }));
}

TEST_F(LapsedTest, AnAnnouncedEndIsOne) {
  const auto server = Unregistered("v1");
  const GoRecord record = RecordOf(*server, "one", "v1");
  const auto channel = Channel();
  ASSERT_EQ(Call(channel).ToString(), server->answer());
  Admin().Retire(record.key());
  AwaitGone("one");
  EXPECT_TRUE(CallUntil(channel, {}, [](const Answer& answer) { return !answer.status.ok(); }));
  EXPECT_EQ(Call(channel).status.error_code(), kUnavailable);
}

// Everybody vanishes at once, as when etcd has expired the leases of a whole fleet.
TEST_F(LapsedTest, AFleetThatVanishesIsCalledAsBefore) {
  std::vector<std::unique_ptr<Backend>> fleet;
  std::vector<GoRecord> records;
  for (int i = 0; i < 5; ++i) {
    fleet.push_back(Unregistered("v1"));
    records.push_back(RecordOf(*fleet.back(), "app-" + std::to_string(i), "v1"));
  }
  const auto channel = Channel();
  for (const auto& backend : fleet) ASSERT_TRUE(CallUntilAnswered(channel, {}, backend->answer()));
  const std::uint64_t before = GetCounters().instances_lapsed;
  Load load(channel);
  load.WaitForCalls(200);
  for (const GoRecord& record : records) Admin().Delete(record.key());
  for (const GoRecord& record : records) AwaitStatus(record.id, InstanceStatus::kLapsed);
  load.WaitForCalls(500);
  const Tally tally = load.Stop();
  EXPECT_TRUE(tally.all_ok()) << tally;
  EXPECT_GE(GetCounters().instances_lapsed - before, 5);
  EXPECT_TRUE(reports_.WaitForLog("have vanished unannounced")) << reports_.AllLogs();
  for (const GoRecord& record : records) EXPECT_TRUE(reports_.WaitForLapse(record.id));

  for (const GoRecord& record : records) Admin().Put(record.key(), record.value());
  for (const GoRecord& record : records) AwaitStatus(record.id, InstanceStatus::kRegistered);
  EXPECT_TRUE(CallMany(channel, 200).all_ok());
}

TEST_F(LapsedTest, ItCanBeTurnedOff) {
  ASSERT_TRUE(
      RegisterCluster("strict", {.endpoints = {Etcd()}, .lapsed_limit = std::chrono::seconds(0)})
          .ok());
  const auto server = Unregistered("v1");
  const GoRecord record = RecordOf(*server, "one", "v1");
  const auto channel = ChannelTo("strict", Service());
  ASSERT_EQ(Call(channel).ToString(), server->answer());
  Admin().Delete(record.key());
  EXPECT_TRUE(CallUntil(channel, {}, [](const Answer& answer) { return !answer.status.ok(); }));
}

}  // namespace
}  // namespace turnout::testing
