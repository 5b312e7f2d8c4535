// Connections that live and say nothing: to a host that is gone behind a proxy, to a listener that
// never speaks, to a server that never answers. TCP sees nothing wrong with them.
#include <arpa/inet.h>
#include <grpcpp/support/channel_arguments.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>

#include <climits>
#include <cstdlib>
#include <future>

#include "tests/support/checked_load.h"
#include "tests/support/etcd_server.h"
#include "tests/support/fixture.h"
#include "tests/support/relay.h"
#include "tests/support/server_process.h"
#include "turnout/service_config.h"

namespace turnout::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr Relay::Manner kSilence{.mode = Relay::Mode::kSilent};
// src/grpc/v1_51/policy.cc: a ping after 15 s of silence, which is to be answered within 5 s.
constexpr seconds kKeepalive{20};
constexpr seconds kSlack{8};

class SilentServersTest : public IntegrationTest {
 protected:
  ServerProcessOptions Server(const std::vector<std::string>& more = {}) const {
    return {.etcd = Etcd(), .service = Service(), .more = more};
  }
  // Once the connection is made and idle.
  static std::future<LoggedCall> BeginCall(const std::shared_ptr<grpc::Channel>& channel,
                                           seconds timeout) {
    return std::async(std::launch::async, [channel, timeout] {
      return CheckedCall(channel, {.version = "v1", .timeout = timeout});
    });
  }
  static grpc::StatusCode CodeOf(const LoggedCall& call) { return call.answer.status.error_code(); }
};

// A port that is not taken yet, for a server that is to announce the relay before it.
struct Relayed {
  ReservedPort port;
  Relay relay{port.address()};
};

// The record permits pings: HTTP/2 keepalive finds the silence within 20 s, also without calls.
// Until then calls that are sent there end by their deadlines; the one that is under way for longer
// fails when the connection is given up.
TEST_F(SilentServersTest, KeepaliveFindsASilentConnectionWhereTheRecordPermitsPings) {
  Relayed relayed;
  ServerProcessOptions silent = Server({"--advertise", relayed.relay.endpoint()});
  silent.listen = relayed.port.address();
  const auto servers = StartAll({silent, Server()});
  ASSERT_EQ(servers[0]->address(), relayed.relay.endpoint());
  const auto channel = Channel();
  CheckedLoad load(channel, {.call = {.version = "v1", .timeout = milliseconds(1000)}});
  load.AwaitAnswerFrom(servers[0]->address());
  relayed.relay.Set(kSilence);
  const auto silent_since = Clock::now();
  // One of these, at least, is sent there.
  std::vector<std::future<LoggedCall>> patient;
  for (int i = 0; i < 16; ++i) patient.push_back(BeginCall(channel, kKeepalive * 3));
  int given_up = 0;
  for (auto& result : patient) {
    const LoggedCall call = result.get();
    if (call.ok()) continue;
    ++given_up;
    EXPECT_EQ(CodeOf(call), grpc::StatusCode::UNAVAILABLE) << call;
    EXPECT_EQ(call.answer.Address(), servers[0]->address()) << call;
    EXPECT_LT(call.end - silent_since, kKeepalive + kSlack) << call;
  }
  EXPECT_GT(given_up, 0) << "all went to the other server";
  const auto found = Clock::now();
  load.AwaitAnswers(300);
  // It speaks again, and is connected again.
  relayed.relay.Set({});
  load.AwaitAnswerFrom(servers[0]->address());
  const CallLog log = load.Stop();
  EXPECT_FALSE(log.failed.empty());
  for (const LoggedCall& call : log.failed) {
    EXPECT_LT(call.begin, found) << call;
  }
}

// The record permits no pings, and a living proxy acknowledges what is sent: only deadlines end
// calls, and who sets none waits. Other instances are not affected.
TEST_F(SilentServersTest, WithoutPingsOnlyItsDeadlineEndsACallToASilentConnection) {
  BackendOptions unprepared;
  unprepared.prepared = false;
  unprepared.registration.version = "v1";
  Backend backend(unprepared);
  Relay relay(backend.address());
  const GoRecord record{Service(), "behind-a-proxy", "v1", relay.endpoint()};
  Admin().Put(record.key(), record.value());
  const auto other = Start("v2");
  const auto channel = Channel();
  // It does not know of the proxy, and answers with its own address.
  ASSERT_EQ(Call(channel, {.version = "v1", .checked = false}).ToString(), backend.answer());
  relay.Set(kSilence);
  auto patient = BeginCall(channel, kKeepalive + seconds(3));  // longer than it could be found in
  for (int i = 0; i < 3; ++i) {
    const Answer answer = Call(channel, {.version = "v1", .timeout = milliseconds(300)});
    EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
    EXPECT_EQ(Call(channel, {.version = "v2"}).ToString(), other->answer());
  }
  EXPECT_EQ(CodeOf(patient.get()), grpc::StatusCode::DEADLINE_EXCEEDED);
}

