// gRPC's outlier detection as the parent of our policies: a server that answers errors is ejected,
// and comes back.
#include <gmock/gmock.h>
#include <grpcpp/server_context.h>

#include <atomic>
#include <mutex>
#include <set>

#include "tests/support/fixture.h"
#include "turnout/config_reader.h"
#include "turnout/picker.h"
#include "turnout/service_config.h"

namespace turnout::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::SizeIs;
using ::testing::StartsWith;

// Quick, and content with few servers and calls.
OutlierDetectionOptions Quick(milliseconds ejection_time) {
  return {.interval = milliseconds(100),
          .base_ejection_time = ejection_time,
          .max_ejection_time = ejection_time,
          .success_rate = std::nullopt,
          .failure_percentage = {{.threshold = 50, .minimum_hosts = 3, .request_volume = 5}}};
}

// So many that a server that is not ejected would have been called: 1 in 4 calls goes to it.
bool AnswersOnly(const std::shared_ptr<grpc::Channel>& channel) {
  int in_a_row = 0;
  return CallUntil(channel, {}, [&in_a_row](const Answer& answer) {
    in_a_row = answer.status.ok() ? in_a_row + 1 : 0;
    return in_a_row == 100;
  });
}

bool Fails(const std::shared_ptr<grpc::Channel>& channel) {
  return CallUntil(channel, {}, [](const Answer& answer) { return !answer.status.ok(); });
}

// What the policy below an outlier detection has last seen of each instance.
class States {
 public:
  void Set(const std::string& id, ConnectionState state) {
    const std::lock_guard lock(mutex_);
    states_[id] = state;
  }
  ConnectionState Get(const std::string& id) const {
    const std::lock_guard lock(mutex_);
    return states_.at(id);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, ConnectionState> states_;
};

// Shows what it is given, and leaves the choice to `child`.
class WitnessBuilder final : public PickerBuilder {
 public:
  explicit WitnessBuilder(States& states, std::shared_ptr<const PickerBuilder> child = nullptr)
      : states_(states), child_(std::move(child)) {}
  std::shared_ptr<const PickerBuilder> Configure(ConfigReader& config) const override {
    return std::make_shared<WitnessBuilder>(states_, config.Child("child", "random"));
  }
  std::unique_ptr<const Picker> Build(EndpointGroup group) const override {
    for (const Endpoint* const member : group.members()) {
      states_.Set(member->instance().id, member->state);
    }
    return child_->Build(std::move(group));
  }

 private:
  States& states_;
  const std::shared_ptr<const PickerBuilder> child_;
};

// A server in this process that answers errors for as long as it is told to.
struct Moody {
  std::atomic<bool> fails{false};
  std::mutex mutex;
  std::set<std::string> peers;  // one for each connection that calls came over

  grpc::Status Answer(grpc::ServerContextBase& context) {
    const std::lock_guard lock(mutex);
    peers.insert(context.peer());
    return fails ? grpc::Status(grpc::StatusCode::INTERNAL, "broken") : grpc::Status::OK;
  }
};

class OutliersTest : public IntegrationTest {
 protected:
  std::unique_ptr<Backend> StartMoody(Moody& moody) const {
    BackendOptions options = Options("v1");
    options.registration.id = "moody";
    options.before_answer = [&moody](grpc::ServerContextBase& context) {
      return moody.Answer(context);
    };
    return std::make_unique<Backend>(std::move(options));
  }

