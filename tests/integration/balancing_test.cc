// What policies get to know and may wish for, with real calls: latency, load, connections.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "proto/api.grpc.pb.h"
#include "proto/test_streams.grpc.pb.h"
#include "tests/support/fixture.h"
#include "turnout/config_reader.h"
#include "turnout/load_reporter.h"
#include "turnout/picker.h"

namespace turnout::testing {
namespace {

using std::chrono::milliseconds;
using Clock = InstanceStats::Clock;

// What the picker `probe` has seen; one for the process.
struct Probe {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, std::shared_ptr<InstanceStats>> stats;  // by version
  struct Outcome {
    absl::Status status;
    std::chrono::nanoseconds duration;
    std::optional<std::chrono::nanoseconds> latency;
    std::optional<LoadReport> load;
  };
  std::vector<Outcome> outcomes;
  int builds = 0;

  std::shared_ptr<InstanceStats> StatsOf(const std::string& version) {
    const std::lock_guard lock(mutex);
    return stats[version];
  }
  Outcome WaitForOutcome() {
    std::unique_lock lock(mutex);
    if (!changed.wait_for(lock, kPatience, [&] { return !outcomes.empty(); })) return {};
    Outcome outcome = outcomes.front();
    outcomes.erase(outcomes.begin());
    return outcome;
  }
};

Probe& TheProbe() {
  static Probe& probe = *new Probe;
  return probe;
}

class ProbePicker final : public Picker {
 public:
  explicit ProbePicker(std::span<const Endpoint* const> ready) : ready_(ready) {}

  PickResult Pick(const PickArgs&) const override {
    Probe& probe = TheProbe();
    const std::lock_guard lock(probe.mutex);
    probe.stats[ready_.front()->instance().version] = ready_.front()->member.stats;
    return PickResult::To(*ready_.front()).OnFinish([&probe](const CallOutcome& outcome) {
      const std::lock_guard inner(probe.mutex);
      probe.outcomes.push_back({outcome.status, outcome.duration, outcome.latency, std::nullopt});
      if (outcome.load != nullptr) probe.outcomes.back().load = *outcome.load;
      probe.changed.notify_all();
    });
  }

 private:
  const std::span<const Endpoint* const> ready_;
};

class ProbeBuilder final : public ChoosingPickerBuilder {
 public:
  explicit ProbeBuilder(std::optional<milliseconds> period = {}) : period_(period) {}
  std::shared_ptr<const PickerBuilder> Configure(ConfigReader& config) const override {
    const auto period =
        config.Duration("rebuild", {milliseconds(0), milliseconds(0), std::chrono::hours(1)});
    if (period == milliseconds(0)) return nullptr;
    return std::make_shared<ProbeBuilder>(period);
  }
  std::optional<milliseconds> rebuild_period() const override { return period_; }

 protected:
  std::unique_ptr<const Picker> BuildChoice(const EndpointGroup& group) const override {
    Probe& probe = TheProbe();
    const std::lock_guard lock(probe.mutex);
    ++probe.builds;
    probe.changed.notify_all();
    return std::make_unique<ProbePicker>(group.candidates());
  }

