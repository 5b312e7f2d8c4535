#include "src/etcd/lease.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/etcd/test_client.h"
#include "tests/support/etcd_server.h"

namespace turnout::etcd {
namespace {

using ::testing::ElementsAre;
using testing::EtcdServer;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

// As an operator would.
void RevokeFromOutside(const std::string& endpoint, std::int64_t lease) {
  etcdpb::LeaseRevokeRequest request;
  request.set_id(lease);
  CallEtcd<etcdpb::LeaseRevokeResponse>(endpoint, "/etcdserverpb.Lease/LeaseRevoke", request);
}

class LeaseTest : public ::testing::Test {
 protected:
  // Waits until a key is deleted, and says whether it was in time.
  bool AwaitDeletion(const std::string& key, Revision after, std::chrono::milliseconds timeout) {
    WatchJournal journal;
    const auto watch = Watch(client_, key, after + 1, journal);
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    std::size_t seen = 1;
    while (std::chrono::steady_clock::now() < deadline) {
      for (const std::string& line : journal.Wait(seen, timeout)) {
        if (line == "delete " + key) return true;
      }
      seen = journal.lines().size() + 1;
    }
    return false;
  }

  EtcdServer server_;
  ClientImpl& client_ = NewClient({server_.endpoint()});
  BlockingClient etcd_{client_};
};

TEST_F(LeaseTest, IsKeptAliveBeyondItsTtl) {
  LeaseJournal journal;
  auto hold = Hold(client_, 1, journal);
  const auto lease = journal.id.Wait();
  ASSERT_TRUE(lease.has_value());
  const auto put = etcd_.Put("/leased", "v", *lease);
  ASSERT_TRUE(put.ok()) << put.status();
  // 2.5 times its TTL.
  EXPECT_FALSE(AwaitDeletion("/leased", *put, std::chrono::milliseconds(2500)));
  EXPECT_THAT(journal.lines(), ElementsAre("granted"));
  EXPECT_EQ(etcd_.Get("/leased")->kvs.at(0).lease, *lease);
}

TEST_F(LeaseTest, IsSharedByTtlAndRevokedWithItsLastHold) {
  LeaseJournal first, second, other;
  auto second_hold = std::make_unique<OnLoop<Client::LeaseHold>>(
      [&] { return client_.HoldLease(std::chrono::seconds(60), &second); });
  const auto lease = second.id.Wait();
  ASSERT_TRUE(lease.has_value());
  auto first_hold = std::make_unique<OnLoop<Client::LeaseHold>>(
      [&] { return client_.HoldLease(std::chrono::seconds(60), &first); });
  EXPECT_EQ(first.id.Wait(), lease);
  auto other_hold = Hold(client_, 61, other);
  EXPECT_NE(other.id.Wait(), lease);

  const auto put = etcd_.Put("/leased", "v", *lease);
  first_hold.reset();
  EXPECT_THAT(etcd_.Get("/leased")->kvs, SizeIs(1));
  std::promise<void> released;
  EventLoop::Get().RunAndWait([&] { (**second_hold).Release([&] { released.set_value(); }); });
  released.get_future().wait();
  EXPECT_THAT(etcd_.Get("/leased")->kvs, IsEmpty());
  EXPECT_THAT(second.lines(), ElementsAre("granted"));
  EXPECT_THAT(first.lines(), ElementsAre("granted"));
}

TEST_F(LeaseTest, ALeaseRevokedFromOutsideIsLostAndGrantedAnew) {
  LeaseJournal journal;
  auto hold = Hold(client_, 2, journal);
  const auto lease = journal.id.Wait();
  ASSERT_TRUE(lease.has_value());
  RevokeFromOutside(server_.endpoint(), *lease);
  const auto next = journal.id.Wait();
  ASSERT_TRUE(next.has_value());
  EXPECT_NE(next, lease);
  EXPECT_THAT(journal.lines(),
              ElementsAre("granted", "lost: etcd no longer has the lease", "granted"));
  EXPECT_TRUE(etcd_.Put("/leased", "v", *next).ok());
}

TEST_F(LeaseTest, SurvivesARestartOfEtcd) {
  LeaseJournal journal;
  auto hold = Hold(client_, 8, journal);
  const auto lease = journal.id.Wait();
  ASSERT_TRUE(lease.has_value());
  const auto put = etcd_.Put("/leased", "v", *lease);
  server_.Restart();
  EXPECT_FALSE(AwaitDeletion("/leased", *put, std::chrono::seconds(9)));
  EXPECT_THAT(journal.lines(), ElementsAre("granted"));
}

TEST_F(LeaseTest, IsLostWhenEtcdIsAwayForATtlAndGrantedWhenItIsBack) {
  LeaseJournal journal;
  auto hold = Hold(client_, 1, journal);
  ASSERT_TRUE(journal.id.Wait().has_value());
  server_.Kill();
  const auto lines = journal.Wait(3);
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(lines[1], "lost: the lease could not be kept alive for 1 s");
  EXPECT_THAT(lines[2], StartsWith("failed: etcd LeaseGrant on " + server_.endpoint() + ": "));
  EXPECT_THAT(lines[2], HasSubstr("refused"));
  server_.Start();
  EXPECT_TRUE(journal.id.Wait().has_value());
  EXPECT_EQ(journal.lines().back(), "granted");
}

TEST_F(LeaseTest, LettingGoBeforeTheGrantRevokesItAllTheSame) {
  std::promise<void> released;
  LeaseJournal journal;
  EventLoop::Get().RunAndWait([&] {
    auto hold = client_.HoldLease(std::chrono::seconds(60), &journal);
    hold->Release([&] { released.set_value(); });
    hold.reset();
  });
  released.get_future().wait();
  EXPECT_THAT(journal.lines(), IsEmpty());
}

TEST_F(LeaseTest, AHoldMayBeReleasedInsideItsOwnCallback) {
  class Releaser final : public Client::LeaseObserver {
   public:
    void OnGranted(std::int64_t) override { hold.reset(); }
    void OnLost(const absl::Status&) override {}
    void OnGrantFailed(const absl::Status&) override {}
    std::unique_ptr<Client::LeaseHold> hold;
  } releaser;
  LeaseJournal other;
  EventLoop::Get().RunAndWait(
      [&] { releaser.hold = client_.HoldLease(std::chrono::seconds(60), &releaser); });
  auto hold = Hold(client_, 60, other);
  EXPECT_TRUE(other.id.Wait().has_value());
  EventLoop::Get().RunAndWait([&] { EXPECT_EQ(releaser.hold, nullptr); });
}

TEST_F(LeaseTest, IsGrantedForAsLongAsItWasAskedFor) {
  for (const int seconds : {2, 7, 3600}) {
    LeaseJournal journal;
    auto hold = Hold(client_, seconds, journal);
    const auto lease = journal.id.Wait();
    ASSERT_TRUE(lease.has_value());
    const auto life = etcd_.LookUpLease(*lease);
    ASSERT_TRUE(life.ok()) << life.status();
    EXPECT_EQ(life->granted, std::chrono::seconds(seconds));
  }
}

// When a lease was lost, and how long it took until there was another.
class Gap final : public Client::LeaseObserver {
 public:
  void OnGranted(std::int64_t id) override {
    if (lost_at_.has_value()) gap.Set(std::chrono::steady_clock::now() - *lost_at_);
    lease.Set(id);
  }
  void OnLost(const absl::Status& /*why*/) override { lost_at_ = std::chrono::steady_clock::now(); }
  void OnGrantFailed(const absl::Status& /*why*/) override {}

