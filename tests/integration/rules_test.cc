// Traffic rules in etcd, as calls feel them: where they go, and when that changes.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "tests/integration/rules_fixture.h"
#include "tests/support/checked_load.h"
#include "tests/support/etcd_server.h"
#include "tests/support/reports.h"
#include "tests/support/server_process.h"
#include "tests/support/temporary_folder.h"
#include "turnout/observer.h"
#include "turnout/service_config.h"

namespace turnout::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class RulesTest : public RulesTestBase {};

// --- who calls whom ------------------------------------------------------------------------------

// The reference's reason to exist, with the processes that everybody can run.
TEST_F(RulesTest, AppV2MayOnlyCallUserV3) {
  const auto servers = StartAll({{.etcd = Etcd(), .service = Service(), .version = "v2"},
                                 {.etcd = Etcd(), .service = Service(), .version = "v3"}});
  PutRules(Example("caller-constraint.json"));
  const auto run = [&](const std::string& caller, const std::string& version) {
    std::vector<std::string> command = {Program("app_client"),
                                        "--etcd",
                                        Etcd(),
                                        "--service",
                                        Service(),
                                        "--caller",
                                        caller,
                                        "--calls",
                                        "40",
                                        "--threads",
                                        "4",
                                        "--json"};
    if (!version.empty()) command.insert(command.end(), {"--version", version});
    Process client(command);
    return client.ReadAll();
  };
  EXPECT_THAT(run("hwholiday.srv.app@v2", ""),
              AllOf(HasSubstr(servers[1]->answer()), Not(HasSubstr(servers[0]->answer())),
                    HasSubstr("\"ok\":40")));
  // What the call asks for counts within what the rules leave.
  EXPECT_THAT(run("hwholiday.srv.app@v2", "v2"),
              AllOf(HasSubstr("no match found conn: asked for version v2"),
                    HasSubstr("rule \\\"app-v2-calls-user-v3\\\" leaves version v3"),
                    HasSubstr("\"ok\":0")));
  EXPECT_THAT(run("hwholiday.srv.app@v1", "v2"),
              AllOf(HasSubstr(servers[0]->answer()), HasSubstr("\"ok\":40")));
  EXPECT_THAT(run("hwholiday.srv.app@v1", ""),
              AllOf(HasSubstr(servers[0]->answer()), HasSubstr(servers[1]->answer())));
}

TEST_F(RulesTest, TheCallerMayChangeAtAnyTime) {
  const auto v2 = Start("v2"), v3 = Start("v3");
  PutRules(Example("caller-constraint.json"));
  SetCaller({.service = "hwholiday.srv.app", .version = "v2"});
  const auto channel = Channel();
  EXPECT_THAT(CallManyWith(channel, 50).by_output, ElementsAre(Pair(v3->answer(), 50)));
  SetCaller({.service = "hwholiday.srv.app", .version = "v1"});
  EXPECT_TRUE(CallUntilAnswered(channel, {}, v2->answer()));
  SetCaller({.service = "hwholiday.srv.app", .version = "v2"});
  EXPECT_TRUE(CallUntilAnswered(channel, {}, v3->answer(), 50));
}

TEST_F(RulesTest, NobodyIsConnectedToWhomNoRuleLeads) {
  const auto v2 = Start("v2"), v3 = Start("v3"), another = Start("v3");
  PutRules(To("v3"));
  const auto before = GetCounters().subchannels_created;
  const auto channel = Channel();
  EXPECT_TRUE(CallUntilAnswered(channel, {}, v3->answer()));
  EXPECT_TRUE(CallUntilAnswered(channel, {}, another->answer()));
  EXPECT_EQ(GetCounters().subchannels_created - before, 2U);
}

// --- changes -------------------------------------------------------------------------------------

TEST_F(RulesTest, AChangeIsObeyedWithoutARestart) {
  const auto v1 = Start("v1"), v2 = Start("v2");
  const auto channel = Channel();
  EXPECT_TRUE(CallUntilAnswered(channel, {}, v1->answer()));
  EXPECT_TRUE(CallUntilAnswered(channel, {}, v2->answer()));
  PutRules(To("v1"));
  EXPECT_TRUE(CallUntilAnswered(channel, {}, v1->answer(), 50));
  PutRules(To("v2"));
  EXPECT_TRUE(CallUntilAnswered(channel, {}, v2->answer(), 50));
  Admin().Delete(RulesKey());
  EXPECT_TRUE(CallUntilAnswered(channel, {}, v1->answer()));
  EXPECT_TRUE(CallUntilAnswered(channel, {}, v2->answer()));
}

