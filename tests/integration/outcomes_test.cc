// What becomes of a call: the table in docs/architecture.md, row by row.
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>

#include "tests/support/etcd_server.h"
#include "tests/support/fixture.h"

namespace turnout::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

// A server that takes connections and never says a word.
class SilentServer {
 public:
  SilentServer() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (bind(socket_, any, size) != 0 || listen(socket_, 100) != 0 ||
        getsockname(socket_, any, &size) != 0) {
      ADD_FAILURE() << "cannot listen";
    }
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~SilentServer() { close(socket_); }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;

  const std::string& address() const { return address_; }

 private:
  int socket_;
  std::string address_;
};

class OutcomesTest : public IntegrationTest {
 protected:
  void Put(const std::string& id, const std::string& version, const std::string& address,
           const std::string& metadata = "null", const std::string& endpoints = "null") {
    const GoRecord record{Service(), id, version, address, metadata, endpoints};
    Admin().Put(record.key(), record.value());
  }
  static void ExpectUnavailable(const Answer& answer, const ::testing::Matcher<std::string>& what) {
    EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::UNAVAILABLE) << answer.output;
    EXPECT_THAT(answer.status.error_message(), what);
  }

  // A server that is not registered, for records that are written by hand.
  static BackendOptions Bare() { return {.registration = {.version = "v1"}, .prepared = false}; }
};

TEST_F(OutcomesTest, ACallWaitsForAConnectionThatIsBeingMadeAndThenFails) {
  const SilentServer silent;
  Put("app-1", "v1", silent.address());
  const auto channel =
      Channel(R"({"loadBalancingConfig":[{"turnout":{"connectTimeout":"0.4s"}}]})");
  const auto begin = steady_clock::now();
  ExpectUnavailable(Call(channel, {.version = "v1"}),
                    AllOf(HasSubstr("not connected within 400 ms"), HasSubstr(silent.address())));
  const auto first = steady_clock::now() - begin;
  EXPECT_GE(first, milliseconds(400));
  EXPECT_LT(first, milliseconds(3000));  // not the default
  // From now on it counts as failing: calls do not wait again.
  const auto again = steady_clock::now();
  ExpectUnavailable(Call(channel, {.version = "v1"}), HasSubstr("not connected within 400 ms"));
  EXPECT_LT(steady_clock::now() - again, milliseconds(400));
}

TEST_F(OutcomesTest, ARefusedConnectionFailsCallsAtOnceWithItsError) {
  const ReservedPort closed;
  Put("app-1", "v1", closed.address());
  const auto channel = Channel();
  ExpectUnavailable(Call(channel, {.version = "v1"}),
                    AllOf(HasSubstr("Connection refused"), HasSubstr(closed.address())));
  // Failing sticks while gRPC goes through its backoff: a dead group must not queue calls.
  const Tally tally = CallMany(channel, 200, {.version = "v1", .timeout = milliseconds(200)});
  for (const auto& [error, count] : tally.errors) EXPECT_THAT(error, HasSubstr("UNAVAILABLE"));
  EXPECT_EQ(tally.ok, 0);
}

TEST_F(OutcomesTest, OneThatStillConnectsDoesNotHoldUpCallsThatOthersCanTake) {
  const SilentServer silent;
  const ReservedPort closed;
  Put("app-1", "v1", silent.address());
  Put("app-2", "v1", closed.address());
  const auto good = Start("v1");
  const Tally tally = CallMany(Channel(), 50, {.version = "v1", .timeout = milliseconds(2000)});
  EXPECT_THAT(tally.by_output, ElementsAre(Pair(good->answer(), 50))) << tally;
}

TEST_F(OutcomesTest, NoMatchSaysWhatWasAskedForAndWhatThereIs) {
  const ReservedPort a, b, c;
  Put("app-1", "v1", a.address());
  Put("app-2", "v1", b.address());
  Put("app-3", "v2", c.address());
  const auto channel = Channel();
  ExpectUnavailable(
      Call(channel, {.version = "v3"}),
      "no match found conn: asked for version v3 of " + Service() + "; registered: v1 ×2, v2 ×1");
}

TEST_F(OutcomesTest, NothingRegistered) {
  ExpectUnavailable(Call(Channel()),
                    "no match found conn: no instance of " + Service() + " is registered");
  ExpectUnavailable(
      Call(Channel(), {.version = "v1"}),
      "no match found conn: asked for version v1 of " + Service() + "; registered: none");
}