  Slot<std::int64_t> lease;
  Slot<std::chrono::steady_clock::duration> gap;

 private:
  std::optional<std::chrono::steady_clock::time_point> lost_at_;
};

// Without the random delay each takes as long as a request: 1 ms or so.
TEST_F(LeaseTest, LeasesLostTogetherAreNotAskedForTogether) {
  constexpr int kLeases = 8;
  std::vector<std::unique_ptr<Gap>> gaps;
  std::list<OnLoop<Client::LeaseHold>> holds;
  for (int i = 0; i < kLeases; ++i) {
    Gap& gap = *gaps.emplace_back(std::make_unique<Gap>());
    holds.emplace_back([&] { return client_.HoldLease(std::chrono::seconds(2 + i), &gap); });
  }
  for (const auto& gap : gaps) {
    const auto lease = gap->lease.Wait();
    ASSERT_TRUE(lease.has_value());
    RevokeFromOutside(server_.endpoint(), *lease);
  }
  int later = 0;
  for (const auto& gap : gaps) {
    const auto took = gap->gap.Wait();
    ASSERT_TRUE(took.has_value());
    later += *took > Lease::kSpread / 8 ? 1 : 0;
  }
  EXPECT_GE(later, 2);
}

}  // namespace
}  // namespace turnout::etcd
