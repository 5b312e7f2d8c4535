#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "src/etcd/test_client.h"
#include "tests/support/etcd_server.h"

namespace turnout::etcd {
namespace {

using testing::EtcdServer;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using On = Txn::Condition::On;
using Type = Txn::Operation::Type;

// One etcd for all of these; each uses keys of its own.
class KeyValueTest : public ::testing::Test {
 protected:
  static const std::string& Etcd() {
    static EtcdServer server;
    return server.endpoint();
  }
  BlockingClient etcd_{NewClient({Etcd()})};
};

Txn PutHundred(const std::string& prefix, int first) {
  Txn txn;
  for (int i = first; i < first + 100; ++i) {
    txn.then.push_back(
        {.type = Type::kPut, .key = prefix + absl::StrFormat("%05d", i), .value = "v"});
  }
  return txn;
}

TEST_F(KeyValueTest, PutsGetsAndDeletes) {
  const auto put = etcd_.Put("/kv/a", std::string("bytes\0\xff", 7));
  ASSERT_TRUE(put.ok()) << put.status();
  auto got = etcd_.Get("/kv/a");
  ASSERT_TRUE(got.ok()) << got.status();
  ASSERT_THAT(got->kvs, SizeIs(1));
  EXPECT_EQ(got->revision, *put);
  EXPECT_EQ(got->kvs[0].key, "/kv/a");
  EXPECT_EQ(got->kvs[0].value, std::string("bytes\0\xff", 7));
  EXPECT_EQ(got->kvs[0].create_revision, *put);

  const auto again = etcd_.Put("/kv/a", "");
  got = etcd_.Get("/kv/a");
  EXPECT_EQ(got->kvs[0].value, "");
  EXPECT_EQ(got->kvs[0].create_revision, *put);
  EXPECT_EQ(got->kvs[0].mod_revision, *again);
  EXPECT_THAT(etcd_.Get("/kv/")->kvs, SizeIs(0));

  EXPECT_EQ(etcd_.Delete("/kv/a")->deleted, 1);
  EXPECT_EQ(etcd_.Delete("/kv/a")->deleted, 0);
  EXPECT_THAT(etcd_.Get("/kv/a")->kvs, SizeIs(0));
}

TEST_F(KeyValueTest, APutUnderAnUnknownLeaseIsAnErrorThatSaysSo) {
  const auto put = etcd_.Put("/kv/lease", "v", 4711);
  EXPECT_EQ(put.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(put.status().message()), HasSubstr("etcd Put on " + Etcd() + ": "));
}

TEST_F(KeyValueTest, TransactionsTakeTheBranchThatTheirConditionsSay) {
  const auto put = etcd_.Put("/txn/a", "1");
  Txn txn;
  txn.conditions = {{.key = "/txn/a", .on = On::kModRevision, .equals = *put},
                    {.key = "/txn/a", .on = On::kCreateRevision, .equals = *put},
                    {.key = "/txn/a", .on = On::kLease, .equals = 0},
                    {.key = "/txn/none", .on = On::kCreateRevision, .equals = 0}};
  txn.then = {{.type = Type::kPut, .key = "/txn/b", .value = "2"},
              {.type = Type::kGet, .key = "/txn/b"},
              {.type = Type::kDelete, .key = "/txn/a"}};
  txn.otherwise = {{.type = Type::kGet, .key = "/txn/b"}};

  auto result = etcd_.Commit(txn);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->succeeded);
  ASSERT_THAT(result->read, SizeIs(1));
  EXPECT_EQ(result->read[0].value, "2");
  EXPECT_EQ(result->revision, *put + 1);