TEST_F(OutcomesTest, TheConfiguredFallbackTakesTheCall) {
  const auto backend = Start("v1");
  const auto channel = Channel(
      R"({"loadBalancingConfig":[{"turnout":{"picker":[{"version":{"fallback":"any"}}]}}]})");
  EXPECT_EQ(Call(channel, {.version = "v3", .checked = false}).ToString(), backend->answer());
}

TEST_F(OutcomesTest, AMethodThatIsSwitchedOffIsNotCalledThere) {
  const Backend off(Bare()), on(Bare()), silent_about_it(Bare());
  constexpr char kOff[] = R"({"ApiTest":{"online":false,"limiting_switch":false,"limiting":10,
      "fuse":false,"defaults":null}})";
  Put("app-off", "v1", off.address(), "null", kOff);
  const auto channel = Channel();
  ExpectUnavailable(Call(channel, {.version = "v1"}), HasSubstr("ApiTest is switched off"));

  Put("app-on", "v1", on.address(), "null", R"({"ApiTest":{"online":true}})");
  Put("app-other", "v1", silent_about_it.address(), "null", R"({"Other":{"online":false}})");
  const CallOptions wait{.version = "v1", .wait_for_ready = true};
  EXPECT_TRUE(CallUntilAnswered(channel, wait, on.answer()));
  EXPECT_TRUE(CallUntilAnswered(channel, wait, silent_about_it.answer()));
  EXPECT_TRUE(CallMany(channel, 50, wait).all_ok());
  EXPECT_EQ(off.calls(), 0);

  Put("app-off", "v1", off.address());
  EXPECT_TRUE(CallUntilAnswered(channel, wait, off.answer()));
}

TEST_F(OutcomesTest, TheDrainingAreCalledOnlyIfNobodyElseCan) {
  const Backend draining(Bare());
  Put("app-draining", "v1", draining.address(), R"({"turnout.state":"draining"})");
  const auto channel = Channel();
  EXPECT_EQ(Call(channel, {.version = "v1"}).ToString(), draining.answer());

  auto registered = std::make_unique<Backend>(Bare());
  const std::string answer = registered->answer();
  Put("app-registered", "v1", registered->address());
  EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v1"}, answer));
  EXPECT_THAT(CallMany(channel, 50, {.version = "v1"}).by_output, ElementsAre(Pair(answer, 50)));

  // The registered one crashes; its record stays.
  registered.reset();
  EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v1"}, draining.answer()));
  EXPECT_TRUE(CallMany(channel, 50, {.version = "v1"}).all_ok());
}

// Operators drain and remove instances past their registrars, which obey, and so do clients.
TEST_F(OutcomesTest, AnOperatorDrainsAndRemoves) {
  const auto staying = Start("v1");
  const auto chosen = Start("v1");
  const std::string key = chosen->registrar().key();
  const std::string decision = "/turnout/state/" + Service() + "/" + chosen->registrar().id();
  const auto channel = Channel();
  Follower follower(Etcd(), Service());

  Admin().Put(decision, "draining");
  follower.WaitFor([&](const Snapshot& snapshot) {
    const Member* member = FindMember(snapshot, chosen->registrar().id());
    return member != nullptr && member->status == InstanceStatus::kDraining;
  });
  EXPECT_TRUE(CallUntilAnswered(channel, {}, staying->answer(), 30));
  EXPECT_TRUE(Admin().Get(key).has_value());

  Admin().Put(decision, "removed");
  follower.WaitForCount(1);
  EXPECT_THAT(CallMany(Channel(), 30).by_output, ElementsAre(Pair(staying->answer(), 30)));

  Admin().Delete(decision);
  follower.WaitForCount(2);
  EXPECT_TRUE(CallUntilAnswered(channel, {}, chosen->answer()));
  EXPECT_TRUE(chosen->registrar().WaitUntilRegistered(kPatience).ok());
}

// The record itself goes: a removed registrar must not put it back while the decision stands.
TEST_F(OutcomesTest, ARemovedInstanceStaysAway) {
  const auto removed = Start("v1");
  Follower follower(Etcd(), Service());
  follower.WaitForCount(1);
  const std::int64_t lease = Admin().Grant(std::chrono::seconds(60));
  Admin().Put("/turnout/state/" + Service() + "/" + removed->registrar().id(), "removed", lease);
  Admin().Delete(removed->registrar().key());
  follower.WaitForCount(0);
  ExpectUnavailable(Call(Channel()), HasSubstr("no match found conn"));
  // A registration that is made now is under the same rule from the beginning.
  EXPECT_FALSE(Admin().Get(removed->registrar().key()).has_value());
  Admin().Revoke(lease);  // the decision expires
  follower.WaitForCount(1);
  EXPECT_EQ(Call(Channel()).ToString(), removed->answer());
}

