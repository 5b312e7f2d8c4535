// Operators' decisions, as etcd holds them.
#include "turnout/operate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "src/base/mutex.h"
#include "src/etcd/client.h"
#include "src/etcd/event_loop.h"
#include "src/registry/ask.h"
#include "src/registry/clusters.h"
#include "tests/support/etcd_admin.h"
#include "tests/support/etcd_server.h"
#include "tests/support/etcdctl.h"
#include "tests/support/process.h"

namespace turnout {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using turnout::testing::EtcdAdmin;
using turnout::testing::EtcdServer;
using turnout::testing::ReservedPort;

constexpr seconds kPatience{20};
constexpr char kService[] = "srv.app";

// One etcd for all tests of the program.
EtcdServer& Etcd() {
  static auto* const etcd = new EtcdServer;
  return *etcd;
}

class StopEtcd final : public ::testing::Environment {
 public:
  void TearDown() override { Etcd().Stop(); }
};
[[maybe_unused]] const auto* const kStopEtcd = ::testing::AddGlobalTestEnvironment(new StopEtcd);

class OperateTest : public ::testing::Test {
 protected:
  OperateTest() {
    for (const auto& entry : admin_.List("/")) admin_.Delete(entry.key);
    admin_.Put(Record("app-1"), "a record", admin_.Grant(seconds(600)));
  }

  static std::string Record(const std::string& id) { return "/srv/app/" + id; }
  static std::string State(const std::string& id) { return "/turnout/state/srv.app/" + id; }
  static OperateOptions Options(seconds expiry = seconds(3600)) {
    return {.registry = {.endpoints = {Etcd().endpoint()}}, .expiry = expiry};
  }

  // NotFound if etcd does not have it.
  static absl::StatusOr<etcd::LeaseLife> Lease(std::int64_t lease) {
    auto& client = etcd::Client::For(*registry::Complete(Options().registry));
    const auto life = registry::AskOnce<etcd::LeaseLife>(
        [&client, lease](auto done) { client.LookUpLease(lease, std::move(done)); },
        steady_clock::now() + kPatience);
    return life.value_or(absl::DeadlineExceededError("no answer"));
  }

  EtcdAdmin admin_{Etcd().endpoint()};
};

TEST_F(OperateTest, DrainWritesTheStateUnderALeaseOfItsOwnAndKeepsTheRecord) {
  ASSERT_EQ(DrainInstance(kService, "app-1", Options(seconds(1800))), absl::OkStatus());
  const auto state = admin_.Get(State("app-1"));
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->value, "draining");
  const auto life = Lease(state->lease);
  ASSERT_TRUE(life.ok()) << life.status();
  EXPECT_EQ(life->granted, seconds(1800));
  EXPECT_THAT(life->keys, ElementsAre(State("app-1")));
  EXPECT_EQ(admin_.Get(Record("app-1"))->value, "a record");
}

// The revisions at which keys of the service and of its states were last changed.
class Changes final : public etcd::Client::WatchObserver {
 public:
  Changes() {
    auto& client = etcd::Client::For(*registry::Complete({.endpoints = {Etcd().endpoint()}}));
    etcd::EventLoop::Get().RunAndWait([&] {
      records_ = client.WatchPrefix("/srv/app/", 1, this);
      states_ = client.WatchPrefix("/turnout/state/", 1, this);
    });
  }
  ~Changes() override {
    etcd::EventLoop::Get().RunAndWait([this] {
      records_.reset();
      states_.reset();
    });
  }

  std::int64_t WaitForDeletion(const std::string& key) { return WaitFor("delete " + key); }
  std::int64_t WaitForPut(const std::string& key) { return WaitFor("put " + key); }

 private:
  std::int64_t WaitFor(const std::string& change) {
    const auto deadline = steady_clock::now() + kPatience;
    base::MutexLock lock(mutex_);
    while (!seen_.contains(change) && changed_.WaitUntil(mutex_, deadline)) {
    }
    return seen_[change];
  }
  void OnEvents(std::vector<etcd::Event> events, std::int64_t /*revision*/) override {
    base::MutexLock lock(mutex_);
    for (const etcd::Event& event : events) {
      const bool put = event.type == etcd::Event::Type::kPut;
      seen_[(put ? "put " : "delete ") + event.kv.key] = event.kv.mod_revision;
    }
    changed_.NotifyAll();
  }
  void OnCompacted(std::int64_t /*compact_revision*/) override {}
  void OnInterrupted(const absl::Status& /*why*/) override {}

  base::Mutex mutex_;
  base::CondVar changed_;
  std::map<std::string, std::int64_t> seen_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<etcd::Client::WatchHandle> records_, states_;
};