 private:
  const std::optional<milliseconds> period_;
};

[[maybe_unused]] const bool registered =
    RegisterPickerBuilder("probe", std::make_shared<ProbeBuilder>()).ok();

std::string Turnout(const std::string& fields) {
  return R"({"loadBalancingConfig":[{"turnout":{)" + fields + "}}]}";
}

class BalancingTest : public IntegrationTest {
 protected:
  BalancingTest() { TheProbe().outcomes.clear(); }
};

TEST_F(BalancingTest, TheLatencyOfACallReachesStatisticsAndCallback) {
  BackendOptions options = Options("v1");
  options.before_answer = [](grpc::ServerContextBase&) {
    std::this_thread::sleep_for(milliseconds(30));
    return grpc::Status::OK;
  };
  Backend backend(options);
  const auto channel = Channel(Turnout(R"("picker":[{"probe":{}}])"));
  ASSERT_TRUE(Call(channel).status.ok());
  const auto outcome = TheProbe().WaitForOutcome();
  EXPECT_TRUE(outcome.status.ok());
  EXPECT_GE(outcome.latency, milliseconds(30));
  EXPECT_LE(outcome.latency, outcome.duration);
  EXPECT_FALSE(outcome.load.has_value());
  EXPECT_EQ(TheProbe().StatsOf("v1")->success_rate(Clock::now()), 1);
  const auto latency = TheProbe().StatsOf("v1")->latency(Clock::now());
  ASSERT_TRUE(latency.has_value());
  EXPECT_GT(*latency, milliseconds(15));
}

TEST_F(BalancingTest, AFastFailureIsAFaultAndNoLatency) {
  BackendOptions options = Options("v1");
  options.before_answer = [](grpc::ServerContextBase&) {
    return grpc::Status(grpc::StatusCode::INTERNAL, "broken");
  };
  Backend backend(options);
  const auto channel = Channel(Turnout(R"("picker":[{"probe":{}}])"));
  EXPECT_EQ(Call(channel).status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(TheProbe().WaitForOutcome().status.code(), absl::StatusCode::kInternal);
  const auto stats = TheProbe().StatsOf("v1");
  EXPECT_LT(stats->success_rate(Clock::now()), 0.95);
  EXPECT_EQ(stats->latency(Clock::now()), std::nullopt);
}

TEST_F(BalancingTest, WhoRunsIntoADeadlineHasWaitedThatLong) {
  BackendOptions options = Options("v1");
  options.before_answer = [](grpc::ServerContextBase& context) {
    while (!context.IsCancelled()) std::this_thread::sleep_for(milliseconds(1));
    return grpc::Status::OK;
  };
  Backend backend(options);
  const auto channel = Channel(Turnout(R"("picker":[{"probe":{}}])"));
  ASSERT_TRUE(channel->WaitForConnected(std::chrono::system_clock::now() + kPatience));
  EXPECT_EQ(Call(channel, {.timeout = milliseconds(100)}).status.error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  TheProbe().WaitForOutcome();
  EXPECT_GT(TheProbe().StatsOf("v1")->latency(Clock::now()).value_or(milliseconds(0)),
            milliseconds(50));
}

// Talks over a stream, and keeps it open for a while after the first answer.
class OpenStream {
 public:
  explicit OpenStream(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(turnout::test::Streams::NewStub(channel)), stream_(stub_->Chat(&context_)) {
    proto::Request request;
    proto::Response response;
    stream_->Write(request);
    answered_ = stream_->Read(&response);
  }
  bool answered() const { return answered_; }
  grpc::Status Close() {
    stream_->WritesDone();
    return stream_->Finish();
  }

 private:
  grpc::ClientContext context_;
  const std::unique_ptr<turnout::test::Streams::Stub> stub_;
  const std::unique_ptr<grpc::ClientReaderWriter<proto::Request, proto::Response>> stream_;
  bool answered_ = false;
};

TEST_F(BalancingTest, AStreamsLatencyIsTheTimeToItsFirstAnswer) {
  const auto backend = Start("v1");
  OpenStream stream(Channel(Turnout(R"("picker":[{"probe":{}}])")));
  ASSERT_TRUE(stream.answered());
  const auto stats = TheProbe().StatsOf("v1");
  EXPECT_TRUE(stats->latency(Clock::now()).has_value()) << "known while the stream is open";
  EXPECT_EQ(stats->in_flight(), 1);
  std::this_thread::sleep_for(milliseconds(50));  // its lifetime
  ASSERT_TRUE(stream.Close().ok());
  const auto outcome = TheProbe().WaitForOutcome();
  EXPECT_GE(outcome.duration, milliseconds(50));
  ASSERT_TRUE(outcome.latency.has_value());
  EXPECT_LT(*outcome.latency, outcome.duration - milliseconds(40));
  EXPECT_EQ(stats->latency(Clock::now()).value() > milliseconds(50), false);
}

TEST_F(BalancingTest, AStreamsLatencyMayCountForNothing) {
  const auto backend = Start("v1");
  const auto channel = Channel(Turnout(R"("streamLatency":"none","picker":[{"probe":{}}])"));
  OpenStream stream(channel);
  ASSERT_TRUE(stream.answered());
  ASSERT_TRUE(stream.Close().ok());
  EXPECT_EQ(TheProbe().WaitForOutcome().latency, std::nullopt);
  EXPECT_EQ(TheProbe().StatsOf("v1")->latency(Clock::now()), std::nullopt);
  ASSERT_TRUE(Call(channel).status.ok());
  EXPECT_TRUE(TheProbe().WaitForOutcome().latency.has_value()) << "other calls' does";
}

TEST_F(BalancingTest, StatisticsOutliveChannelsAndRecords) {
  const auto backend = Start("v1");
  const std::string probe = Turnout(R"("picker":[{"probe":{}}])");
  auto channel = Channel(probe);
  ASSERT_TRUE(Call(channel).status.ok());
  const auto stats = TheProbe().StatsOf("v1");
  channel.reset();
  channel = Channel(probe);
  ASSERT_TRUE(Call(channel).status.ok());
  EXPECT_EQ(TheProbe().StatsOf("v1"), stats) << "another channel";

  Admin().Delete(backend->registrar().key());  // it puts itself back
  ASSERT_TRUE(CallUntil(channel, {}, [&](const Answer& answer) {
    return answer.status.ok() && Admin().Get(backend->registrar().key()).has_value();
  }));
  EXPECT_TRUE(CallUntilAnswered(channel, {}, backend->answer(), 5));
  EXPECT_EQ(TheProbe().StatsOf("v1"), stats) << "another snapshot";
  EXPECT_GE(stats->finished(), 3U);
}

TEST_F(BalancingTest, WhatAServerReportsReachesStatisticsAndCallback) {
  LoadReporter reporter;
  reporter.SetUtilization(0.75);
  BackendOptions options = Options("v1");
  options.before_answer = [&](grpc::ServerContextBase& context) {
    LoadReporter::Call call(reporter, context);
    return grpc::Status::OK;
  };
  Backend backend(options);
  const auto channel = Channel(Turnout(R"("picker":[{"probe":{}}])"));
  ASSERT_TRUE(Call(channel).status.ok());
  const auto outcome = TheProbe().WaitForOutcome();
  ASSERT_TRUE(outcome.load.has_value());
  EXPECT_TRUE(outcome.load->cpu_utilization.has_value());
  EXPECT_GT(outcome.load->qps(), 0);
  EXPECT_EQ(outcome.load->eps(), 0);
  EXPECT_EQ(outcome.load->main_utilization(), 0.75);
  const auto stats = TheProbe().StatsOf("v1");
  EXPECT_EQ(stats->utilization(Clock::now())->value, 0.75F);
  EXPECT_GT(stats->qps(Clock::now())->value, 0);
}

TEST_F(BalancingTest, PickersAreBuiltAnewAsOftenAsTheyAskFor) {
  const auto backend = Start("v1");
  const auto channel = Channel(Turnout(R"("picker":[{"probe":{"rebuild":"0.1s"}}])"));
  ASSERT_TRUE(Call(channel).status.ok());
  Probe& probe = TheProbe();
  std::unique_lock lock(probe.mutex);
  const int before = probe.builds;
  EXPECT_TRUE(probe.changed.wait_for(lock, kPatience, [&] { return probe.builds >= before + 3; }));
}

// How many connections the server on `port` has, as the system sees it.
int ConnectionsTo(int port) {
  std::ostringstream wanted;
  wanted << ':' << std::uppercase << std::hex << std::setw(4) << std::setfill('0') << port;
  int count = 0;
  for (const char* const file : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
    std::ifstream table(file);
    std::string line;
    while (std::getline(table, line)) {
      std::istringstream fields(line);
      std::string number, local, remote, state;
      fields >> number >> local >> remote >> state;
      constexpr std::string_view kEstablished = "01";
      if (state == kEstablished && local.ends_with(wanted.str())) ++count;
    }
  }
  return count;
}

int ConnectionsTo(const std::vector<std::unique_ptr<Backend>>& backends) {
  int count = 0;
  for (const auto& backend : backends) count += ConnectionsTo(backend->port());
  return count;
}

TEST_F(BalancingTest, LazyChannelsConnectOnlyToWhatCallsAskFor) {
  std::vector<std::unique_ptr<Backend>> first, second;
  for (int i = 0; i < 3; ++i) {
    first.push_back(Start("v1"));
    second.push_back(Start("v2"));
  }
  const auto channel = Channel(Turnout(R"("lazyConnections":true)"));
  EXPECT_EQ(Call(channel, {.version = "v9"}).status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ConnectionsTo(first) + ConnectionsTo(second), 0) << "nobody has asked";

  EXPECT_EQ(Call(channel, {.version = "v1"}).output.substr(0, 3), "v1 ")
      << "the first call waits for a connection";
  for (const auto& backend : first) {
    EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v1"}, backend->answer()))
        << "all of the subset are connected";
  }
  EXPECT_EQ(ConnectionsTo(first), 3);
  EXPECT_EQ(ConnectionsTo(second), 0);

  // One that joins a subset that is in use is connected, too; one that joins another is not.
  first.push_back(Start("v1"));
  second.push_back(Start("v2"));
  EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v1"}, first.back()->answer()));
  EXPECT_EQ(ConnectionsTo(first), 4);
  EXPECT_EQ(ConnectionsTo(second), 0);

  EXPECT_TRUE(Call(channel, {.version = "v2"}).status.ok());
}

TEST_F(BalancingTest, EagerChannelsConnectToAll) {
  std::vector<std::unique_ptr<Backend>> backends;
  for (const char* const version : {"v1", "v2"}) backends.push_back(Start(version));
  const auto channel = Channel();
  EXPECT_TRUE(Call(channel, {.version = "v1"}).status.ok());
  EXPECT_TRUE(Call(channel, {.version = "v2"}).status.ok());
  EXPECT_EQ(ConnectionsTo(backends), 2);
}

TEST_F(BalancingTest, ASubsetIsAllThatIsConnected) {
  std::vector<std::unique_ptr<Backend>> backends;
  for (int i = 0; i < 6; ++i) backends.push_back(Start("v1"));
  const auto channel =
      Channel(Turnout(R"("picker":[{"subset":{"subsetSize":2,"child":[{"round_robin":{}}]}}])"));
  ASSERT_TRUE(CallUntil(channel, {}, [&](const Answer& answer) {
    return answer.status.ok() && ConnectionsTo(backends) == 2;
  }));
  const Tally tally = CallMany(channel, 20);
  EXPECT_TRUE(tally.all_ok()) << tally;
  EXPECT_EQ(tally.by_output.size(), 2U);
  EXPECT_EQ(ConnectionsTo(backends), 2);

  // When one of the two goes, another takes its place.
  std::erase_if(backends, [&](const auto& backend) {
    return backend->answer() == tally.by_output.begin()->first;
  });
  ASSERT_EQ(backends.size(), 5U);
  EXPECT_TRUE(CallUntil(channel, {}, [&](const Answer& answer) {
    return answer.status.ok() && answer.output != tally.by_output.rbegin()->first;
  }));
  EXPECT_EQ(ConnectionsTo(backends), 2);
}

TEST_F(BalancingTest, SharesFollowWhatServersReport) {
  std::vector<std::unique_ptr<LoadReporter>> reporters;
  std::vector<std::unique_ptr<Backend>> backends;
  for (const double utilization : {0.1, 0.9}) {
    reporters.push_back(std::make_unique<LoadReporter>());
    LoadReporter& reporter = *reporters.back();
    reporter.SetUtilization(utilization);
    BackendOptions options = Options("v1");
    options.before_answer = [&reporter](grpc::ServerContextBase& context) {
      LoadReporter::Call call(reporter, context);
      return grpc::Status::OK;
    };
    backends.push_back(std::make_unique<Backend>(options));
  }
  const auto channel = Channel(Turnout(
      R"("picker":[{"weighted_round_robin":{"weights":"reported","blackoutPeriod":"0s",
          "weightUpdatePeriod":"0.1s"}}])"));
  // Both get the same at first, and so report the same rate of calls; then the one that is less
  // utilized gets more.
  const auto deadline = Clock::now() + kPatience;
  int idle_share = 0;
  while (idle_share < 80 && Clock::now() < deadline) {
    const Tally tally = CallMany(channel, 100);
    ASSERT_TRUE(tally.all_ok()) << tally;
    const auto found = tally.by_output.find(backends[0]->answer());
    idle_share = found == tally.by_output.end() ? 0 : found->second;
  }
  EXPECT_GE(idle_share, 80) << "of 100 calls";
}

TEST_F(BalancingTest, PanicUsesUnhealthyServersAndNothingElseDoes) {
  std::vector<std::unique_ptr<Backend>> backends;
  for (int i = 0; i < 3; ++i) backends.push_back(Start("v1"));
  const auto plain = Channel(Turnout(R"("picker":[{"round_robin":{}}])"));
  const auto panicking = Channel(Turnout(R"("picker":[{"panic":{"child":[{"round_robin":{}}]}}])"));
  for (const auto& backend : backends) {
    for (const auto& channel : {plain, panicking}) {
      ASSERT_TRUE(CallUntilAnswered(channel, {}, backend->answer()));
    }
  }
  const auto set_healthy = [&](int backend, bool healthy) {
    backends[static_cast<std::size_t>(backend)]->server().GetHealthCheckService()->SetServingStatus(
        healthy);
  };
  set_healthy(0, false);
  EXPECT_TRUE(CallUntil(plain, {}, [&](const Answer&) {
    return !CallMany(plain, 10).by_output.contains(backends[0]->answer());
  }));
  EXPECT_TRUE(CallUntil(panicking, {}, [&](const Answer&) {
    return !CallMany(panicking, 10).by_output.contains(backends[0]->answer());
  })) << "two of three are healthy: no reason to panic";

  set_healthy(1, false);
  EXPECT_TRUE(CallUntil(panicking, {}, [&](const Answer&) {
    const Tally tally = CallMany(panicking, 9);
    return tally.all_ok() && tally.by_output.size() == 3;
  })) << "one of three is healthy: all are called";
  EXPECT_TRUE(CallUntil(plain, {}, [&](const Answer&) {
    return CallMany(plain, 10).by_output == std::map<std::string, int>{{backends[2]->answer(), 10}};
  }));

  set_healthy(0, true);
  EXPECT_TRUE(CallUntil(panicking, {}, [&](const Answer&) {
    return !CallMany(panicking, 10).by_output.contains(backends[1]->answer());
  })) << "two are healthy again";
}

}  // namespace
}  // namespace turnout::testing