class NoSnapshotTest : public OutcomesTest {
 protected:
  static ChannelOptions Brief() { return {.resolve_timeout = milliseconds(300)}; }

  // Calls queue until the resolve timeout, then fail with this.
  void ExpectFailsNaming(const std::string& endpoint, const std::string& why) {
    const auto channel = ChannelTo(endpoint, Service(), Brief());
    const auto begin = steady_clock::now();
    ExpectUnavailable(Call(channel), AllOf(HasSubstr("cannot read the registrations of " +
                                                     Service() + " from etcd at " + endpoint),
                                           HasSubstr(why)));
    EXPECT_GE(steady_clock::now() - begin, milliseconds(300));
    EXPECT_LT(steady_clock::now() - begin, milliseconds(3000));
    const auto again = steady_clock::now();
    ExpectUnavailable(Call(channel), HasSubstr(endpoint));
    EXPECT_LT(steady_clock::now() - again, milliseconds(300));
  }
};

TEST_F(NoSnapshotTest, NobodyListens) {
  const ReservedPort closed;
  ExpectFailsNaming(closed.address(), "Connection refused");
}

TEST_F(NoSnapshotTest, ItIsNotEtcd) {
  const Backend other(Bare());
  ExpectFailsNaming(other.address(), "UNIMPLEMENTED");
}

TEST_F(NoSnapshotTest, ItNeverAnswers) {
  const SilentServer silent;
  ExpectFailsNaming(silent.address(), "");
}

TEST_F(NoSnapshotTest, TheRegistrarKeepsTryingAndSaysWhy) {
  EtcdServer etcd;
  etcd.Kill();
  BackendOptions options = Bare();
  Backend server(options);
  RegistrarOptions registration{.service = Service(), .version = "v1", .listen = "127.0.0.1:0"};
  registration.registry.endpoints = {etcd.endpoint()};
  auto registrar = Registrar::Start(registration, server.server(), server.port());
  ASSERT_TRUE(registrar.ok()) << registrar.status();
  const absl::Status waited = (*registrar)->WaitUntilRegistered(milliseconds(300));
  EXPECT_EQ(waited.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(waited.message()), HasSubstr(etcd.endpoint()));
  EXPECT_EQ((*registrar)->state(), RegistrationState::kRegistering);

  // The resolver keeps trying too.
  const auto channel = ChannelTo(etcd.endpoint(), Service(), Brief());
  ExpectUnavailable(Call(channel), HasSubstr(etcd.endpoint()));
  etcd.Start();
  const absl::Status registered = (*registrar)->WaitUntilRegistered(kPatience);
  EXPECT_TRUE(registered.ok()) << registered;
  EXPECT_TRUE((*registrar)->last_error().ok()) << (*registrar)->last_error();
  EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v1"}, server.answer()));
}

TEST_F(OutcomesTest, EtcdThatGoesLaterTakesNoInstanceWithIt) {
  EtcdServer etcd;
  const auto backend = StartBackend(etcd.endpoint(), Service(), "v1");
  const auto channel = ChannelTo(etcd.endpoint(), Service());
  ASSERT_EQ(Call(channel, {.version = "v1"}).ToString(), backend->answer());
  Follower follower(etcd.endpoint(), Service());
  follower.WaitForCount(1);
  Load load(channel, {.version = "v1"}, 1);
  etcd.Kill();
  EXPECT_THAT(std::string(follower.WaitForError().message()), HasSubstr(etcd.endpoint()));
  load.WaitForCalls(200);
  // A channel that begins now has the snapshot that the process has.
  EXPECT_EQ(Call(ChannelTo(etcd.endpoint(), Service())).ToString(), backend->answer());
  etcd.Start();
  const auto joined = StartBackend(etcd.endpoint(), Service(), "v2");
  EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v2"}, joined->answer()));
  const Tally tally = load.Stop();
  EXPECT_TRUE(tally.all_ok()) << tally;
  follower.WaitForCount(2);
  for (const auto& snapshot : follower.snapshots()) {
    EXPECT_FALSE(snapshot->members.empty()) << Describe(*snapshot);
  }
}

}  // namespace
}  // namespace turnout::testing