// A single caller sees each document as whole, and never the one before again.
TEST_F(RulesTest, NoCallGoesByTwoDocuments) {
  const auto v1 = Start("v1"), v2 = Start("v2");
  const auto document = [](const std::string& version) {
    const std::string route = R"("route":{"destinations":[{"version":")" + version + R"("}]})";
    return R"({"rules":[{"name":"a","match":{"metadata":[{"key":"k","exact":"a"}]},)" + route +
           R"(}],"default":{)" + route + "}}";
  };
  PutRules(document("v1"));
  const auto channel = Channel();
  ASSERT_TRUE(CallUntilAnswered(channel, {}, v1->answer()));
  std::string now = "v1";
  for (int round = 0; round < 30; ++round) {
    const std::string next = now == "v1" ? "v2" : "v1";
    std::thread operators([&] { Admin().Put(RulesKey(), document(next)); });
    int followed = 0;
    for (int i = 0; i < 10'000 && followed < 20; ++i) {
      RuledCall call;
      if (i % 2 == 0) call.metadata = {{"k", "a"}};
      const std::string version = VersionOf(CallWith(channel, call));
      if (version == next) {
        ++followed;
      } else {
        ASSERT_EQ(version, now);
        ASSERT_EQ(followed, 0) << "back to the document before, in round " << round;
      }
    }
    operators.join();
    ASSERT_EQ(followed, 20);
    now = next;
  }
}

TEST_F(RulesTest, ADocumentThatIsWrongLeavesTheLastOneInForce) {
  const auto v1 = Start("v1"), v2 = Start("v2");
  PutRules(To("v2"));
  const auto channel = Channel();
  ASSERT_TRUE(CallUntilAnswered(channel, {}, v2->answer(), 20));
  Reports reports;
  Admin().Put(RulesKey(), R"({"rules":[{"name":"x","rout":{}}]})");
  EXPECT_THAT(reports.WaitForRejection(RulesKey()),
              AllOf(HasSubstr("rules[0].route: missing"), HasSubstr("rules[0].rout: unknown field"),
                    HasSubstr("did you mean route?")));
  EXPECT_TRUE(reports.WaitForLog(RulesKey()));
  EXPECT_THAT(CallManyWith(channel, 100).by_output, ElementsAre(Pair(v2->answer(), 100)));
  EXPECT_EQ(reports.CountLogs(RulesKey(), "warning"), 1);
  EXPECT_EQ(reports.CountRejections(RulesKey()), 1);
  PutRules(To("v1"));
  EXPECT_TRUE(CallUntilAnswered(channel, {}, v1->answer(), 50));
}

TEST_F(RulesTest, ACanaryGrowsUnderLoadAndNoCallFails) {
  const auto v1 = Start("v1"), v2 = Start("v2");
  const auto weights = [](int of_v1, int of_v2) {
    return Default(R"({"route":{"destinations":[{"weight":)" + std::to_string(of_v1) +
                   R"(,"version":"v1"},{"weight":)" + std::to_string(of_v2) +
                   R"(,"version":"v2"}]}})");
  };
  PutRules(Example("canary-by-weight.json"));
  const auto channel = Channel();
  ASSERT_TRUE(CallUntilAnswered(channel, {}, v2->answer()));
  CheckedLoad load(channel, {});
  load.AwaitAnswers(200);
  for (const auto& [of_v1, of_v2] : {std::pair(50, 50), std::pair(0, 100)}) {
    PutRules(weights(of_v1, of_v2));
    load.AwaitAnswers(500);
  }
  ASSERT_TRUE(CallUntilAnswered(channel, {}, v2->answer(), 20));
  const CallLog log = load.Stop();
  EXPECT_EQ(log.failed.size(), 0U) << log;
  EXPECT_GT(log.by_address.at(v1->address()), 0);
}

TEST_F(RulesTest, ACanaryGetsItsShare) {
  const auto v1 = Start("v1"), v2 = Start("v2"), another = Start("v2");
  PutRules(Example("canary-by-weight.json"));
  const auto channel = Channel();
  ASSERT_TRUE(CallUntilAnswered(channel, {}, v2->answer()));
  ASSERT_TRUE(CallUntilAnswered(channel, {}, another->answer()));
  constexpr int kCalls = 10'000;
  const Tally tally = CallManyWith(channel, kCalls);
  // 5% give or take 0.22% (one standard deviation).
  const int of_v1 = tally.by_output.at(v1->answer());
  EXPECT_NEAR(of_v1, 0.95 * kCalls, 0.01 * kCalls) << tally;
  EXPECT_EQ(tally.ok, kCalls);
}

