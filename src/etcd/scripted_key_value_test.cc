// Requests and leases at an etcd that answers what none would.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "src/etcd/test_client.h"
#include "tests/support/scripted_etcd.h"

namespace turnout::etcd {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using testing::ScriptedEtcd;
using ::testing::StartsWith;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

class ScriptedRangeTest : public ::testing::Test {
 protected:
  // Both ways to read give an error while `change` is in force, and what is there after that.
  void ExpectRefused(const std::function<void(etcdpb::RangeResponse&)>& change) {
    etcd_.AlterAs<etcdpb::RangeResponse>("Range", change);
    for (const auto& result : {client_.Get("/a/1"), client_.RangePrefix("/a/")}) {
      EXPECT_TRUE(absl::IsInternal(result.status())) << result.status();
      EXPECT_THAT(std::string(result.status().message()), StartsWith("etcd Range: an answer with"));
    }
    etcd_.Alter("Range", nullptr);
    const auto result = client_.RangePrefix("/a/");
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->kvs.size(), 2U);
  }

  ScriptedEtcd etcd_;
  std::int64_t first_ = etcd_.Put("/a/1", "1");
  std::int64_t last_ = etcd_.Put("/a/2", "2");
  BlockingClient client_{NewClient({etcd_.endpoint()})};
};

TEST_F(ScriptedRangeTest, RevisionsThatCannotBe) {
  for (const std::int64_t revision : {kMost, last_ + 1, std::int64_t{0}, std::int64_t{-1}}) {
    SCOPED_TRACE(revision);
    ExpectRefused([&](etcdpb::RangeResponse& response) {
      response.mutable_kvs(0)->set_mod_revision(revision);
    });
  }
  for (const std::int64_t revision : {kMost, std::int64_t{0}, -kMost}) {
    SCOPED_TRACE(revision);
    ExpectRefused([&](etcdpb::RangeResponse& response) {
      response.mutable_header()->set_revision(revision);
    });
  }
  ExpectRefused([](etcdpb::RangeResponse& response) {
    response.mutable_kvs(0)->set_create_revision(response.kvs(0).mod_revision() + 1);
  });
}

TEST_F(ScriptedRangeTest, BytesThatAreNoMessage) {
  etcd_.Alter("Range", [](std::string& answer) { answer = "\xff\xff not a message"; });
  EXPECT_TRUE(absl::IsInternal(client_.RangePrefix("/a/").status()));
  etcd_.Alter("Range", nullptr);
  EXPECT_TRUE(client_.RangePrefix("/a/").ok());
}

// The same page again and again, each time with the promise of more.
TEST_F(ScriptedRangeTest, PagesWithoutEnd) {
  etcd_.AlterAs<etcdpb::RangeResponse>("Range", [this](etcdpb::RangeResponse& response) {
    response.clear_kvs();
    etcdpb::KeyValue& kv = *response.add_kvs();
    kv.set_key("/a/1");
    kv.set_create_revision(first_);
    kv.set_mod_revision(first_);
    response.set_more(true);
  });
  const auto result = client_.RangePrefix("/a/");
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("keys out of order"));
  EXPECT_LE(etcd_.requests("Range"), 2);
}

TEST_F(ScriptedRangeTest, MoreThanAsked) {
  etcd_.AlterAs<etcdpb::RangeResponse>("Range", [](etcdpb::RangeResponse& response) {
    const etcdpb::KeyValue kv = response.kvs(0);
    for (int i = 0; i < 1000; ++i) *response.add_kvs() = kv;
  });
  EXPECT_TRUE(absl::IsInternal(client_.RangePrefix("/a/").status()));
}

class ScriptedLeaseTest : public ::testing::Test {
 protected:
  ScriptedEtcd etcd_;
  ClientImpl& client_ = NewClient({etcd_.endpoint()});
  LeaseJournal journal_;
};

TEST_F(ScriptedLeaseTest, ATtlOfZeroMeansThatItIsLost) {
  const auto hold = Hold(client_, 1, journal_);
  const auto first = journal_.id.Wait();
  ASSERT_TRUE(first.has_value());
  etcd_.EndLeases();
  const auto second = journal_.id.Wait();
  ASSERT_TRUE(second.has_value());
  EXPECT_NE(first, second);
  EXPECT_THAT(journal_.lines(),
              ::testing::ElementsAre("granted", "lost: etcd no longer has the lease", "granted"));
}

// An etcd that loses every lease at once is not asked for another as fast as can be.
TEST_F(ScriptedLeaseTest, LeasesThatNeverLiveAreAskedForWithPauses) {
  etcd_.AlterAs<etcdpb::LeaseKeepAliveResponse>(
      "LeaseKeepAlive", [](etcdpb::LeaseKeepAliveResponse& response) { response.set_ttl(0); });
  const auto hold = Hold(client_, 1, journal_);
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(etcd_.WaitForRequests("LeaseGrant", 12));
  // 125 ms each, on average: of eleven, 1.4 s.
  EXPECT_GT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(300));
}

