// Half-open connections: the packets of a host vanish, and nothing tells its peers. In a network of
// this program's own, where 127.0.0.2 is the host that vanishes.
#include <gtest/gtest.h>

#include <future>
#include <iostream>

#include "tests/support/checked_load.h"
#include "tests/support/fixture.h"
#include "tests/support/own_network.h"
#include "tests/support/server_process.h"

namespace turnout::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr char kHost[] = "127.0.0.2";
// src/grpc/v1_51/policy.cc: a ping after 15 s of silence, which is to be answered within 5 s; what
// is sent is to be acknowledged within 5 s, or 20 s if the record permits no pings.
constexpr seconds kPingInterval{15};
constexpr seconds kPingTimeout{5};
constexpr seconds kAcknowledgeTimeout{20};
constexpr seconds kSlack{8};
constexpr seconds kPatient{90};  // longer than anything that is to be found

class HalfOpenTest : public IntegrationTest {
 protected:
  ServerProcessOptions Server(const std::string& host) const {
    return {.etcd = Etcd(), .service = Service(), .listen = host + ":0"};
  }
  // The whole length of a call that fails because its connection is given up.
  static Clock::duration TimeUntilGivenUp(const LoggedCall& call) {
    EXPECT_EQ(call.answer.status.error_code(), grpc::StatusCode::UNAVAILABLE) << call;
    return call.end - call.begin;
  }
  static LoggedCall PatientCall(const std::shared_ptr<grpc::Channel>& channel) {
    return CheckedCall(channel, {.version = "v1", .timeout = kPatient});
  }
};

// The server has acknowledged the call, and its answer is a long time coming: a ping has to find
// out that it never will.
TEST_F(HalfOpenTest, APingFindsItWhileACallWaitsIfTheRecordPermitsPings) {
  ServerProcessOptions slow = Server(kHost);
  slow.more = {"--delay-ms", "3600000"};
  slow.quiet = false;
  const auto servers = StartAll({slow});
  const auto channel = Channel();
  auto waiting = std::async(std::launch::async, [&] { return PatientCall(channel); });
  ASSERT_TRUE(servers[0]->AwaitCall());
  const Vanished vanished(kHost);
  EXPECT_LT(TimeUntilGivenUp(waiting.get()), kPingInterval + kPingTimeout + kSlack);
}

// A call that nobody acknowledges shows it sooner.
TEST_F(HalfOpenTest, TheTcpUserTimeoutFindsItWhenACallIsSentIfTheRecordPermitsPings) {
  const auto servers = StartAll({Server(kHost)});
  const auto channel = Channel();
  ASSERT_EQ(Call(channel, {.version = "v1"}).ToString(), servers[0]->answer());
  const Vanished vanished(kHost);
  EXPECT_LT(TimeUntilGivenUp(PatientCall(channel)), kPingTimeout + kSlack);
}

// Another instance is there: as long as the connection seems to live, half of the calls are sent
// over it and end by their deadlines; then none is.
TEST_F(HalfOpenTest, OtherInstancesTakeOverWhenItIsFound) {
  const auto servers = StartAll({Server(kHost), Server("127.0.0.1")});
  const auto channel = Channel();
  CheckedLoad load(channel, {.call = {.version = "v1", .timeout = milliseconds(1000)}});
  load.AwaitAnswerFrom(servers[0]->address());
  const auto begin = Clock::now();
  {
    const Vanished vanished(kHost);
    ASSERT_TRUE(CallUntilAnswered(channel, {.version = "v1", .timeout = milliseconds(1000)},
                                  servers[1]->answer(), 100));
    load.AwaitAnswers(300);
  }
  // It is back, and nobody had to restart anything.
  load.AwaitAnswerFrom(servers[0]->address());
  const CallLog log = load.Stop();
  EXPECT_FALSE(log.failed.empty());
  for (const LoggedCall& call : log.failed) {
    EXPECT_LT(call.begin - begin, kPingTimeout + kSlack) << call;
  }
}

// A record from elsewhere permits no pings: none is sent, and TCP finds it as soon as there is
// something to acknowledge.
TEST_F(HalfOpenTest, TheTcpUserTimeoutFindsItIfTheRecordPermitsNoPings) {
  BackendOptions unprepared;
  unprepared.prepared = false;
  unprepared.listen = std::string(kHost) + ":0";
  unprepared.registration.version = "v1";
  const Backend backend(unprepared);
  const GoRecord record{Service(), "from-elsewhere", "v1", backend.address()};
  Admin().Put(record.key(), record.value());
  const auto channel = Channel();
  ASSERT_EQ(Call(channel, {.version = "v1"}).ToString(), backend.answer());
  {
    const Vanished vanished(kHost);
    auto waiting = std::async(std::launch::async, [&] { return PatientCall(channel); });
    const Answer hasty = Call(channel, {.version = "v1", .timeout = milliseconds(300)});
    EXPECT_EQ(hasty.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
    const auto time = TimeUntilGivenUp(waiting.get());
    EXPECT_GT(time, kAcknowledgeTimeout - seconds(1));
    EXPECT_LT(time, kAcknowledgeTimeout + kSlack);
  }
  EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v1"}, backend.answer(), 20));
}

}  // namespace
}  // namespace turnout::testing

int main(int argc, char** argv) {
  constexpr int kSkipped = 77;  // as tests/integration/CMakeLists.txt tells ctest
  const std::string problem = turnout::testing::EnterOwnNetwork();
  if (!problem.empty()) {
    std::cerr << "NOT RUN: half-open connections need a network of their own: " << problem << "\n";
    return kSkipped;
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