TEST_F(RulesTest, UsersStayOnTheirSideUnlessItChanges) {
  const auto v1 = Start("v1"), v2 = Start("v2");
  const auto document = [](int percent) {
    return R"({"rules":[{"name":"canary","match":{"percentage":{"key":"user-id","percent":)" +
           std::to_string(percent) +
           R"(}},"route":{"destinations":[{"version":"v2"}]}}],)"
           R"("default":{"route":{"destinations":[{"version":"v1"}]}}})";
  };
  const auto channel = Channel();
  std::map<std::string, std::string> side;
  int moved = 0;
  for (const int percent : {10, 50, 100}) {
    PutRules(document(percent));
    ASSERT_TRUE(CallUntilAnswered(channel, {}, v1->answer()));
    int in = 0;
    for (int user = 0; user < 400; ++user) {
      const std::string id = "u-" + std::to_string(user);
      const std::string first = VersionOf(CallWith(channel, {.metadata = {{"user-id", id}}}));
      ASSERT_EQ(VersionOf(CallWith(channel, {.metadata = {{"user-id", id}}})), first) << id;
      in += first == "v2" ? 1 : 0;
      const auto before = side.find(id);
      if (before != side.end() && before->second != first) {
        EXPECT_EQ(first, "v2") << id << " left the canary as it grew to " << percent << "%";
        ++moved;
      }
      side[id] = first;
    }
    EXPECT_NEAR(in, 4 * percent, 30) << "at " << percent << "%";
  }
  EXPECT_GT(moved, 300);
}

// --- what else decides ---------------------------------------------------------------------------

TEST_F(RulesTest, ADrainingInstanceStillBelongsToItsDestination) {
  const auto v1 = Start("v1"), v2 = Start("v2");
  PutRules(Default(R"({"route":{"destinations":[{"version":"v2"}],"fallback":"any"}})"));
  const auto channel = Channel();
  ASSERT_TRUE(CallUntilAnswered(channel, {}, v2->answer(), 20));
  Admin().Put("/turnout/state/" + Service() + "/" + v2->registrar().id(), "draining");
  Follower follower(Etcd(), Service());
  follower.WaitFor([&](const Snapshot& snapshot) {
    const Member* member = FindMember(snapshot, v2->registrar().id());
    return member != nullptr && member->status == InstanceStatus::kDraining;
  });
  EXPECT_THAT(CallManyWith(channel, 100).by_output, ElementsAre(Pair(v2->answer(), 100)));
  v2->Drain();
  EXPECT_TRUE(CallUntilAnswered(channel, {}, v1->answer(), 20)) << "the fallback";
}

TEST_F(RulesTest, ALapsedInstanceIsUsedBeforeTheFallback) {
  const auto v1 = Start("v1");
  BackendOptions unregistered;
  unregistered.registration.version = "v2";
  const Backend v2(unregistered);
  const GoRecord record{Service(), "two", "v2", v2.address()};
  Admin().Put(record.key(), record.value());
  PutRules(Default(R"({"route":{"destinations":[{"version":"v2"}],"fallback":"any"}})"));
  const auto channel = Channel();
  ASSERT_TRUE(CallUntilAnswered(channel, {}, v2.answer(), 20));
  Admin().Delete(record.key());
  Follower follower(Etcd(), Service());
  follower.WaitFor([](const Snapshot& snapshot) {
    const Member* member = FindMember(snapshot, "two");
    return member != nullptr && member->status == InstanceStatus::kLapsed;
  });
  EXPECT_THAT(CallManyWith(channel, 100).by_output, ElementsAre(Pair(v2.answer(), 100)));
}

TEST_F(RulesTest, TestersChooseByAHeaderAndVersionsByARange) {
  const auto old = Start("1.9.3"), candidate = Start("2.0.0-rc.2");
  PutRules(Example("testers.json"));
  const auto channel = Channel();
  const RuledCall tester{.metadata = {{"x-tester", "alice@example.com"}}};
  EXPECT_THAT(CallManyWith(channel, 50, tester).by_output,
              ElementsAre(Pair(candidate->answer(), 50)));
  EXPECT_THAT(
      CallManyWith(channel, 50, {.metadata = {{"x-tester", "mallory@example.com"}}}).by_output,
      ElementsAre(Pair(old->answer(), 50)));
  EXPECT_THAT(CallManyWith(channel, 50).by_output, ElementsAre(Pair(old->answer(), 50)));
}

