// What traffic rules do to single calls: end them, time them out, have them retried; and that the
// decision about a call holds for all its attempts.
#include <gmock/gmock.h>

#include <atomic>

#include "tests/integration/rules_fixture.h"
#include "tests/support/reports.h"
#include "tests/support/temporary_folder.h"
#include "turnout/observer.h"

namespace turnout::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kRetries[] = R"({"methodConfig":[{"name":[{}],"retryPolicy":{
    "maxAttempts":4,"initialBackoff":"0.01s","maxBackoff":"0.02s","backoffMultiplier":1,
    "retryableStatusCodes":["UNAVAILABLE"]}}]})";

class RulesCallsTest : public RulesTestBase {
 protected:
  std::unique_ptr<Backend> StartFailing(const std::string& version) const {
    BackendOptions options = Options(version);
    options.before_answer = [](grpc::ServerContextBase&) {
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "broken");
    };
    return std::make_unique<Backend>(std::move(options));
  }
  // Answers after so long.
  std::unique_ptr<Backend> StartSlow(const std::string& version, milliseconds time) const {
    BackendOptions options = Options(version);
    options.before_answer = [time](grpc::ServerContextBase&) {
      std::this_thread::sleep_for(time);
      return grpc::Status::OK;
    };
    return std::make_unique<Backend>(std::move(options));
  }
};

TEST_F(RulesCallsTest, ADenialEndsACallAtOnceWhateverItsSettings) {
  const auto v1 = Start("v1");
  PutRules(Example("deny.json"));
  SetCaller({.service = "hwholiday.srv.billing", .version = "1.9"});
  const auto channel = Channel(kRetries);
  const std::uint64_t denied = GetCounters().calls_denied;
  for (const bool wait_for_ready : {false, true}) {
    const Answer answer =
        CallWith(channel, {.timeout = milliseconds(20000), .wait_for_ready = wait_for_ready});
    EXPECT_EQ(answer.ToString(), "PERMISSION_DENIED: only billing v2 may do this");
  }
  EXPECT_EQ(GetCounters().calls_denied, denied + 2) << "not retried";
  EXPECT_EQ(v1->calls(), 0);
  SetCaller({.service = "hwholiday.srv.billing", .version = "2.0"});
  EXPECT_TRUE(CallUntilAnswered(channel, {}, v1->answer(), 20));
}

TEST_F(RulesCallsTest, EachStatusOfADenialArrivesAsItIs) {
  const auto v1 = Start("v1");
  const auto channel = Channel();
  for (const std::string status :
       {"UNAVAILABLE", "UNAUTHENTICATED", "RESOURCE_EXHAUSTED", "UNIMPLEMENTED", "CANCELLED",
        "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN"}) {
    PutRules(Default(R"({"deny":{"status":")" + status + R"("}})"));
    EXPECT_TRUE(CallUntil(channel, {}, [&](const Answer& answer) {
      return answer.ToString() == status + ": denied by rule \"default\"";
    })) << status;
  }
}

// The draw is the call's: a retry that drew again would find its way to v2.
TEST_F(RulesCallsTest, ARetryKeepsTheDestination) {
  const auto first = StartFailing("v1"), second = StartFailing("v1");
  const auto v2 = Start("v2");
  PutRules(Default(
      R"({"route":{"destinations":[{"weight":50,"version":"v1"},{"weight":50,"version":"v2"}]}})"));
  const auto channel = Channel(kRetries);
  ASSERT_TRUE(CallUntilAnswered(channel, {}, v2->answer()));
  const int attempts_before = first->calls() + second->calls();
  const int v2_before = v2->calls();
  const Tally tally = CallManyWith(channel, 200);
  const int failed = tally.calls - tally.ok;
  EXPECT_GT(failed, 50) << tally;
  EXPECT_EQ(first->calls() + second->calls() - attempts_before, 4 * failed);
  EXPECT_EQ(v2->calls() - v2_before, tally.ok);
  EXPECT_GT(first->calls(), 0) << "a retry prefers an instance that the call has not tried";
  EXPECT_GT(second->calls(), 0);
}

