// Watch and List against a real etcd.
#include "turnout/discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/etcd_admin.h"
#include "tests/support/etcd_server.h"
#include "tests/support/follower.h"
#include "tests/support/process.h"
#include "tests/support/records.h"
#include "turnout/observer.h"

namespace turnout::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

constexpr char kService[] = "hwholiday.srv.app";

class DiscoveryTest : public ::testing::Test {
 protected:
  void Put(const std::string& id, const std::string& version, const std::string& address,
           const std::string& service = kService, const std::string& prefix = "") {
    const GoRecord record{service, id, version, address};
    admin_.Put(prefix + record.key(), record.value());
  }

  EtcdServer etcd_;
  EtcdAdmin admin_{etcd_.endpoint()};
  const RegistryOptions registry_{.endpoints = {etcd_.endpoint()}};
};

TEST_F(DiscoveryTest, FollowsRecordsAndStates) {
  Put("app-1", "v1", "10.0.0.1:80");
  Follower follower(registry_, kService);
  const auto first = follower.WaitForCount(1);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->members[0].instance->version, "v1");

  Put("app-2", "v2", "10.0.0.2:80");
  const auto second = follower.WaitForCount(2);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->members[0].instance, first->members[0].instance);
  EXPECT_EQ(second->members[0].stats, first->members[0].stats);

  admin_.Put("/turnout/state/hwholiday.srv.app/app-1", "draining");
  EXPECT_NE(follower.WaitFor([](const Snapshot& snapshot) {
    return snapshot.members[0].status == InstanceStatus::kDraining;
  }),
            nullptr);
  admin_.Delete(RecordKey(kService, "app-1"));
  const auto last = follower.WaitForCount(1);
  ASSERT_NE(last, nullptr);
  EXPECT_EQ(last->members[0].instance->id, "app-2");
}

TEST_F(DiscoveryTest, SubscribersShareOneWatch) {
  const auto before = GetCounters().snapshots;
  Put("app-1", "v1", "10.0.0.1:80");
  Follower first(registry_, kService);
  Follower second(registry_, kService);
  const auto a = first.WaitForCount(1);
  EXPECT_EQ(second.WaitForCount(1), a);
  EXPECT_EQ(GetCounters().snapshots - before, 1);

  Follower elsewhere({.endpoints = {etcd_.endpoint()}, .prefix = "/ns"}, kService);
  EXPECT_NE(elsewhere.WaitForCount(0), nullptr);
}

TEST_F(DiscoveryTest, WhoComesBackFindsTheSnapshot) {
  Put("app-1", "v1", "10.0.0.1:80");
  SnapshotPtr before;
  {
    Follower follower(registry_, kService);
    before = follower.WaitForCount(1);
  }
  etcd_.Stop();
  Follower follower(registry_, kService);
  EXPECT_EQ(follower.WaitForCount(1), before);
}

TEST_F(DiscoveryTest, AnOutageKeepsWhatWasKnown) {
  Put("app-1", "v1", "10.0.0.1:80");
  Follower follower(registry_, kService);
  const auto before = follower.WaitForCount(1);
  etcd_.Kill();
  const absl::Status error = follower.WaitForError();
  EXPECT_EQ(error.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(error.message()),
              AllOf(HasSubstr(etcd_.endpoint()), HasSubstr("hwholiday.srv.app")));
  etcd_.Start();
  Put("app-2", "v1", "10.0.0.2:80");
  const auto after = follower.WaitForCount(2);
  ASSERT_NE(after, nullptr);
  EXPECT_EQ(after->members[0].instance, before->members[0].instance);
  for (const auto& snapshot : follower.snapshots()) EXPECT_GE(snapshot->members.size(), 1);
}

TEST_F(DiscoveryTest, WaitsForAnEtcdThatIsNotThereYet) {
  Put("app-1", "v1", "10.0.0.1:80");
  etcd_.Stop();
  Follower follower(registry_, kService);
  EXPECT_THAT(std::string(follower.WaitForError().message()), HasSubstr(etcd_.endpoint()));
  EXPECT_THAT(follower.snapshots(), ::testing::IsEmpty());
  etcd_.Start();
  EXPECT_NE(follower.WaitForCount(1), nullptr);
}

TEST_F(DiscoveryTest, ListsAllServicesOfTheNamespace) {
  Put("app-1", "v1", "10.0.0.1:80");
  Put("app-2", "v1", "10.0.0.2:80");
  Put("srv-1", "v1", "10.0.0.3:80", "hwholiday.srv");
  Put("other-1", "v1", "10.0.0.4:80", "other", "/ns");
  admin_.Put("/hwholiday/srv/app/app-3", "{");
  admin_.Put("/turnout/state/hwholiday.srv.app/app-2", "draining");
  const auto services = List(registry_, kPatience);
  ASSERT_TRUE(services.ok()) << services.status();
  EXPECT_THAT(*services, ElementsAre(Field(&Snapshot::service, "hwholiday.srv"),
                                     Field(&Snapshot::service, kService),
                                     Field(&Snapshot::service, "ns.other")));
  const Snapshot& app = (*services)[1];
  ASSERT_EQ(app.members.size(), 2);
  EXPECT_EQ(app.members[0].status, InstanceStatus::kRegistered);
  EXPECT_EQ(app.members[1].status, InstanceStatus::kDraining);
  EXPECT_EQ(app.rejected.size(), 1);

  const auto named = List({.endpoints = {etcd_.endpoint()}, .prefix = "/ns"}, kPatience);
  ASSERT_TRUE(named.ok()) << named.status();
  EXPECT_THAT(*named, ElementsAre(Field(&Snapshot::service, "other")));
}

TEST_F(DiscoveryTest, ListTriesEachEndpointAndSaysWhatFailed) {
  const ReservedPort nobody;
  const auto services = List({.endpoints = {nobody.address(), etcd_.endpoint()}}, kPatience);
  EXPECT_TRUE(services.ok()) << services.status();

  const auto failed = List({.endpoints = {nobody.address()}}, std::chrono::milliseconds(300));
  EXPECT_EQ(failed.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(failed.status().message()), HasSubstr(nobody.address()));
}

TEST_F(DiscoveryTest, DoesNothingInAForkedChild) {
  Put("app-1", "v1", "10.0.0.1:80");
  auto follower = std::make_unique<Follower>(registry_, kService);
  ASSERT_NE(follower->WaitForCount(1), nullptr);
  const pid_t child = fork();
  if (child == 0) {
    follower.reset();
    auto watch = Watch(kService, registry_, {.on_snapshot = [](auto) { _exit(2); }});
    const bool inert = watch.ok() && List(registry_, kPatience).status().code() ==
                                         absl::StatusCode::kFailedPrecondition;
    watch->reset();
    _exit(inert ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  Put("app-2", "v1", "10.0.0.2:80");
  EXPECT_NE(follower->WaitForCount(2), nullptr);
}

}  // namespace
}  // namespace turnout::testing