TEST_F(RulesTest, BlueGreenIsASwitch) {
  BackendOptions options = Options("v1");
  options.registration.metadata["color"] = "blue";
  const Backend blue(options);
  options.registration.metadata["color"] = "green";
  const Backend green(options);
  const std::string to_green = Example("blue-green.json");
  std::string to_blue = to_green;
  to_blue.replace(to_blue.find("\"green\""), 7, "\"blue\"");
  PutRules(to_blue);
  const auto channel = Channel();
  CheckedLoad load(channel, {});
  load.AwaitAnswerFrom(blue.address());
  PutRules(to_green);
  load.AwaitAnswerFrom(green.address());
  EXPECT_TRUE(CallUntilAnswered(channel, {}, green.answer(), 50));
  PutRules(to_blue);
  load.AwaitAnswerFrom(blue.address());
  EXPECT_TRUE(CallUntilAnswered(channel, {}, blue.answer(), 50));
  const CallLog log = load.Stop();
  EXPECT_EQ(log.failed.size(), 0U) << log;
}

TEST_F(RulesTest, ACanaryOfUsersFallsBackWhileItHasNoInstance) {
  const auto v1 = Start("v1");
  PutRules(Example("canary-by-user.json"));
  const auto channel = Channel();
  const auto ask = [&channel](int user) {
    return CallWith(channel, {.metadata = {{"user-id", "u-" + std::to_string(user)}}}).ToString();
  };
  for (int user = 0; user < 100; ++user) ASSERT_EQ(ask(user), v1->answer());

  const auto v2 = Start("v2");
  int chosen = -1;
  ASSERT_TRUE(CallUntil(channel, {.version = "v2"}, [&](const Answer&) {
    chosen = (chosen + 1) % 100;
    return ask(chosen) == v2->answer();
  }));
  int of_v2 = 0;
  for (int user = 0; user < 1000; ++user) of_v2 += ask(user) == v2->answer() ? 1 : 0;
  EXPECT_NEAR(of_v2, 100, 40);
  EXPECT_EQ(ask(chosen), v2->answer());
}

TEST_F(RulesTest, HoldUnderOutlierDetectionToo) {
  const auto v1 = Start("v1"), v2 = Start("v2");
  PutRules(To("v2"));
  const auto channel = Channel(WithOutlierDetection("{}"));
  EXPECT_THAT(CallManyWith(channel, 50).by_output, ElementsAre(Pair(v2->answer(), 50)));
  PutRules(To("v1"));
  EXPECT_TRUE(CallUntilAnswered(channel, {}, v1->answer(), 50));
}

TEST_F(RulesTest, APolicyOfGrpcsObeysNoDestinationsAndThatIsSaid) {
  const auto v1 = Start("v1"), v2 = Start("v2");
  PutRules(To("v2"));
  Reports reports;
  const auto channel = Channel(R"({"loadBalancingConfig":[{"round_robin":{}}]})");
  EXPECT_TRUE(CallUntilAnswered(channel, {}, v1->answer()));
  EXPECT_TRUE(reports.WaitForLog("it obeys denials, time-outs and retries, but no destinations"));
  PutRules(Default(R"({"deny":{}})"));
  EXPECT_TRUE(CallUntil(channel, {}, [](const Answer& answer) {
    return answer.status.error_code() == grpc::StatusCode::PERMISSION_DENIED;
  }));
}

// A client that starts while etcd is away goes by the rules that it knew.
TEST_F(RulesTest, ComeFromTheCacheWithTheInstances) {
  auto etcd = std::make_unique<EtcdServer>();
  const std::string endpoint = etcd->endpoint();
  const TemporaryFolder cache;
  const auto v1 = StartBackend(endpoint, Service(), "v1");
  const auto v2 = StartBackend(endpoint, Service(), "v2");
  EtcdAdmin admin(endpoint);
  const std::int64_t revision = admin.Put(RulesKey(), To("v2"));
  const RegistryOptions options{.endpoints = {endpoint}, .cache_dir = cache.path()};
  Follower(options, Service()).WaitFor([&](const Snapshot& snapshot) {
    return snapshot.rules_revision == revision && snapshot.members.size() == 2;
  });
  const auto run_client = [&] {
    Process client({"/usr/bin/env", "TURNOUT_CACHE_DIR=" + cache.path(), Program("app_client"),
                    "--etcd", endpoint, "--service", Service(), "--calls", "30", "--json"});
    return client.ReadAll();
  };
  EXPECT_THAT(run_client(), HasSubstr("\"ok\":30"));
  etcd.reset();
  EXPECT_THAT(run_client(),
              AllOf(HasSubstr("\"ok\":30"), HasSubstr(v2->answer()), Not(HasSubstr(v1->answer()))));
}

}  // namespace
}  // namespace turnout::testing
