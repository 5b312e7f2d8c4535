// The demonstration, by the programs that everybody can run: app_server and app_client.
#include <gmock/gmock.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "tests/support/fixture.h"

namespace turnout::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using Arguments = std::vector<std::string>;

class DemonstrationTest : public IntegrationTest {
 protected:
  Arguments Command(const std::string& program, const Arguments& more) const {
    Arguments command = {Program(program), "--etcd", Etcd(), "--service", Service()};
    command.insert(command.end(), more.begin(), more.end());
    return command;
  }
  Arguments ServerCommand(const std::string& version, const Arguments& more = {}) const {
    Arguments command = Command("app_server", {"--version", version, "--listen", "127.0.0.1:0"});
    command.insert(command.end(), more.begin(), more.end());
    return command;
  }

  struct Run {
    std::string output;
    std::optional<int> status;
  };
  Run RunClient(const Arguments& more) const {
    Process client(Command("app_client", more));
    Run run;
    run.output = client.ReadAll();
    run.status = client.Wait();
    return run;
  }

  // Key and address, from the line `registered KEY ADDRESS`.
  struct Registered {
    std::string key;
    std::string address;
  };
  static Registered WaitUntilRegistered(Process& server) {
    const std::string line = server.ReadLine().value_or("nothing");
    EXPECT_THAT(line, StartsWith("registered "));
    const std::size_t first = line.find(' ');
    const std::size_t second = line.rfind(' ');
    return {line.substr(first + 1, second - first - 1), line.substr(second + 1)};
  }
};

TEST_F(DemonstrationTest, TheServerOfTheVersionAnswers) {
  Process server(ServerCommand("v1"));
  const Registered registered = WaitUntilRegistered(server);
  EXPECT_THAT(registered.key, StartsWith(Key("")));
  EXPECT_TRUE(Admin().Get(registered.key).has_value());

  const Run client = RunClient({"--version", "v1"});
  EXPECT_EQ(client.status, 0) << client.output;
  EXPECT_THAT(client.output, HasSubstr("v1 " + registered.address));
  EXPECT_THAT(server.ReadLine().value_or("nothing"), HasSubstr("hello"));  // the input
}

TEST_F(DemonstrationTest, AnotherVersionFindsNoMatch) {
  Process server(ServerCommand("v1"));
  WaitUntilRegistered(server);
  const Run client = RunClient({"--version", "v2", "--json"});
  EXPECT_EQ(client.status, 1);
  const json result = json::parse(client.output);
  EXPECT_EQ(result["ok"], 0);
  EXPECT_EQ(result["calls"], 1);
  ASSERT_EQ(result["errors"].size(), 1) << client.output;
  EXPECT_THAT(result["errors"].begin().key(), StartsWith("UNAVAILABLE: no match found conn"));

  server.Signal(SIGTERM);
  EXPECT_EQ(server.ReadAll(), "");  // it was never called
  EXPECT_EQ(server.Wait(), 0);
}

TEST_F(DemonstrationTest, TheClientReportsInJson) {
  Process first(ServerCommand("v1"));
  Process second(ServerCommand("v1"));
  Process other(ServerCommand("v2"));
  const std::string a = WaitUntilRegistered(first).address;
  const std::string b = WaitUntilRegistered(second).address;
  WaitUntilRegistered(other);
  const Run client = RunClient({"--version", "v1", "--calls", "200", "--threads", "4", "--json"});
  EXPECT_EQ(client.status, 0) << client.output;
  const json result = json::parse(client.output);
  EXPECT_EQ(result["calls"], 200);
  EXPECT_EQ(result["ok"], 200);
  EXPECT_EQ(result["errors"], json::object());
  const int from_a = result["by_output"].value("v1 " + a, 0);
  const int from_b = result["by_output"].value("v1 " + b, 0);
  EXPECT_EQ(from_a + from_b, 200) << client.output;
  EXPECT_GT(from_a, 0);
  EXPECT_GT(from_b, 0);
  const json& latency = result["latency_us"];
  EXPECT_GT(latency["p50"], 0);
  EXPECT_GE(latency["p99"], latency["p50"]);
  EXPECT_GE(latency["max"], latency["p99"]);
  EXPECT_EQ(result.size(), 5) << client.output;
}

