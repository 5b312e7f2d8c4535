// Records that are not as they should be never hurt the others.
#include <gmock/gmock.h>

#include "tests/support/fixture.h"
#include "tests/support/reports.h"
#include "turnout/observer.h"

namespace turnout::testing {
namespace {

struct BadRecord {
  const char* name;
  std::string value;
  const char* reason;  // a part of it
};

void PrintTo(const BadRecord& record, std::ostream* out) { *out << record.name; }

GoRecord Record(const std::string& service, const std::string& id, const std::string& address) {
  return {service, id, "v1", address};
}

class BadRecordsTest : public IntegrationTest {
 protected:
  BadRecordsTest()
      : backend_(BackendOptions{.registration = {.version = "v1"}, .prepared = false}) {}

  // A good record under `id`, to the one server that there is.
  void PutGood(const std::string& id) {
    const GoRecord record = Record(Service(), id, backend_.address());
    Admin().Put(record.key(), record.value());
  }

  Backend backend_;
  Reports reports_;
};

class EachBadRecordTest : public BadRecordsTest, public ::testing::WithParamInterface<BadRecord> {};

TEST_P(EachBadRecordTest, IsSkippedAndTheOthersAreCalled) {
  const std::uint64_t rejected_before = GetCounters().records_rejected;
  Admin().Put(Key("bad-before"), GetParam().value);
  PutGood("good");
  const auto channel = Channel();
  EXPECT_EQ(Call(channel, {.version = "v1"}).ToString(), backend_.answer());
  EXPECT_THAT(reports_.WaitForRejection(Key("bad-before")),
              ::testing::HasSubstr(GetParam().reason));

  // Reports come in order: when the last is there, all are.
  Admin().Put(Key("bad-after"), GetParam().value);
  Admin().Put(Key("bad-after"), GetParam().value);
  Admin().Put(Key("last"), "{");
  EXPECT_NE(reports_.WaitForRejection(Key("last")), "");
  EXPECT_TRUE(reports_.WaitForLog(Key("last")));
  for (const std::string& key : {Key("bad-before"), Key("bad-after")}) {
    EXPECT_EQ(reports_.CountRejections(key), 1);
    EXPECT_EQ(reports_.CountLogs(key, "warning"), 1) << reports_.AllLogs();
  }
  EXPECT_GE(GetCounters().records_rejected - rejected_before, 3);

  Follower follower(Etcd(), Service());
  const auto snapshot =
      follower.WaitFor([](const Snapshot& newest) { return newest.rejected.size() == 3; });
  ASSERT_NE(snapshot, nullptr);
  std::vector<std::string> rejected;
  for (const auto& record : snapshot->rejected) rejected.push_back(record.key);
  EXPECT_THAT(rejected,
              ::testing::UnorderedElementsAre(Key("bad-before"), Key("bad-after"), Key("last")));
  EXPECT_EQ(Call(channel, {.version = "v1"}).ToString(), backend_.answer());
}

std::vector<BadRecord> BadRecords() {
  const GoRecord good = Record("x", "bad", "127.0.0.1:1");
  const auto with_address = [](const std::string& address) {
    return Record("x", "bad", address).value();
  };
  std::string huge = good.value();
  huge.insert(huge.size() - 1, R"(,"more":")" + std::string(1 << 20, 'x') + '"');
  std::string not_utf8 = good.value();
  not_utf8.replace(not_utf8.find("v1"), 2, "\xff\xfe");
  return {
      {"Empty", "", "JSON"},
      {"NoJson", "v1 127.0.0.1:1", "JSON"},
      {"Truncated", good.value().substr(0, good.value().size() / 2), "JSON"},
      {"NotUtf8", not_utf8, "UTF-8"},
      {"AMebibyte", huge, "bytes"},
      {"ManyBrackets", std::string(10000, '['), "depth"},
      {"Null", "null", "object"},
      {"AList", "[" + good.value() + "]", "object"},
      {"NoNode", R"({"metadata":null,"endpoints":null})", "node"},
      {"NoAddress", R"({"node":{"version":"v1"}})", "node.address"},
      {"NumberAsVersion", R"({"node":{"version":1,"address":"127.0.0.1:1"}})", "node.version"},
      {"EmptyAddress", with_address(""), "node.address"},
      {"NoPort", with_address("127.0.0.1"), "node.address"},
      {"PortTooHigh", with_address("127.0.0.1:65536"), "node.address"},
      {"BareIpv6", with_address("::1:80"), "node.address"},
      {"Wildcard", with_address("0.0.0.0:80"), "node.address"},
      {"UnixSocket", with_address("unix:/tmp/socket"), "node.address"},
  };
}

INSTANTIATE_TEST_SUITE_P(All, EachBadRecordTest, ::testing::ValuesIn(BadRecords()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(BadRecordsTest, AGoodValueThatWasSeenBeforeStays) {
  PutGood("good");
  const auto channel = Channel();
  ASSERT_EQ(Call(channel, {.version = "v1"}).ToString(), backend_.answer());
  Admin().Put(Key("good"), "{");
  EXPECT_NE(reports_.WaitForRejection(Key("good")), "");
  const Tally tally = CallMany(channel, 20, {.version = "v1"});
  EXPECT_TRUE(tally.all_ok()) << tally;
  Follower follower(Etcd(), Service());
  EXPECT_NE(follower.WaitFor([](const Snapshot& newest) {
    return newest.members.size() == 1 && newest.rejected.size() == 1;
  }),
            nullptr);

  GoRecord mended = Record(Service(), "good", backend_.address());
  mended.version = "v2";
  Admin().Put(mended.key(), mended.value());
  const CallOptions mended_version{.version = "v2",
                                   .checked = false};  // the server is v1 as before
  EXPECT_TRUE(CallUntilAnswered(channel, mended_version, backend_.answer()));

  // It has been good again, so the next mistake is news.
  EXPECT_EQ(reports_.CountRejections(Key("good")), 1);
  Admin().Put(Key("good"), "{");
  Admin().Put(Key("last"), "{");
  EXPECT_NE(reports_.WaitForRejection(Key("last")), "");
  EXPECT_EQ(reports_.CountRejections(Key("good")), 2);
  Admin().Delete(Key("good"));
  EXPECT_NE(Follower(Etcd(), Service()).WaitFor([](const Snapshot& newest) {
    const Member* good = FindMember(newest, "good");
    return good != nullptr && good->status == InstanceStatus::kLapsed;
  }),
            nullptr)
      << "a bad record that is deleted takes its good value with it";
}

TEST_F(BadRecordsTest, WhatIsBeyondTheLimitIsLeftOutAndTold) {
  const RegistryOptions registry{.endpoints = {Etcd()}, .max_instances = 3};
  ASSERT_TRUE(RegisterCluster("few", registry).ok());
  PutGood("a");
  for (const char* id : {"b", "c", "d", "e"}) {
    const GoRecord record{Service(), id, "v2", "127.0.0.2:" + std::to_string(id[0])};
    Admin().Put(record.key(), record.value());
  }
  const auto channel = ChannelTo("few", Service());
  EXPECT_EQ(Call(channel, {.version = "v1"}).ToString(), backend_.answer());
  Follower follower(registry, Service());
  const auto snapshot = follower.WaitForCount(3);
  for (const char* id : {"a", "b", "c"}) EXPECT_NE(FindMember(*snapshot, id), nullptr) << id;

  PutGood("f");
  Admin().Put(Key("a"), "{");
  EXPECT_NE(reports_.WaitForRejection(Key("a")), "");
  EXPECT_EQ(reports_.CountLogs("has more than 3 instances", "warning"), 1) << reports_.AllLogs();
  EXPECT_TRUE(CallMany(channel, 20, {.version = "v1"}).all_ok());
}

// What the Go system never writes under a service's path.
TEST_F(BadRecordsTest, KeysThatAreNoRecordsAreIgnored) {
  Admin().Put(Key("a/b"), "{");
  Admin().Put(Key(""), "{");
  PutGood("good");
  Follower follower(Etcd(), Service());
  const auto snapshot = follower.WaitForCount(1);
  EXPECT_THAT(snapshot->rejected, ::testing::IsEmpty());
  EXPECT_EQ(Call(Channel()).ToString(), backend_.answer());
}

}  // namespace
}  // namespace turnout::testing