  std::vector<std::unique_ptr<Backend>> StartGood() const {
    std::vector<std::unique_ptr<Backend>> good;
    for (int i = 0; i < 3; ++i) good.push_back(Start("v1"));
    return good;
  }
};

TEST_F(OutliersTest, AProcessThatAnswersErrorsIsEjectedAndComesBack) {
  std::vector<std::unique_ptr<Process>> servers;
  for (const std::string fail_percent : {"0", "0", "0", "100"}) {
    servers.push_back(std::make_unique<Process>(
        std::vector<std::string>{Program("app_server"), "--etcd", Etcd(), "--service", Service(),
                                 "--version", "v1", "--quiet", "--fail-percent", fail_percent}));
    ASSERT_THAT(servers.back()->ReadLine().value_or("nothing"), StartsWith("registered "));
  }
  const auto channel = Channel(WithOutlierDetection("", Quick(milliseconds(500))));
  EXPECT_TRUE(Fails(channel));
  EXPECT_TRUE(AnswersOnly(channel)) << "it is not ejected";
  EXPECT_TRUE(Fails(channel)) << "it does not come back";
  EXPECT_TRUE(AnswersOnly(channel)) << "it is not ejected again";
}

TEST_F(OutliersTest, AnEjectedInstanceIsUnhealthyAndKeepsItsConnection) {
  static States& states = *new States;  // outlives the channels that gRPC ends later
  ASSERT_TRUE(
      RegisterPickerBuilder("outliers_witness", std::make_shared<WitnessBuilder>(states)).ok());
  const auto good = StartGood();
  Moody moody;
  const auto backend = StartMoody(moody);
  const auto channel = Channel(WithOutlierDetection(
      R"({"loadBalancingConfig":[{"turnout":{"picker":[{"outliers_witness":{}}]}}]})",
      Quick(milliseconds(500))));
  ASSERT_TRUE(CallUntilAnswered(channel, {}, backend->answer()));
  EXPECT_EQ(states.Get("moody"), ConnectionState::kReady);

  moody.fails = true;
  EXPECT_TRUE(AnswersOnly(channel));
  EXPECT_EQ(states.Get("moody"), ConnectionState::kUnhealthy);

  moody.fails = false;
  EXPECT_TRUE(CallUntilAnswered(channel, {}, backend->answer()));
  EXPECT_EQ(states.Get("moody"), ConnectionState::kReady);
  EXPECT_THAT(moody.peers, SizeIs(1));
}

// What is ejected when only some instances of the version can be: calls of the others' versions
// see nothing of it.
TEST_F(OutliersTest, TheLastOfAVersionFailsItsCallsWithTheReason) {
  const auto good = StartGood();
  Moody moody;
  moody.fails = true;
  BackendOptions options = Options("v2");
  options.before_answer = [&moody](grpc::ServerContextBase& context) {
    return moody.Answer(context);
  };
  const Backend backend(std::move(options));
  const auto channel = Channel(WithOutlierDetection("", Quick(std::chrono::minutes(10))));
  EXPECT_TRUE(CallUntil(channel, {.version = "v2"}, [&](const Answer& answer) {
    EXPECT_TRUE(CallMany(channel, 6, {.version = "v1"}).all_ok());
    return answer.status.error_message().find("ejected by outlier detection") != std::string::npos;
  }));
}

// Its connection outlives what its record says, and so must the judgement of it.
TEST_F(OutliersTest, AnInstanceThatNoLongerDrainsIsStillJudged) {
  const auto good = StartGood();
  Moody moody;
  const auto backend = StartMoody(moody);
  const auto channel = Channel(WithOutlierDetection("", Quick(std::chrono::minutes(10))));
  ASSERT_TRUE(CallUntilAnswered(channel, {}, backend->answer()));
  Follower follower(Etcd(), Service());
  const auto wait_for = [&follower](InstanceStatus status) {
    follower.WaitFor([status](const Snapshot& snapshot) {
      const Member* member = FindMember(snapshot, "moody");
      return member != nullptr && member->status == status;
    });
  };
  const std::string decision = "/turnout/state/" + Service() + "/moody";
  Admin().Put(decision, "draining");
  wait_for(InstanceStatus::kDraining);
  const int calls = backend->calls();
  EXPECT_TRUE(AnswersOnly(channel));
  Admin().Delete(decision);
  wait_for(InstanceStatus::kRegistered);
  ASSERT_TRUE(CallUntilAnswered(channel, {}, backend->answer()));
  EXPECT_GT(backend->calls(), calls);

  moody.fails = true;
  EXPECT_TRUE(AnswersOnly(channel)) << "it is no longer judged";
}

TEST_F(OutliersTest, GrpcsOwnPoliciesAreChildrenToo) {
  const auto good = StartGood();
  Moody moody;
  const auto backend = StartMoody(moody);
  const auto channel = Channel(WithOutlierDetection(
      R"({"loadBalancingConfig":[{"round_robin":{}}]})", Quick(std::chrono::minutes(10))));
  ASSERT_TRUE(CallUntilAnswered(channel, {}, backend->answer()));
  moody.fails = true;
  EXPECT_TRUE(AnswersOnly(channel));
}

}  // namespace
}  // namespace turnout::testing