  result = etcd_.Commit(txn);
  EXPECT_FALSE(result->succeeded);
  EXPECT_EQ(result->read[0].mod_revision, *put + 1);
  EXPECT_THAT(etcd_.Get("/txn/a")->kvs, SizeIs(0));
}

TEST_F(KeyValueTest, ReadsMoreThanTwoPagesInOrderAndNoNeighbours) {
  constexpr int kKeys = 2500;
  for (int i = 0; i < kKeys; i += 100) ASSERT_TRUE(etcd_.Commit(PutHundred("/p/", i)).ok());
  ASSERT_TRUE(etcd_.Put("/p", "before").ok());
  ASSERT_TRUE(etcd_.Put("/p0", "after").ok());
  const auto result = etcd_.RangePrefix("/p/");
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_THAT(result->kvs, SizeIs(kKeys));
  for (int i = 0; i < kKeys; ++i) {
    EXPECT_EQ(result->kvs[static_cast<std::size_t>(i)].key, absl::StrFormat("/p/%05d", i));
  }
}

TEST_F(KeyValueTest, AllPagesShowTheRevisionOfTheFirst) {
  constexpr int kKeys = 3000;
  for (int i = 0; i < kKeys; i += 100) ASSERT_TRUE(etcd_.Commit(PutHundred("/r/", i)).ok());
  // The delete of the last key is sent right behind the first page's request, on the same
  // connection, and so comes before the others are read.
  Client& client = NewClient({Etcd()});
  Slot<absl::StatusOr<RangeResult>> range;
  Slot<Revision> deleted;
  EventLoop::Get().RunAndWait([&] {
    client.RangePrefix("/r/", [&](auto result) { range.Set(std::move(result)); });
    client.Delete("/r/02999", [&](auto result) { deleted.Set(result->revision); });
  });
  const auto result = range.Wait();
  const auto deletion = deleted.Wait();
  ASSERT_TRUE(result.has_value() && result->ok() && deletion.has_value());
  // etcd may have taken them in either order.
  EXPECT_EQ((*result)->kvs.size(), (*result)->revision < *deletion ? 3000U : 2999U);
}

TEST_F(KeyValueTest, OfMoreThanWantedTheFirstComeAndItIsSaid) {
  for (int i = 0; i < 2500; i += 100) ASSERT_TRUE(etcd_.Commit(PutHundred("/most/", i)).ok());
  struct Case {
    std::size_t most;
    std::size_t expected;
    bool more;
  };
  const std::vector<Case> cases = {{0, 2500, false},    {1, 1, true},         {999, 999, true},
                                   {1000, 1000, true},  {1001, 1001, true},   {2000, 2000, true},
                                   {2499, 2499, true},  {2500, 2500, false},  {2501, 2500, false},
                                   {3000, 2500, false}, {20'000, 2500, false}};
  for (const auto& [most, expected, more] : cases) {
    const auto result = etcd_.RangePrefix("/most/", most);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_THAT(result->kvs, SizeIs(expected)) << "of at most " << most;
    EXPECT_EQ(result->more, more) << "of at most " << most;
    EXPECT_EQ(result->kvs.front().key, "/most/00000");
    EXPECT_EQ(result->kvs.back().key, absl::StrFormat("/most/%05d", expected - 1));
  }
}

TEST_F(KeyValueTest, GetsAKeyAsItWas) {
  const auto first = etcd_.Put("/past", "first");
  const auto second = etcd_.Put("/past", "second");
  const auto deleted = etcd_.Delete("/past");
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_EQ(etcd_.Get("/past", *first)->kvs.at(0).value, "first");
  EXPECT_EQ(etcd_.Get("/past", *second)->kvs.at(0).value, "second");
  EXPECT_THAT(etcd_.Get("/past", *first - 1)->kvs, SizeIs(0));
  EXPECT_THAT(etcd_.Get("/past", deleted->revision)->kvs, SizeIs(0));
  // What etcd says there is now.
  EXPECT_EQ(etcd_.Get("/past", *first)->revision, deleted->revision);
}

TEST_F(KeyValueTest, APastThatIsForgottenAndAFutureAreOutOfRange) {
  const EtcdServer server;  // its own, since compaction concerns everybody
  BlockingClient etcd(NewClient({server.endpoint()}));
  const auto first = etcd.Put("/past", "first");
  const auto second = etcd.Put("/past", "second");
  etcdpb::CompactionRequest compact;
  compact.set_revision(*second);
  CallEtcd<etcdpb::CompactionResponse>(server.endpoint(), "/etcdserverpb.KV/Compact", compact);
  EXPECT_TRUE(absl::IsOutOfRange(etcd.Get("/past", *first).status()));
  EXPECT_EQ(etcd.Get("/past", *second)->kvs.at(0).value, "second");
  const auto future = etcd.Get("/past", *second + 1);
  EXPECT_TRUE(absl::IsOutOfRange(future.status()));
  EXPECT_THAT(std::string(future.status().message()), HasSubstr("future"));
}

TEST_F(KeyValueTest, AnEmptyPrefixMeansEverything) {
  ASSERT_TRUE(etcd_.Put("!", "the least").ok());
  ASSERT_TRUE(etcd_.Put("\xff\xff", "the last").ok());
  const auto result = etcd_.RangePrefix("");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->kvs.front().value, "the least");
  EXPECT_EQ(result->kvs.back().value, "the last");
}

TEST_F(KeyValueTest, ALeaseIsGrantedLookedUpAndRevoked) {
  const auto lease = etcd_.GrantLease(std::chrono::seconds(1234));
  ASSERT_TRUE(lease.ok()) << lease.status();
  ASSERT_TRUE(etcd_.Put("/leased", "v", *lease).ok());
  const auto life = etcd_.LookUpLease(*lease);
  ASSERT_TRUE(life.ok()) << life.status();
  EXPECT_EQ(life->granted, std::chrono::seconds(1234));
  EXPECT_GT(life->left, std::chrono::seconds(1200));
  EXPECT_LE(life->left, std::chrono::seconds(1234));
  EXPECT_EQ(life->keys, std::vector<std::string>{"/leased"});

  EXPECT_TRUE(etcd_.RevokeLease(*lease).ok());
  EXPECT_THAT(etcd_.Get("/leased")->kvs, SizeIs(0));
  EXPECT_TRUE(absl::IsNotFound(etcd_.LookUpLease(*lease).status()));
  EXPECT_TRUE(absl::IsNotFound(etcd_.RevokeLease(*lease).status()));
}

}  // namespace
}  // namespace turnout::etcd
