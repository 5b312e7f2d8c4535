#include "src/grpc/v1_51/connection.h"

#include <grpc/support/port_platform.h>
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "src/grpc/v1_51/addresses.h"

namespace turnout::adapter {
namespace {

using grpc_core::RefCountedPtr;
using grpc_core::SubchannelInterface;
using std::chrono::milliseconds;

// A subchannel whose states the test sets.
class FakeSubchannel final : public SubchannelInterface {
 public:
  void WatchConnectivityState(std::unique_ptr<ConnectivityStateWatcherInterface> watcher) override {
    watcher_ = std::move(watcher);
  }
  void CancelConnectivityStateWatch(ConnectivityStateWatcherInterface* watcher) override {
    EXPECT_EQ(watcher, watcher_.get());
    cancelled_ = std::move(watcher_);
  }
  void RequestConnection() override { ++connects; }
  void ResetBackoff() override { ++backoff_resets; }
  void AddDataWatcher(std::unique_ptr<DataWatcherInterface>) override {}

  void Set(grpc_connectivity_state state, absl::Status status = absl::OkStatus()) {
    watcher_->OnConnectivityStateChange(state, std::move(status));
  }
  // As gRPC does when the change was on its way while the watcher was cancelled.
  void SetAfterCancellation(grpc_connectivity_state state) {
    cancelled_->OnConnectivityStateChange(state, absl::OkStatus());
  }
  bool watched() const { return watcher_ != nullptr; }
  // As when gRPC shuts down: a watcher that outlasts its connection holds us, as we hold it.
  void Forget() { std::exchange(watcher_, nullptr).reset(); }

  int connects = 0;
  int backoff_resets = 0;

 private:
  std::unique_ptr<ConnectivityStateWatcherInterface> watcher_;
  std::unique_ptr<ConnectivityStateWatcherInterface> cancelled_;
};

class ConnectionTest : public testing::Test, protected Connection::Owner {
 protected:
  ~ConnectionTest() override {
    for (const auto& subchannel : made) subchannel->Forget();
  }

  RefCountedPtr<SubchannelInterface> CreateSubchannelLocked(const Instance&,
                                                            const grpc_resolved_address&) override {
    made.push_back(grpc_core::MakeRefCounted<FakeSubchannel>());
    return made.back();
  }
  RefCountedPtr<grpc_core::LoadBalancingPolicy> HoldLocked() override { return nullptr; }
  std::shared_ptr<grpc_core::WorkSerializer> SerializerLocked() override { return nullptr; }
  void OnStateChangeLocked(Connection& connection, ConnectionState before) override {
    changes.emplace_back(before, connection.state());
  }

  static Member MemberWith(std::string address, std::int64_t create_revision = 1) {
    auto instance = std::make_shared<Instance>();
    instance->id = "app-1";
    instance->addresses = {std::move(address)};
    instance->create_revision = create_revision;
    return {.instance = std::move(instance), .stats = std::make_shared<InstanceStats>()};
  }
  void Start(Connection& connection) {
    connection.StartLocked(ParseAddress(connection.member().instance->address()));
  }

