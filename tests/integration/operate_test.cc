// Operators' decisions: what servers, clients and the command make of them.
#include "turnout/operate.h"

#include <gmock/gmock.h>

#include <csignal>

#include "nlohmann/json.hpp"
#include "tests/support/fixture.h"

namespace turnout::testing {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class OperateTest : public IntegrationTest {
 protected:
  std::unique_ptr<Backend> StartAs(const std::string& id) {
    BackendOptions options = Options("v1");
    options.registration.id = id;
    return std::make_unique<Backend>(options);
  }

  OperateOptions Operating(seconds expiry = seconds(3600)) const {
    return {.registry = {.endpoints = {Etcd()}}, .expiry = expiry};
  }

  // Until 200 calls in a row have gone elsewhere.
  static bool IsLeftAlone(const Backend& backend, Load& load) {
    const auto deadline = steady_clock::now() + kPatience;
    while (steady_clock::now() < deadline) {
      const int before = backend.calls();
      load.WaitForCalls(200);
      if (backend.calls() == before) return true;
    }
    return false;
  }
  static bool IsCalled(const Backend& backend, Load& load) {
    const auto deadline = steady_clock::now() + kPatience;
    const int before = backend.calls();
    while (steady_clock::now() < deadline) {
      if (backend.calls() > before + 20) return true;
      load.WaitForCalls(50);
    }
    return false;
  }

