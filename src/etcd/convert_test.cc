#include "src/etcd/convert.h"

#include <gtest/gtest.h>

#include <string>

namespace turnout::etcd {
namespace {

using On = Txn::Condition::On;
using Type = Txn::Operation::Type;

TEST(PrefixEnd, IsTheLeastKeyBehindAllThatBeginWithThePrefix) {
  EXPECT_EQ(PrefixEnd("/hwholiday/srv/app/"), "/hwholiday/srv/app0");
  EXPECT_EQ(PrefixEnd("a\xff\xff"), "b");
  EXPECT_EQ(PrefixEnd("\xff"), std::string(1, '\0'));
  EXPECT_EQ(PrefixEnd(""), std::string(1, '\0'));
  EXPECT_EQ(PrefixBegin("/a/"), "/a/");
  EXPECT_EQ(PrefixBegin(""), std::string(1, '\0'));
}

TEST(FromProto, TakesAllOfAnEvent) {
  etcdpb::Event message;
  message.set_type(etcdpb::Event::PUT);
  message.mutable_kv()->set_key("k");
  message.mutable_kv()->set_value("v");
  message.mutable_kv()->set_create_revision(3);
  message.mutable_kv()->set_mod_revision(5);
  message.mutable_kv()->set_lease(7);
  const Event event = FromProto(std::move(message));
  EXPECT_EQ(event.type, Event::Type::kPut);
  EXPECT_EQ(event.kv.key, "k");
  EXPECT_EQ(event.kv.value, "v");
  EXPECT_EQ(event.kv.create_revision, 3);
  EXPECT_EQ(event.kv.mod_revision, 5);
  EXPECT_EQ(event.kv.lease, 7);

  etcdpb::Event deletion;
  deletion.set_type(etcdpb::Event::DELETE);
  EXPECT_EQ(FromProto(std::move(deletion)).type, Event::Type::kDelete);
}

TEST(FromProto, CollectsWhatATransactionHasRead) {
  etcdpb::TxnResponse message;
  message.mutable_header()->set_revision(9);
  message.set_succeeded(true);
  message.add_responses()->mutable_response_put();
  message.add_responses()->mutable_response_range()->add_kvs()->set_key("a");
  message.add_responses()->mutable_response_range()->add_kvs()->set_key("b");
  const TxnResult result = FromProto(std::move(message));
  EXPECT_EQ(result.revision, 9);
  EXPECT_TRUE(result.succeeded);
  ASSERT_EQ(result.read.size(), 2U);
  EXPECT_EQ(result.read[0].key, "a");
  EXPECT_EQ(result.read[1].key, "b");
}

TEST(ToProto, WritesConditionsAndBothBranches) {
  const etcdpb::TxnRequest request =
      ToProto({.conditions = {{.key = "c", .on = On::kCreateRevision, .equals = 1},
                              {.key = "m", .on = On::kModRevision, .equals = 2},
                              {.key = "l", .on = On::kLease, .equals = 3}},
               .then = {{.type = Type::kPut, .key = "p", .value = "v", .lease = 4},
                        {.type = Type::kDelete, .key = "d"}},
               .otherwise = {{.type = Type::kGet, .key = "g"}}});
  ASSERT_EQ(request.compare_size(), 3);
  EXPECT_EQ(request.compare(0).target(), etcdpb::Compare::CREATE);
  EXPECT_EQ(request.compare(0).create_revision(), 1);
  EXPECT_EQ(request.compare(1).target(), etcdpb::Compare::MOD);
  EXPECT_EQ(request.compare(1).mod_revision(), 2);
  EXPECT_EQ(request.compare(2).target(), etcdpb::Compare::LEASE);
  EXPECT_EQ(request.compare(2).lease(), 3);
  for (const auto& compare : request.compare()) {
    EXPECT_EQ(compare.result(), etcdpb::Compare::EQUAL);
  }
  ASSERT_EQ(request.success_size(), 2);
  EXPECT_EQ(request.success(0).request_put().key(), "p");
  EXPECT_EQ(request.success(0).request_put().value(), "v");
  EXPECT_EQ(request.success(0).request_put().lease(), 4);
  EXPECT_EQ(request.success(1).request_delete_range().key(), "d");
  ASSERT_EQ(request.failure_size(), 1);
  EXPECT_EQ(request.failure(0).request_range().key(), "g");
}

}  // namespace
}  // namespace turnout::etcd