TEST_F(DemonstrationTest, AServerThatIsToldToEndDrainsAndDeregisters) {
  const auto staying = Start("v1");
  Process leaving(ServerCommand("v1", {"--id", "leaving", "--metadata", "team=a"}));
  const Registered registered = WaitUntilRegistered(leaving);
  EXPECT_EQ(registered.key, Key("leaving"));
  Follower follower(Etcd(), Service());
  const auto snapshot = follower.WaitForCount(2);
  EXPECT_EQ(FindMember(*snapshot, "leaving")->instance->metadata.at("team"), "a");

  Load load(Channel(), {.version = "v1"});
  ASSERT_TRUE(CallUntilAnswered(Channel(), {.version = "v1"}, "v1 " + registered.address));
  leaving.Signal(SIGTERM);
  EXPECT_EQ(leaving.Wait(), 0);
  load.WaitForCalls(50);
  const Tally tally = load.Stop();
  EXPECT_TRUE(tally.all_ok()) << tally;
  EXPECT_FALSE(Admin().Get(registered.key).has_value());
  bool drained = false;
  for (const auto& seen : follower.snapshots()) {
    const Member* member = FindMember(*seen, "leaving");
    drained |= member != nullptr && member->status == InstanceStatus::kDraining;
  }
  EXPECT_TRUE(drained) << "it went without a word";
}

TEST_F(DemonstrationTest, TheClientWaitsForReadyIfItIsTold) {
  Process client(Command(
      "app_client", {"--version", "v1", "--wait-for-ready", "--timeout-ms", "20000", "--json"}));
  Process server(ServerCommand("v1", {"--delay-ms", "1"}));
  WaitUntilRegistered(server);
  const std::string output = client.ReadAll();
  EXPECT_EQ(client.Wait(), 0) << output;
  EXPECT_EQ(json::parse(output)["ok"], 1);
}

TEST_F(DemonstrationTest, MistakesOnTheCommandLineAreOneLineAndStatus2) {
  const Arguments mistakes[] = {
      {"app_client"},
      {"app_client", "--service", "a", "--calls", "none"},
      {"app_client", "--service", "a", "--nonsense"},
      {"app_client", "--service", "a b"},
      {"app_client", "--service", "a", "--etcd", "nonsense"},
      {"app_client", "--service", "a", "--config", "{"},
      {"app_server"},
      {"app_server", "--service", "a", "--version", "v1", "--listen", "127.0.0.1:0", "--ttl", "0"},
      {"app_server", "--service", "a b", "--version", "v1", "--listen", "127.0.0.1:0"},
      {"app_server", "--service", "a", "--version", "v1", "--listen", "127.0.0.1:0", "--metadata",
       "x"},
  };
  for (const Arguments& mistake : mistakes) {
    Arguments command = {"/bin/sh", "-c", "exec \"$0\" \"$@\" 2>&1", Program(mistake[0])};
    command.insert(command.end(), mistake.begin() + 1, mistake.end());
    Process process(command);
    const std::string output = process.ReadAll();
    std::string shown;
    for (const std::string& word : mistake) shown += word + " ";
    EXPECT_EQ(process.Wait(), 2) << shown << ": " << output;
    EXPECT_EQ(std::count(output.begin(), output.end(), '\n'), 1) << shown << ": " << output;
  }
}

TEST_F(DemonstrationTest, WhatFailsAtRunTimeIsStatus1) {
  const auto taken = Start("v1");
  Process server(Command("app_server", {"--version", "v1", "--listen", taken->address()}));
  EXPECT_EQ(server.Wait(), 1);
}

}  // namespace
}  // namespace turnout::testing