  struct Outcome {
    int status = 0;
    std::string output;  // of stdout and stderr
  };
  static Outcome RunTurnout(const std::vector<std::string>& arguments) {
    std::vector<std::string> line = {"/bin/sh", "-c", "exec \"$0\" \"$@\" 2>&1",
                                     Program("turnout")};
    line.insert(line.end(), arguments.begin(), arguments.end());
    Process process(line);
    Outcome outcome;
    outcome.output = process.ReadAll();
    outcome.status = process.Wait().value_or(-1000);
    return outcome;
  }
};

TEST_F(OperateTest, WhoDrainsIsIdleAndNoCallFails) {
  const auto staying = Start("v1");
  const auto drained = StartAs("drained");
  Load load(Channel(), {.version = "v1"}, 4);
  ASSERT_TRUE(IsCalled(*drained, load));

  ASSERT_EQ(DrainInstance(Service(), "drained", Operating()), absl::OkStatus());
  EXPECT_TRUE(IsLeftAlone(*drained, load));
  EXPECT_TRUE(Admin().Get(Key("drained")).has_value());
  EXPECT_EQ(drained->registrar().state(), RegistrationState::kRegistered);

  ASSERT_EQ(RestoreInstance(Service(), "drained", Operating()), absl::OkStatus());
  EXPECT_TRUE(IsCalled(*drained, load));
  const Tally tally = load.Stop();
  EXPECT_TRUE(tally.all_ok()) << tally;
}

TEST_F(OperateTest, WhoDrainsIsCalledWhereThereIsNobodyElse) {
  const auto only = StartAs("only");
  const auto channel = Channel();
  EXPECT_EQ(Call(channel).ToString(), only->answer());
  ASSERT_EQ(DrainInstance(Service(), "only", Operating()), absl::OkStatus());
  Follower follower(Etcd(), Service());
  follower.WaitFor([](const Snapshot& snapshot) {
    return snapshot.members.size() == 1 && snapshot.members[0].status == InstanceStatus::kDraining;
  });
  EXPECT_EQ(Call(channel).ToString(), only->answer());
}

TEST_F(OperateTest, WhoIsRemovedIsNotCalledThoughItsConnectionsLive) {
  const auto staying = Start("v1");
  const auto removed = StartAs("removed");
  const auto channel = Channel();
  Load load(channel, {.version = "v1"}, 4);
  ASSERT_TRUE(IsCalled(*removed, load));

  ASSERT_EQ(RemoveInstance(Service(), "removed", Operating()), absl::OkStatus());
  EXPECT_TRUE(IsLeftAlone(*removed, load));
  EXPECT_FALSE(Admin().Get(Key("removed")).has_value());

  ASSERT_EQ(RestoreInstance(Service(), "removed", Operating()), absl::OkStatus());
  EXPECT_TRUE(IsCalled(*removed, load));
  const Tally tally = load.Stop();
  EXPECT_TRUE(tally.all_ok()) << tally;
}

// Not even as the last known good: an operator's word is no failure.
TEST_F(OperateTest, WhoIsRemovedIsNotCalledEvenIfThereIsNobodyElse) {
  const auto only = StartAs("only");
  const auto channel = Channel();
  EXPECT_EQ(Call(channel).ToString(), only->answer());
  ASSERT_EQ(RemoveInstance(Service(), "only", Operating()), absl::OkStatus());
  EXPECT_TRUE(CallUntil(channel, {}, [](const Answer& answer) {
    return answer.status.error_code() == grpc::StatusCode::UNAVAILABLE &&
           answer.status.error_message().find("no match found conn") != std::string::npos;
  }));
  const int before = only->calls();
  const Tally tally = CallMany(channel, 20);
  EXPECT_EQ(tally.ok, 0) << tally;
  EXPECT_EQ(only->calls(), before);
}

TEST_F(OperateTest, WhoIsRemovedStaysAwayHoweverOftenItsProcessComesBack) {
  const auto staying = Start("v1");
  const auto start = [&] {
    return std::make_unique<Process>(std::vector<std::string>{
        Program("app_server"), "--etcd", Etcd(), "--service", Service(), "--version", "v1",
        "--listen", "127.0.0.1:0", "--ttl", "2", "--id", "stubborn"});
  };
  auto process = start();
  Follower follower(Etcd(), Service());
  follower.WaitForCount(2);
  ASSERT_EQ(RemoveInstance(Service(), "stubborn", Operating()), absl::OkStatus());
  follower.WaitFor([](const Snapshot& snapshot) {
    return FindMember(snapshot, "stubborn") == nullptr && snapshot.members.size() == 1;
  });
  const std::size_t seen = follower.snapshots().size();

  for (int i = 0; i < 3; ++i) {
    process->Signal(i % 2 == 0 ? SIGKILL : SIGTERM);
    process->Wait();
    process = start();
    // It would say so.
    EXPECT_EQ(process->ReadLine(std::chrono::milliseconds(1000)), std::nullopt);
  }
  // What anyone wrote before this is heard of before it.
  const GoRecord last{Service(), "last", "v1", "127.0.0.1:1"};
  Admin().Put(last.key(), last.value());
  follower.WaitFor([](const Snapshot& s) { return FindMember(s, "last") != nullptr; });
  const auto snapshots = follower.snapshots();
  for (std::size_t i = seen; i < snapshots.size(); ++i) {
    EXPECT_EQ(FindMember(*snapshots[i], "stubborn"), nullptr) << Describe(*snapshots[i]);
  }
  EXPECT_FALSE(Admin().Get(Key("stubborn")).has_value());

  ASSERT_EQ(RestoreInstance(Service(), "stubborn", Operating()), absl::OkStatus());
  follower.WaitFor([](const Snapshot& s) { return FindMember(s, "stubborn") != nullptr; });
}

TEST_F(OperateTest, WhoIsRemovedComesBackWhenTheDecisionExpires) {
  const auto backend = StartAs("back-soon");
  Follower follower(Etcd(), Service());
  follower.WaitForCount(1);
  ASSERT_EQ(RemoveInstance(Service(), "back-soon", Operating(seconds(2))), absl::OkStatus());
  follower.WaitForCount(0);
  follower.WaitForCount(1);
  EXPECT_TRUE(backend->registrar().WaitUntilRegistered(kPatience).ok());
}

TEST_F(OperateTest, TheCommandSaysWhatIsSoAndHowToUndoIt) {
  const auto backend = StartAs("app-1");
  const Outcome drained =
      RunTurnout({"drain", Service(), "app-1", "--for", "30m", "--etcd", Etcd()});
  EXPECT_EQ(drained.status, 0);
  EXPECT_THAT(drained.output,
              MatchesRegex("app-1 of " + Service() +
                           " drains until 20..-..-.. ..:..:..; undo: turnout restore " + Service() +
                           " app-1 --etcd " + Etcd() + "\n"));
  const Outcome removed =
      RunTurnout({"remove", Service(), "app-1", "--for", "0", "--etcd", Etcd(), "--json"});
  EXPECT_EQ(removed.status, 0);
  EXPECT_EQ(
      json::parse(removed.output),
      (json{{"service", Service()}, {"id", "app-1"}, {"state", "removed"}, {"until", nullptr}}));
  EXPECT_FALSE(Admin().Get(Key("app-1")).has_value());

  const Outcome list = RunTurnout({"ls", Service(), "--etcd", Etcd()});
  EXPECT_THAT(list.output, HasSubstr("has no record"));
  EXPECT_THAT(list.output, HasSubstr("removed  until restored  app-1"));
  const json listed = json::parse(RunTurnout({"ls", Service(), "--etcd", Etcd(), "--json"}).output);
  EXPECT_EQ(listed["services"][0]["decisions"][0],
            (json{{"id", "app-1"}, {"state", "removed"}, {"seconds_left", nullptr}}));

  const Outcome restored = RunTurnout({"restore", Service(), "app-1", "--etcd", Etcd()});
  EXPECT_EQ(restored.status, 0);
  EXPECT_THAT(restored.output, HasSubstr("neither drained nor removed"));
  EXPECT_TRUE(backend->registrar().WaitUntilRegistered(kPatience).ok());
}

TEST_F(OperateTest, WatchShowsWhatOperatorsDo) {
  const auto backend = StartAs("app-1");
  Process watch({Program("turnout"), "watch", Service(), "--etcd", Etcd(), "--json"});
  const auto await = [&](const std::string& change) {
    while (const auto line = watch.ReadLine()) {
      if (json::parse(*line)["change"] == change) return true;
    }
    return false;
  };
  EXPECT_TRUE(await("present"));
  ASSERT_EQ(DrainInstance(Service(), "app-1", Operating()), absl::OkStatus());
  EXPECT_TRUE(await("draining"));
  ASSERT_EQ(RemoveInstance(Service(), "app-1", Operating()), absl::OkStatus());
  EXPECT_TRUE(await("removed"));
  ASSERT_EQ(RestoreInstance(Service(), "app-1", Operating()), absl::OkStatus());
  EXPECT_TRUE(await("joined"));
}

// Nobody else has its version: it stays, as the last that is known.
TEST_F(OperateTest, WatchShowsWhoLapses) {
  const GoRecord record{Service(), "app-1", "v1", "127.0.0.1:1"};
  Admin().Put(record.key(), record.value());
  Process watch({Program("turnout"), "watch", Service(), "--etcd", Etcd(), "--count", "1"});
  ASSERT_THAT(watch.ReadLine().value_or(""), HasSubstr("present"));
  Admin().Delete(record.key());
  EXPECT_THAT(watch.ReadLine().value_or(""),
              HasSubstr("lapsed     v1  127.0.0.1:1  app-1  (its record vanished unannounced)"));
  EXPECT_EQ(watch.Wait(), 0);
}

TEST_F(OperateTest, TheCommandShowsTheIdsThatThereAre) {
  const auto backend = StartAs("app-81d28916");
  const Outcome outcome = RunTurnout({"drain", Service(), "app-81d2891", "--etcd", Etcd()});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.output, "turnout: " + Service() +
                                " has no instance app-81d2891; it has app-81d28916. `turnout ls` "
                                "shows all services\n");
}

}  // namespace
}  // namespace turnout::testing