// Rules that change while a call is being retried are for the next call.
TEST_F(RulesCallsTest, ACallEndsByTheRulesWithWhichItBegan) {
  std::atomic<int> attempts{0};
  BackendOptions options = Options("v1");
  options.before_answer = [&](grpc::ServerContextBase&) {
    if (++attempts < 3) {
      PutRules(To("v2"));
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "broken");
    }
    return grpc::Status::OK;
  };
  PutRules(To("v1"));
  const Backend v1(std::move(options));
  const auto v2 = Start("v2");
  const auto channel = Channel(kRetries);
  EXPECT_EQ(CallWith(channel).ToString(), v1.answer());
  EXPECT_EQ(attempts, 3);
  EXPECT_TRUE(CallUntilAnswered(channel, {}, v2->answer(), 20));
}

TEST_F(RulesCallsTest, TheTimeOutOfARuleTakesThePlaceOfTheApplications) {
  const auto slow = StartSlow("v1", milliseconds(600));
  const auto channel = Channel(R"({"methodConfig":[{"name":[{}],"timeout":"5s"}]})");
  ASSERT_EQ(CallWith(channel).ToString(), slow->answer());
  const std::string route = R"("destinations":[{}])";
  PutRules(Default(R"({"route":{)" + route + R"(,"timeout":"0.1s"}})"));
  EXPECT_TRUE(CallUntil(channel, {}, [](const Answer& answer) {
    return answer.status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
  }));
  // A call's own deadline, if it is earlier, stays.
  const auto begin = std::chrono::steady_clock::now();
  PutRules(Default(R"({"route":{)" + route + R"(,"timeout":"30s"}})"));
  const Answer own = CallWith(channel, {.timeout = milliseconds(200)});
  EXPECT_EQ(own.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  EXPECT_EQ(CallWith(channel).ToString(), slow->answer());
}

TEST_F(RulesCallsTest, WhereARuleIsSilentTheApplicationsServiceConfigCounts) {
  const auto slow = StartSlow("v1", milliseconds(600));
  PutRules(Default(R"({"route":{"destinations":[{}],"retry":{"maxAttempts":2}}})"));
  const auto channel = Channel(R"({"methodConfig":[{"name":[{}],"timeout":"0.1s"}]})");
  EXPECT_EQ(CallWith(channel).status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  // For other methods it says something else.
  const auto other =
      Channel(R"({"methodConfig":[{"name":[{"service":"proto.Other"}],"timeout":"0.1s"}]})");
  EXPECT_EQ(CallWith(other).ToString(), slow->answer());
}

TEST_F(RulesCallsTest, ARuleMayHaveCallsRetriedAndMayForbidIt) {
  const auto broken = StartFailing("v1");
  PutRules(Default(
      R"({"route":{"destinations":[{}],"retry":{"maxAttempts":3,"initialBackoff":"0.01s"}}})"));
  const auto channel = Channel();
  EXPECT_FALSE(CallWith(channel).status.ok());
  EXPECT_EQ(broken->calls(), 3);

  PutRules(Default(R"({"route":{"destinations":[{}],"retry":{"maxAttempts":1}}})"));
  const auto retrying = Channel(kRetries);
  const int before = broken->calls();
  EXPECT_FALSE(CallWith(retrying).status.ok());
  EXPECT_EQ(broken->calls(), before + 1);
}

TEST_F(RulesCallsTest, NoMatchSaysWhoRuledItOut) {
  const auto v1 = Start("v1.0.0"), v2 = Start("v2.0.0"), v3 = Start("v3.0.0");
  const auto channel = Channel();
  PutRules(Default(R"({"route":{"destinations":[{"version":">=2"}]}})"));
  EXPECT_EQ(CallWith(channel, {.metadata = {{"version", "v2.0.0"}}}).ToString(), v2->answer());
  EXPECT_THAT(CallWith(channel, {.metadata = {{"version", "v1.0.0"}}}).ToString(),
              AllOf(HasSubstr("UNAVAILABLE: no match found conn: asked for version v1.0.0"),
                    HasSubstr("registered: v2.0.0 ×1, v3.0.0 ×1; rule \"default\" leaves version "
                              ">=2 of"),
                    HasSubstr("which has v1.0.0 ×1, v2.0.0 ×1, v3.0.0 ×1")));
  PutRules(Default(R"({"route":{"destinations":[{"version":"v9"}]}})"));
  EXPECT_THAT(CallWith(channel).ToString(),
              AllOf(HasSubstr("UNAVAILABLE: no match found conn: rule \"default\" asks for version "
                              "v9 of"),
                    HasSubstr("registered: v1.0.0 ×1, v2.0.0 ×1, v3.0.0 ×1")));
  PutRules(Default(R"({"route":{"destinations":[{"version":">=3"}],"callVersion":"ignore"}})"));
  EXPECT_TRUE(CallUntil(channel, {.version = "v1.0.0", .checked = false},
                        [&](const Answer& answer) { return answer.ToString() == v3->answer(); }));
}

// With rules and without, denied ones too; what `turnout rules check --calls` reads.
TEST_F(RulesCallsTest, CallsAreRecordedAsTheyAreDecided) {
  const auto v1 = Start("v1");
  SetCaller({.service = "hwholiday.srv.app", .version = "v2"});
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/calls.jsonl";
  const auto channel = Channel();
  ASSERT_TRUE(StartRecordingCalls({.path = path, .keys = {"user-id"}, .share = 1}).ok());
  const RuledCall call{.metadata = {{"user-id", "u-7"}, {"authorization", "secret"}}};
  EXPECT_EQ(CallWith(channel, call).ToString(), v1->answer());
  PutRules(Default(R"({"deny":{}})"));
  EXPECT_TRUE(CallUntil(channel, {}, [](const Answer& answer) { return !answer.status.ok(); }));
  StopRecordingCalls();
  CallWith(channel, call);

  std::ifstream file(path);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(all,
              HasSubstr(R"("caller":{"labels":{},"service":"hwholiday.srv.app","version":"v2"})"));
  EXPECT_THAT(all, HasSubstr(R"("metadata":{"user-id":"u-7"},"method":"/proto.Api/ApiTest")"));
  EXPECT_THAT(all, HasSubstr(R"("metadata":{},"method":"/proto.Api/ApiTest")")) << "the denied one";
  EXPECT_THAT(all, HasSubstr("\"service\":\"" + Service() + "\""));
  EXPECT_THAT(all, Not(HasSubstr("secret")));
  EXPECT_EQ(all.find("u-7"), all.rfind("u-7")) << "recorded after its end";
}

TEST_F(RulesCallsTest, ARuleMayChooseThePicker) {
  std::vector<std::unique_ptr<Backend>> backends;
  for (int i = 0; i < 4; ++i) backends.push_back(Start("v1"));
  PutRules(Default(R"({"route":{"destinations":[{"version":"v1"}],)"
                   R"("picker":[{"ring_hash":{"requestHashHeader":"user"}}]}})"));
  const auto channel = Channel();
  for (const auto& backend : backends) {  // all are connected
    for (int user = 0; user < 1000; ++user) {
      if (CallWith(channel, {.metadata = {{"user", std::to_string(user)}}}).ToString() ==
          backend->answer()) {
        break;
      }
    }
  }
  std::map<std::string, int> by_answer;
  for (int user = 0; user < 100; ++user) {
    const RuledCall call{.metadata = {{"user", std::to_string(user)}}};
    const Tally tally = CallManyWith(channel, 3, call);
    EXPECT_EQ(tally.by_output.size(), 1U) << tally;
    ++by_answer[tally.by_output.begin()->first];
  }
  EXPECT_GT(by_answer.size(), 1U);
}

}  // namespace
}  // namespace turnout::testing