TEST_F(OperateTest, RemoveDeletesTheRecordInTheSameRevision) {
  admin_.Put(Record("app-gone"), "a record");
  ASSERT_EQ(RemoveInstance(kService, "app-gone", Options()), absl::OkStatus());
  EXPECT_EQ(admin_.Get(State("app-gone"))->value, "removed");
  EXPECT_FALSE(admin_.Get(Record("app-gone")).has_value());
  Changes changes;
  const std::int64_t deleted = changes.WaitForDeletion(Record("app-gone"));
  EXPECT_GT(deleted, 0);
  EXPECT_EQ(deleted, changes.WaitForPut(State("app-gone")));
}

TEST_F(OperateTest, RestoreUndoesBothAndEndsTheLease) {
  for (const auto operate : {DrainInstance, RemoveInstance}) {
    ASSERT_EQ(operate(kService, "app-1", Options()), absl::OkStatus());
    const std::int64_t lease = admin_.Get(State("app-1"))->lease;
    EXPECT_EQ(RestoreInstance(kService, "app-1", Options()), absl::OkStatus());
    EXPECT_FALSE(admin_.Get(State("app-1")).has_value());
    EXPECT_TRUE(absl::IsNotFound(Lease(lease).status()));
    admin_.Put(Record("app-1"), "a record");
  }
  EXPECT_EQ(RestoreInstance(kService, "app-1", Options()), absl::OkStatus());
}

TEST_F(OperateTest, RepeatingItRenewsTheExpiry) {
  ASSERT_EQ(DrainInstance(kService, "app-1", Options(seconds(60))), absl::OkStatus());
  const std::int64_t before = admin_.Get(State("app-1"))->lease;
  ASSERT_EQ(DrainInstance(kService, "app-1", Options(seconds(120))), absl::OkStatus());
  const auto state = admin_.Get(State("app-1"));
  EXPECT_EQ(state->value, "draining");
  EXPECT_EQ(Lease(state->lease)->granted, seconds(120));
  EXPECT_TRUE(absl::IsNotFound(Lease(before).status()));
  ASSERT_EQ(RemoveInstance(kService, "app-1", Options(seconds(0))), absl::OkStatus());
  EXPECT_EQ(admin_.Get(State("app-1"))->value, "removed");
  EXPECT_EQ(admin_.Get(State("app-1"))->lease, 0);
}

TEST_F(OperateTest, ALeaseThatSomebodyElseUsesIsLeftAlone) {
  const std::int64_t lease = admin_.Grant(seconds(600));
  admin_.Put(State("app-1"), "draining", lease);
  admin_.Put("/witness", "of somebody else's", lease);
  ASSERT_EQ(RestoreInstance(kService, "app-1", Options()), absl::OkStatus());
  EXPECT_TRUE(admin_.Get("/witness").has_value());
}

TEST_F(OperateTest, ADecisionExpires) {
  admin_.Put(Record("app-expires"), "a record");
  ASSERT_EQ(RemoveInstance(kService, "app-expires", Options(seconds(1))), absl::OkStatus());
  Changes changes;
  EXPECT_GT(changes.WaitForDeletion(State("app-expires")), 0);
}

TEST_F(OperateTest, WhoIsNotThereIsNotFoundAndTheLikeliestIdComesFirst) {
  admin_.Put(Record("app-81d28916"), "a record");
  admin_.Put(State("app-903f8283"), "removed");
  const absl::Status status = DrainInstance(kService, "app-908f8283", Options());
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(),
            "srv.app has no instance app-908f8283; it has app-903f8283, app-1, app-81d28916");
  EXPECT_FALSE(admin_.Get(State("app-908f8283")).has_value());
  for (int i = 0; i < 20; ++i) admin_.Put(Record("more-" + std::to_string(i)), "a record");
  EXPECT_THAT(std::string(DrainInstance(kService, "app-2", Options()).message()),
              AllOf(StartsWith("srv.app has no instance app-2; it has app-1, "),
                    HasSubstr(" and 15 more")));
  EXPECT_EQ(DrainInstance("no.such", "app-1", Options()).message(),
            "no.such has no instance app-1, nor any other");
}

TEST_F(OperateTest, WhatIsRemovedCanBeDrainedAndRestored) {
  ASSERT_EQ(RemoveInstance(kService, "app-1", Options()), absl::OkStatus());
  EXPECT_EQ(DrainInstance(kService, "app-1", Options()), absl::OkStatus());
  EXPECT_EQ(admin_.Get(State("app-1"))->value, "draining");
}