  using Change = std::pair<ConnectionState, ConnectionState>;
  std::vector<RefCountedPtr<FakeSubchannel>> made;
  std::vector<Change> changes;
};

TEST_F(ConnectionTest, ConnectsAndBecomesReady) {
  Connection connection(*this, MemberWith("127.0.0.1:80"));
  EXPECT_EQ(connection.state(), ConnectionState::kIdle);
  Start(connection);
  EXPECT_EQ(connection.state(), ConnectionState::kConnecting);
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(made[0]->connects, 1);
  made[0]->Set(GRPC_CHANNEL_CONNECTING);
  made[0]->Set(GRPC_CHANNEL_READY);
  EXPECT_EQ(changes,
            (std::vector<Change>{{ConnectionState::kConnecting, ConnectionState::kReady}}));
}

TEST_F(ConnectionTest, AChangeThatComesAfterItHasGoneIsIgnored) {
  auto connection = std::make_unique<Connection>(static_cast<Connection::Owner&>(*this),
                                                 MemberWith("127.0.0.1:80"));
  Start(*connection);
  made[0]->Set(GRPC_CHANNEL_READY);
  changes.clear();
  connection.reset();
  EXPECT_FALSE(made[0]->watched());
  made[0]->SetAfterCancellation(GRPC_CHANNEL_IDLE);
  EXPECT_TRUE(changes.empty());
}

// gRPC would lose the socket of a connection that is being made.
TEST_F(ConnectionTest, AnAttemptToConnectOutlastsIt) {
  for (const auto outcome : {GRPC_CHANNEL_READY, GRPC_CHANNEL_TRANSIENT_FAILURE}) {
    auto connection = std::make_unique<Connection>(static_cast<Connection::Owner&>(*this),
                                                   MemberWith("127.0.0.1:80"));
    Start(*connection);
    FakeSubchannel& subchannel = *made.back();
    subchannel.Set(GRPC_CHANNEL_IDLE);
    subchannel.Set(GRPC_CHANNEL_CONNECTING);
    connection.reset();
    EXPECT_TRUE(subchannel.watched());
    subchannel.Set(outcome);
    EXPECT_FALSE(subchannel.watched());
    EXPECT_TRUE(changes.empty());
  }
}

TEST_F(ConnectionTest, WhatWaitsToBeConnectedAgainGoesAtOnce) {
  Connection connection(*this, MemberWith("127.0.0.1:80"));
  Start(connection);
  made[0]->Set(GRPC_CHANNEL_READY);
  made[0]->Set(GRPC_CHANNEL_IDLE);
  connection.StopLocked();
  EXPECT_FALSE(made[0]->watched());
}

TEST_F(ConnectionTest, FailingStaysUntilReady) {
  Connection connection(*this, MemberWith("127.0.0.1:80"));
  Start(connection);
  made[0]->Set(GRPC_CHANNEL_TRANSIENT_FAILURE, absl::UnknownError("refused"));
  made[0]->Set(GRPC_CHANNEL_IDLE);
  made[0]->Set(GRPC_CHANNEL_CONNECTING);
  EXPECT_EQ(connection.state(), ConnectionState::kFailing);
  EXPECT_EQ(connection.last_error().message(), "refused");
  EXPECT_EQ(made[0]->connects, 2) << "an idle subchannel is connected again";
  made[0]->Set(GRPC_CHANNEL_READY);
  EXPECT_EQ(connection.state(), ConnectionState::kReady);
  EXPECT_TRUE(connection.last_error().ok());
}

TEST_F(ConnectionTest, AfterReadyItReconnectsOnlyWhenTold) {
  Connection connection(*this, MemberWith("127.0.0.1:80"));
  Start(connection);
  made[0]->Set(GRPC_CHANNEL_READY);
  made[0]->Set(GRPC_CHANNEL_IDLE);
  EXPECT_EQ(connection.state(), ConnectionState::kConnecting);
  EXPECT_EQ(made[0]->connects, 1);
  connection.ReconnectLocked();
  EXPECT_EQ(made[0]->connects, 2);
  connection.ReconnectLocked();
  EXPECT_EQ(made[0]->connects, 2);
}

TEST_F(ConnectionTest, AFailureWithoutALostConnectionIsUnhealthy) {
  Connection connection(*this, MemberWith("127.0.0.1:80"));
  Start(connection);
  made[0]->Set(GRPC_CHANNEL_READY);
  made[0]->Set(GRPC_CHANNEL_TRANSIENT_FAILURE, absl::UnavailableError("backend unhealthy"));
  EXPECT_EQ(connection.state(), ConnectionState::kUnhealthy);
  EXPECT_TRUE(connection.connected());
  EXPECT_EQ(connection.last_error().message(), "backend unhealthy");
  made[0]->Set(GRPC_CHANNEL_TRANSIENT_FAILURE, absl::UnavailableError("backend unhealthy"));
  EXPECT_EQ(connection.state(), ConnectionState::kUnhealthy);
  made[0]->Set(GRPC_CHANNEL_READY);
  EXPECT_EQ(connection.state(), ConnectionState::kReady);
}

TEST_F(ConnectionTest, AnUnhealthyOneThatLosesItsConnectionIsFailing) {
  for (const auto next : {GRPC_CHANNEL_IDLE, GRPC_CHANNEL_CONNECTING}) {
    Connection connection(*this, MemberWith("127.0.0.1:80"));
    Start(connection);
    made.back()->Set(GRPC_CHANNEL_READY);
    made.back()->Set(GRPC_CHANNEL_TRANSIENT_FAILURE, absl::UnavailableError("unhealthy"));
    made.back()->Set(next);
    EXPECT_EQ(connection.state(), ConnectionState::kFailing);
    EXPECT_FALSE(connection.connected());
    EXPECT_EQ(made.back()->connects, 1) << "it waits until no picker counts on it";
    connection.ReconnectLocked();
    EXPECT_EQ(made.back()->connects, next == GRPC_CHANNEL_IDLE ? 2 : 1);
    made.back()->Set(GRPC_CHANNEL_TRANSIENT_FAILURE, absl::UnavailableError("refused"));
    EXPECT_EQ(connection.state(), ConnectionState::kFailing) << "not unhealthy: nothing is proven";
  }
}

TEST_F(ConnectionTest, ServesSinceItWasFirstReadyAndAgainAfterAFailure) {
  Connection connection(*this, MemberWith("127.0.0.1:80"));
  Start(connection);
  EXPECT_EQ(connection.serving_since(), std::nullopt);
  const auto before = Connection::Clock::now();
  made[0]->Set(GRPC_CHANNEL_READY);
  const auto first = connection.serving_since();
  EXPECT_GE(first, before);
  made[0]->Set(GRPC_CHANNEL_IDLE);
  made[0]->Set(GRPC_CHANNEL_CONNECTING);
  made[0]->Set(GRPC_CHANNEL_READY);
  EXPECT_EQ(connection.serving_since(), first) << "a new connection is not a new server";
  made[0]->Set(GRPC_CHANNEL_IDLE);
  made[0]->Set(GRPC_CHANNEL_TRANSIENT_FAILURE, absl::UnavailableError("refused"));
  made[0]->Set(GRPC_CHANNEL_READY);
  EXPECT_GT(connection.serving_since(), first);
}

TEST_F(ConnectionTest, OneOfTheFirstHasAlwaysServed) {
  Connection connection(*this, MemberWith("127.0.0.1:80"), /*founding=*/true);
  Start(connection);
  made[0]->Set(GRPC_CHANNEL_TRANSIENT_FAILURE, absl::UnavailableError("refused"));
  made[0]->Set(GRPC_CHANNEL_READY);
  EXPECT_EQ(connection.serving_since(), Connection::Clock::time_point::min());
  made[0]->Set(GRPC_CHANNEL_IDLE);
  made[0]->Set(GRPC_CHANNEL_TRANSIENT_FAILURE, absl::UnavailableError("refused"));
  made[0]->Set(GRPC_CHANNEL_READY);
  EXPECT_GT(connection.serving_since(), Connection::Clock::time_point::min());
}

TEST_F(ConnectionTest, CanBeStoppedAndStartedAgain) {
  Connection connection(*this, MemberWith("127.0.0.1:80"));
  Start(connection);
  made[0]->Set(GRPC_CHANNEL_READY);
  connection.StopLocked();
  EXPECT_EQ(connection.state(), ConnectionState::kIdle);
  EXPECT_FALSE(made[0]->watched());
  Start(connection);
  EXPECT_EQ(made.size(), 2u);
}

TEST_F(ConnectionTest, ConnectingForTooLongIsFailing) {
  Connection connection(*this, MemberWith("127.0.0.1:80"));
  Start(connection);
  const auto since = connection.connecting_since();
  EXPECT_FALSE(connection.ExpireLocked(since - milliseconds(1), milliseconds(3000)));
  EXPECT_TRUE(connection.ExpireLocked(since, milliseconds(3000)));
  EXPECT_EQ(connection.state(), ConnectionState::kFailing);
  EXPECT_EQ(connection.last_error().message(), "not connected within 3000 ms");
  EXPECT_FALSE(connection.ExpireLocked(since, milliseconds(3000)));
}

TEST_F(ConnectionTest, AnotherAddressIsAnotherSubchannel) {
  Connection connection(*this, MemberWith("127.0.0.1:80"));
  Start(connection);
  made[0]->Set(GRPC_CHANNEL_READY);
  connection.UpdateLocked(MemberWith("127.0.0.1:81"));
  EXPECT_EQ(connection.state(), ConnectionState::kIdle);
  EXPECT_FALSE(made[0]->watched());
  EXPECT_FALSE(connection.has_subchannel());
  Start(connection);
  EXPECT_EQ(made.size(), 2u);
}

TEST_F(ConnectionTest, ARestartResetsTheBackoffAndKeepsTheSubchannel) {
  Connection connection(*this, MemberWith("127.0.0.1:80", 1));
  Start(connection);
  const int resets = made[0]->backoff_resets;
  connection.UpdateLocked(MemberWith("127.0.0.1:80", 2));
  EXPECT_EQ(made.size(), 1u);
  EXPECT_EQ(made[0]->backoff_resets, resets + 1);
}

TEST_F(ConnectionTest, AHostNameWaitsForItsAddress) {
  Connection connection(*this, MemberWith("app.example:80"));
  Start(connection);
  EXPECT_EQ(connection.state(), ConnectionState::kConnecting);
  EXPECT_TRUE(made.empty());
  connection.StartLocked(ParseAddress("127.0.0.1:80"));
  EXPECT_EQ(made.size(), 1u);
  connection.StartLocked(ParseAddress("127.0.0.1:80"));
  EXPECT_EQ(made.size(), 1u) << "the same address again changes nothing";
  connection.StartLocked(ParseAddress("127.0.0.2:80"));
  EXPECT_EQ(made.size(), 2u) << "the name leads elsewhere now";
}

TEST(AddressesTest, ParsesWhatNeedsNoLookUp) {
  EXPECT_TRUE(ParseAddress("127.0.0.1:80").has_value());
  EXPECT_TRUE(ParseAddress("[::1]:80").has_value());
  EXPECT_TRUE(ParseAddress("unix:/tmp/socket").has_value());
  EXPECT_FALSE(ParseAddress("localhost:80").has_value());
}

// What is no longer registered is as good as the connection that it had while it was.
TEST_F(ConnectionTest, ALapsedInstanceIsAsGoodAsItsConnection) {
  Member member = MemberWith("127.0.0.1:80");
  Connection connection(*this, member);
  EXPECT_TRUE(connection.proven());
  Start(connection);
  made[0]->Set(GRPC_CHANNEL_READY);
  member.status = InstanceStatus::kLapsed;
  connection.UpdateLocked(member);
  EXPECT_TRUE(connection.proven());
  made[0]->Set(GRPC_CHANNEL_TRANSIENT_FAILURE, absl::UnavailableError("not serving"));
  EXPECT_FALSE(connection.proven()) << "it fails its health check";
  made[0]->Set(GRPC_CHANNEL_READY);
  made[0]->Set(GRPC_CHANNEL_IDLE);
  EXPECT_FALSE(connection.proven()) << "the connection is lost";
}

}  // namespace
}  // namespace turnout::adapter