// HTTP/2's settings never come, so the connection is never READY: no call is sent to it.
TEST_F(SilentServersTest, AListenerThatNeverSpeaksGetsNoCall) {
  const ReservedPort nowhere;
  Relay mute(nowhere.address());
  mute.Set(kSilence);
  const GoRecord record{Service(), "mute", "v1", mute.endpoint()};
  Admin().Put(record.key(), record.value());
  const auto channel = Channel();
  // Alone, it makes calls wait for connectTimeout (3 s), and fail with the reason.
  const LoggedCall alone = CheckedCall(channel, {.version = "v1", .timeout = seconds(20)});
  EXPECT_EQ(CodeOf(alone), grpc::StatusCode::UNAVAILABLE) << alone;
  EXPECT_NE(alone.answer.ToString().find("not connected within 3000 ms"), std::string::npos)
      << alone;
  // Then they fail at once, for as long as it lasts.
  const LoggedCall later = CheckedCall(channel, {.version = "v1", .timeout = seconds(20)});
  EXPECT_EQ(CodeOf(later), grpc::StatusCode::UNAVAILABLE) << later;
  EXPECT_LT(later.end - later.begin, seconds(2)) << later;
  // Beside others it is not noticed, on old channels and on new ones.
  const auto servers = StartAll({Server()});
  ASSERT_TRUE(CallUntilAnswered(channel, {.version = "v1"}, servers[0]->answer()));
  for (const auto& used : {channel, Channel()}) {
    for (int i = 0; i < 50; ++i) {
      const LoggedCall call = CheckedCall(used, {.version = "v1", .timeout = milliseconds(2500)});
      EXPECT_EQ(call.answer.ToString(), servers[0]->answer()) << call;
    }
  }
}

// HTTP/2 works, pings and health checks are answered, calls are not: nothing but their deadlines
// can tell. Outlier detection counts them, and leaves the instance alone.
TEST_F(SilentServersTest, AServerThatNeverAnswersCallsIsLeftAloneIfTheChannelLooksForOutliers) {
  const auto servers = StartAll({Server({"--delay-ms", "3600000"}), Server()});
  CheckedLoadOptions options;
  options.call = {.version = "v1", .timeout = milliseconds(300)};
  CheckedLoad load(Channel(), options);
  load.AwaitAnswers(20);
  const CallLog log = load.Stop();
  EXPECT_FALSE(log.failed.empty());
  for (const LoggedCall& call : log.failed) {
    EXPECT_EQ(CodeOf(call), grpc::StatusCode::DEADLINE_EXCEEDED) << call;
  }

  const auto guarded = Channel(WithOutlierDetection(
      "", {.interval = milliseconds(100),
           .success_rate = std::nullopt,
           .failure_percentage = {{.threshold = 50, .minimum_hosts = 2, .request_volume = 1}}}));
  EXPECT_TRUE(CallUntilAnswered(guarded, options.call, servers[1]->answer(), 100));
}

// What the kernel has been told of this process's connection to `address`; -1: there is none.
int UserTimeoutMs(const std::string& address) {
  const int port = std::atoi(address.c_str() + address.rfind(':') + 1);
  for (int fd = 0; fd < 1024; ++fd) {
    sockaddr_in6 peer{};  // an IPv4 address comes mapped into IPv6
    socklen_t size = sizeof peer;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) continue;
    if (peer.sin6_family != AF_INET6 || ntohs(peer.sin6_port) != port) continue;
    int timeout_ms = -1;
    size = sizeof timeout_ms;
    getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, &size);
    return timeout_ms;
  }
  return -1;
}

// Data that nobody acknowledges ends a connection after this time, where gRPC's default is what the
// kernel does: a quarter of an hour.
TEST_F(SilentServersTest, ConnectionsHaveATcpUserTimeout) {
  const auto prepared = StartAll({Server()});
  const auto pinging = Channel();
  ASSERT_TRUE(Call(pinging, {.version = "v1"}).status.ok());
  EXPECT_EQ(UserTimeoutMs(prepared[0]->address()), 5000);
  struct Case {
    std::map<std::string, int> arguments;
    int expected_ms;
  };
  const Case cases[] = {{{}, 20000},
                        {{{GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 7000}}, 7000},
                        {{{GRPC_ARG_KEEPALIVE_TIME_MS, INT_MAX}}, 0}};
  for (const Case& one : cases) {
    BackendOptions unprepared;
    unprepared.prepared = false;
    unprepared.registration.version = "v1";
    const Backend backend(unprepared);
    const std::string service = Service() + "." + std::to_string(one.expected_ms);
    const GoRecord record{service, "from-elsewhere", "v1", backend.address()};
    Admin().Put(record.key(), record.value());
    grpc::ChannelArguments arguments;
    for (const auto& [name, value] : one.arguments) arguments.SetInt(name, value);
    const auto channel = ChannelTo(Etcd(), service, {.arguments = &arguments});
    ASSERT_TRUE(Call(channel, {.version = "v1"}).status.ok());
    EXPECT_EQ(UserTimeoutMs(backend.address()), one.expected_ms);
  }
}

}  // namespace
}  // namespace turnout::testing