TEST_F(OperateTest, NamesTheOptionThatIsWrong) {
  EXPECT_THAT(std::string(DrainInstance("a b", "app-1", Options()).message()),
              StartsWith("service: "));
  EXPECT_THAT(std::string(DrainInstance(kService, "a/b", Options()).message()), StartsWith("id: "));
  EXPECT_EQ(DrainInstance(kService, "app-1", Options(seconds(-1))).message(),
            "expiry: must be 1 s to 1 year, or 0 (for ever), got -1 s");
  OperateOptions options = Options();
  options.registry.endpoints = {"nowhere"};
  EXPECT_EQ(DrainInstance(kService, "app-1", options).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(OperateTest, SaysWhichEtcdCannotBeReached) {
  const ReservedPort nobody;
  OperateOptions options = Options();
  options.registry.endpoints = {nobody.address()};
  options.timeout = std::chrono::milliseconds(300);
  const auto start = steady_clock::now();
  const absl::Status status = DrainInstance(kService, "app-1", options);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr(nobody.address()));
  EXPECT_LT(steady_clock::now() - start, kPatience);
}

// Whoever reads before another has written, writes after it: neither is lost, and no lease stays.
TEST_F(OperateTest, SeveralAtOnceLeaveOneDecisionAndOneLease) {
  constexpr int kOperators = 6;
  std::vector<std::thread> operators;
  std::atomic<int> failed{0};
  for (int i = 0; i < kOperators; ++i) {
    operators.emplace_back([&failed, i] {
      const auto operate = i % 2 == 0 ? DrainInstance : RemoveInstance;
      if (!operate(kService, "app-1", Options(seconds(1000 + i))).ok()) ++failed;
    });
  }
  for (auto& thread : operators) thread.join();
  EXPECT_EQ(failed, 0);
  const auto state = admin_.Get(State("app-1"));
  ASSERT_TRUE(state.has_value());
  EXPECT_THAT(Lease(state->lease)->keys, ElementsAre(State("app-1")));
}

TEST_F(OperateTest, ListsWhatWasDecidedAndHowLongItStands) {
  admin_.Put(Record("app-2"), "a record");
  ASSERT_EQ(DrainInstance(kService, "app-1", Options()), absl::OkStatus());
  ASSERT_EQ(RemoveInstance(kService, "app-2", Options(seconds(0))), absl::OkStatus());
  admin_.Put(State("app-3"), "nonsense");
  admin_.Put("/turnout/state/not a service/app-1", "removed");
  const auto decisions = ListDecisions(Options().registry, kPatience);
  ASSERT_TRUE(decisions.ok()) << decisions.status();
  ASSERT_EQ(decisions->size(), 2U);
  const OperatorDecision& drained = decisions->at(0);
  EXPECT_EQ(drained.service + " " + drained.id, "srv.app app-1");
  EXPECT_FALSE(drained.removed);
  EXPECT_GT(drained.left, seconds(3500));
  EXPECT_EQ(decisions->at(1).id, "app-2");
  EXPECT_TRUE(decisions->at(1).removed);
  EXPECT_EQ(decisions->at(1).left, std::nullopt);
}

TEST_F(OperateTest, KeepsToItsNamespace) {
  OperateOptions options = Options();
  options.registry.prefix = "/eu";
  EXPECT_EQ(RemoveInstance(kService, "app-1", options).code(), absl::StatusCode::kNotFound);
  admin_.Put("/eu" + Record("app-1"), "a record");
  EXPECT_EQ(RemoveInstance(kService, "app-1", options), absl::OkStatus());
  EXPECT_TRUE(admin_.Get(Record("app-1")).has_value());
  EXPECT_EQ(admin_.Get("/eu" + State("app-1"))->value, "removed");
  EXPECT_THAT(*ListDecisions(Options().registry, kPatience), IsEmpty());
}

// What etcd's own command prints, as root.
std::string AsRoot(const EtcdServer& etcd, const std::string& command) {
  const std::filesystem::path binary(std::getenv("TURNOUT_TEST_ETCD"));
  testing::Process process(
      {"/bin/sh", "-c", "ETCDCTL_API=3 exec \"$0\" --endpoints=\"$1\" --user=root:r00t " + command,
       binary.parent_path() / "etcdctl", etcd.endpoint()});
  return process.ReadAll();
}

TEST(OperatePermissionTest, WhereItMayNotBeWrittenNoLeaseStays) {
  EtcdServer etcd({.tls = {}, .flags = {"--bcrypt-cost=4"}});
  EtcdAdmin(etcd.endpoint()).Put("/srv/app/app-1", "a record");
  testing::EtcdCtl ctl({"--endpoints=" + etcd.endpoint()});
  ctl.AddUser("reader", "secret", {"read --prefix /"});
  ctl.EnableAuthentication("r00t");
  const absl::Status status = RemoveInstance(
      kService, "app-1",
      {.registry = {.endpoints = {etcd.endpoint()}, .username = "reader", .password = "secret"}});
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  EXPECT_THAT(std::string(status.message()), ::testing::Not(HasSubstr("secret")));
  EXPECT_EQ(AsRoot(etcd, "lease list"), "found 0 leases\n");
  EXPECT_THAT(AsRoot(etcd, "get --prefix /srv"), HasSubstr("a record"));
}

}  // namespace
}  // namespace turnout
