// Twenty servers restarted one after another, on their addresses, under load.
#include <grpcpp/support/channel_arguments.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/support/checked_load.h"
#include "tests/support/fixture.h"
#include "tests/support/server_process.h"

namespace turnout::testing {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using Time = LoggedCall::Time;

constexpr int kServers = 20;
constexpr milliseconds kDrainDelay{200};
// A stream lasts for 500 ms: those that have just begun when their server is told to end outlast
// the drain's delay, and end while the server shuts down.
constexpr int kStreamLength = 5;
constexpr milliseconds kPace{100};

// docs/reliability.md
constexpr char kRetries[] = R"({
  "methodConfig": [{
    "name": [{}],
    "retryPolicy": {
      "maxAttempts": 4,
      "initialBackoff": "0.05s",
      "maxBackoff": "1s",
      "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }]
})";
constexpr char kLazy[] = R"({"loadBalancingConfig":[{"turnout":{"lazyConnections":true}}]})";

// When a server was told to end.
struct Drain {
  std::string address;
  Time begin;
};

class RollingRestartTest : public IntegrationTest {
 protected:
  void SetUp() override {
    std::vector<ServerProcessOptions> options(kServers, Server());
    // Half of them keep their names, as those of a stateful set do.
    for (int i = 0; i < kServers; i += 2) {
      options[static_cast<std::size_t>(i)].id = "server-" + std::to_string(i);
    }
    servers_ = StartAll(std::move(options));
    ASSERT_EQ(addresses().size(), kServers);
    Follower follower(Etcd(), Service());
    follower.WaitFor([this](const Snapshot& snapshot) { return ListsAll(snapshot); });
  }

  bool ListsAll(const Snapshot& snapshot) const {
    return std::all_of(servers_.begin(), servers_.end(), [&](const auto& server) {
      const Member* member = FindMember(snapshot, server->id());
      return member != nullptr && member->instance->address() == server->address();
    });
  }

  ServerProcessOptions Server() const {
    return {.etcd = Etcd(),
            .service = Service(),
            .more = {"--pace-ms", std::to_string(kPace.count()), "--drain-delay-ms",
                     std::to_string(kDrainDelay.count()), "--deadline-ms", "5000"},
            .program = "tests/stream_server"};
  }
  std::set<std::string> addresses() const {
    std::set<std::string> all;
    for (const auto& server : servers_) all.insert(server->address());
    return all;
  }

  // The successor of a server whose process has ended.
  void Replace(std::unique_ptr<ServerProcess>& server) const {
    ServerProcessOptions options = Server();
    options.listen = server->address();
    if (server->id().rfind("server-", 0) == 0) options.id = server->id();
    server = std::make_unique<ServerProcess>(options);
    EXPECT_TRUE(server->AwaitRegistered());
    EXPECT_EQ(server->address(), options.listen);
  }

  // Two threads with calls, and by default two with streams.
  static CheckedLoadOptions Threads(int stream_threads = 2) {
    return {.call = {.version = "v1"},
            .unary_threads = 2,
            .stream_threads = stream_threads,
            .stream_length = kStreamLength};
  }

  void ExpectAllAnswer(const CallLog& log) const {
    std::set<std::string> answered;
    for (const auto& [address, count] : log.by_address) answered.insert(address);
    EXPECT_EQ(answered, addresses()) << log;
  }

  std::vector<std::unique_ptr<ServerProcess>> servers_;
};

// How many of `streams` ran on a server from before it was told to end until it shut down.
int CountThroughShutdown(const std::vector<LoggedCall>& streams, const std::vector<Drain>& drains) {
  int count = 0;
  for (const Drain& drain : drains) {
    count += static_cast<int>(
        std::count_if(streams.begin(), streams.end(), [&](const LoggedCall& stream) {
          return stream.answer.Address() == drain.address && stream.begin < drain.begin &&
                 drain.begin + kDrainDelay < stream.end;
        }));
  }
  return count;
}

TEST_F(RollingRestartTest, WithDrainNoCallFails) {
  grpc::ChannelArguments soon_idle;
  soon_idle.SetInt(GRPC_ARG_CLIENT_IDLE_TIMEOUT_MS, 1000);  // the least that gRPC takes
  const auto unused = Channel();  // created, and first used when all have been restarted
  const auto seldom_used = ChannelTo(Etcd(), Service(), {.arguments = &soon_idle});
  CallLog seldom;
  CheckedLoad load(Channel(), Threads());
  CheckedLoad lazy_load(Channel(kLazy), {.call = {.version = "v1"}, .unary_threads = 1});
  CheckedLoad stream_load(Channel(), Threads(/*stream_threads=*/10));
  load.AwaitAnswers(100);
  lazy_load.AwaitAnswers(100);
  std::vector<Drain> drains;
  for (int round = 0; round < 2; ++round) {
    for (auto& server : servers_) {
      drains.push_back({.address = server->address(), .begin = Clock::now()});
      server->Drain();
      Replace(server);
      if (drains.size() % 4 == 0) seldom.Add(CheckedCall(seldom_used, {.version = "v1"}));
    }
  }
  load.AwaitAnswers(500);
  const CallLog log = load.Stop();
  const CallLog lazy_log = lazy_load.Stop();
  const CallLog stream_log = stream_load.Stop();
  EXPECT_TRUE(log.failed.empty()) << log;
  EXPECT_TRUE(lazy_log.failed.empty()) << lazy_log;
  EXPECT_TRUE(stream_log.failed.empty()) << stream_log;
  EXPECT_TRUE(seldom.failed.empty() && seldom.wrong.empty()) << seldom;
  EXPECT_EQ(seldom.count(), 2 * kServers / 4);
  for (int i = 0; i < 20; ++i) {
    const LoggedCall call = CheckedCall(unused, {.version = "v1"});
    EXPECT_TRUE(call.ok() && call.answer.wrong.empty()) << call;
  }
  ExpectAllAnswer(log);
  const int through_shutdown = CountThroughShutdown(stream_log.answered_streams, drains);
  EXPECT_GT(through_shutdown, 0) << "no stream was put to the test";
  std::cout << log.unary + lazy_log.unary + stream_log.unary << " calls and "
            << log.streams + stream_log.streams << " streams over " << drains.size()
            << " restarts; " << through_shutdown
            << " of the streams outlasted their server's drain delay\n";
}

TEST_F(RollingRestartTest, WithoutDrainOnlyCallsInFlightFailAndRetriesSaveThoseWithoutAResponse) {
  CheckedLoad load(Channel(), Threads());
  CheckedLoad retried_load(Channel(kRetries), Threads(/*stream_threads=*/10));
  load.AwaitAnswers(100);
  retried_load.AwaitAnswers(100);
  std::vector<Kill> kills;
  for (auto& server : servers_) {
    kills.push_back(server->Kill());
    Replace(server);
    load.AwaitAnswers(20);
  }
  load.AwaitAnswers(500);
  retried_load.AwaitAnswers(500);
  const CallLog log = load.Stop();
  const CallLog retried = retried_load.Stop();
  ExpectOnlyCallsInFlightFailed(log, kills);
  ExpectOnlyCallsInFlightFailed(retried, kills);
  EXPECT_FALSE(log.failed.empty()) << "no call was in flight on any of them";
  EXPECT_EQ(retried.CountFailed(/*streaming=*/false), 0) << retried;
  for (const LoggedCall& call : retried.failed) EXPECT_GT(call.responses, 0) << call;
  ExpectAllAnswer(log);
  ExpectAllAnswer(retried);
  std::cout << "without retries: " << log.CountFailed(false) << " of " << log.unary << " calls and "
            << log.CountFailed(true) << " of " << log.streams << " streams failed; with them "
            << retried.CountFailed(false) << " of " << retried.unary << " and "
            << retried.CountFailed(true) << " of " << retried.streams << "\n";
}

}  // namespace
}  // namespace turnout::testing