TEST_F(ScriptedLeaseTest, GrantsThatAreNoneAreRefused) {
  etcd_.AlterAs<etcdpb::LeaseGrantResponse>(
      "LeaseGrant", [](etcdpb::LeaseGrantResponse& response) { response.set_ttl(0); });
  const auto hold = Hold(client_, 1, journal_);
  EXPECT_THAT(journal_.Wait(1), Contains(StartsWith("failed: etcd LeaseGrant")));
  etcd_.Alter("LeaseGrant", nullptr);
  EXPECT_TRUE(journal_.id.Wait().has_value());
}

TEST_F(ScriptedLeaseTest, TtlsBeyondAllTimeAreCutShort) {
  etcd_.AlterAs<etcdpb::LeaseGrantResponse>(
      "LeaseGrant", [](etcdpb::LeaseGrantResponse& response) { response.set_ttl(kMost); });
  const auto hold = Hold(client_, 1, journal_);
  ASSERT_TRUE(journal_.id.Wait().has_value());
  // The keep-alive that opening the stream sends; no others, and the lease lives.
  ASSERT_TRUE(etcd_.WaitForRequests("LeaseKeepAlive", 2));
  EXPECT_EQ(journal_.lines().size(), 1U);
}

TEST_F(ScriptedLeaseTest, AnswersAboutLeasesOfOthersAndNoMessagesAreIgnored) {
  const auto hold = Hold(client_, 1, journal_);
  const auto lease = journal_.id.Wait();
  ASSERT_TRUE(lease.has_value());
  etcd_.Alter("LeaseKeepAlive", [count = 0](std::string& answer) mutable {
    etcdpb::LeaseKeepAliveResponse response;
    response.ParseFromString(answer);
    response.set_id(4711);
    response.set_ttl(0);
    answer = ++count % 2 == 0 ? response.SerializeAsString() : "\xff\xff not a message";
  });
  ASSERT_TRUE(etcd_.WaitForRequests("LeaseKeepAlive", 4));
  etcd_.Alter("LeaseKeepAlive", nullptr);
  BlockingClient client(client_);
  // It may have been lost meanwhile; then there is another.
  std::int64_t id = *lease;
  while (true) {
    if (client.Put("/leased", "v", id).ok()) break;
    const auto next = journal_.id.Wait();
    ASSERT_TRUE(next.has_value());
    id = *next;
  }
}

// Its connection lives, and answers pings. The keep-alive after 3 s has no answer; the one after
// 6 s moves on, which is a stream and a message on it, and the lease does not end.
TEST_F(ScriptedLeaseTest, ASilentEtcdIsLeftWithinTenSeconds) {
  const auto hold = Hold(client_, 9, journal_);
  ASSERT_TRUE(journal_.id.Wait().has_value());
  ASSERT_TRUE(etcd_.WaitForRequests("LeaseKeepAlive", 2));
  const auto begin = std::chrono::steady_clock::now();
  etcd_.SetSilent(true);
  ASSERT_TRUE(etcd_.WaitForRequests("LeaseKeepAlive", 5));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  etcd_.SetSilent(false);
  ASSERT_TRUE(etcd_.WaitForRequests("LeaseKeepAlive", 6));
  EXPECT_THAT(journal_.lines(), ::testing::ElementsAre("granted"));
}

// The next keep-alive would come after 20 s.
TEST_F(ScriptedLeaseTest, AMemberWithoutALeaderIsLeftAtOnce) {
  const auto hold = Hold(client_, 60, journal_);
  ASSERT_TRUE(journal_.id.Wait().has_value());
  ASSERT_TRUE(etcd_.WaitForRequests("LeaseKeepAlive", 2));
  const auto begin = std::chrono::steady_clock::now();
  etcd_.SetLeader(false);
  ASSERT_TRUE(etcd_.WaitForRequests("LeaseKeepAlive", 3));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3));
  etcd_.SetLeader(true);
  ASSERT_TRUE(etcd_.WaitForRequests("LeaseKeepAlive", 5));
  EXPECT_THAT(journal_.lines(), ::testing::ElementsAre("granted"));
}

TEST_F(ScriptedLeaseTest, AStreamThatIsRefusedCostsOnlyTime) {
  etcd_.Fail("LeaseKeepAlive", {grpc::StatusCode::UNAVAILABLE, "etcdserver: no leader"});
  const auto hold = Hold(client_, 1, journal_);
  ASSERT_TRUE(journal_.id.Wait().has_value());
  EXPECT_THAT(journal_.Wait(2)[1], StartsWith("lost: the lease could not be kept alive for 1 s"));
  etcd_.Fail("LeaseKeepAlive", grpc::Status::OK);
  EXPECT_TRUE(journal_.id.Wait().has_value());
}

}  // namespace
}  // namespace turnout::etcd
