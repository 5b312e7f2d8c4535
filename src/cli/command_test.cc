// The command as its users see it: a process, its output, its exit status.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "nlohmann/json.hpp"
#include "tests/support/authority.h"
#include "tests/support/etcd_server.h"
#include "tests/support/etcdctl.h"
#include "tests/support/fixture.h"
#include "tests/support/process.h"
#include "tests/support/temporary_folder.h"

namespace turnout::cli {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;
using turnout::testing::Process;

struct Outcome {
  int status = 0;
  std::string output;  // of stdout and stderr
};

std::vector<std::string> CommandLine(const std::vector<std::string>& arguments) {
  // Its standard error, too.
  std::vector<std::string> line = {"/bin/sh", "-c", "exec \"$0\" \"$@\" 2>&1",
                                   turnout::testing::Program("turnout")};
  line.insert(line.end(), arguments.begin(), arguments.end());
  return line;
}

Outcome RunCommand(const std::vector<std::string>& arguments) {
  Process process(CommandLine(arguments));
  Outcome outcome;
  outcome.output = process.ReadAll();
  outcome.status = process.Wait().value_or(-1000);
  return outcome;
}

class UsageTest : public ::testing::TestWithParam<std::vector<std::string>> {};

TEST_P(UsageTest, AMistakeIsOneLineAndStatus2) {
  const Outcome outcome = RunCommand(GetParam());
  EXPECT_EQ(outcome.status, 2) << outcome.output;
  EXPECT_THAT(outcome.output, MatchesRegex("turnout: [^\n]+\n"));
}

INSTANTIATE_TEST_SUITE_P(
    Mistakes, UsageTest,
    ::testing::Values(
        std::vector<std::string>{}, std::vector<std::string>{"--nonsense"},
        std::vector<std::string>{"list"}, std::vector<std::string>{"watch"},
        std::vector<std::string>{"ls", "a", "b"}, std::vector<std::string>{"ls", "bad..name"},
        std::vector<std::string>{"ls", "--etcd", "no-port"},
        std::vector<std::string>{"ls", "--prefix", "no-slash"},
        std::vector<std::string>{"ls", "--timeout", "soon"},
        std::vector<std::string>{"watch", "turnout.state"},
        std::vector<std::string>{"watch", "app", "--count", "0"},
        std::vector<std::string>{"drain", "app"}, std::vector<std::string>{"drain", "app", "a/b"},
        std::vector<std::string>{"drain", "app", "app-1", "--for", "soon"},
        std::vector<std::string>{"remove", "app", "app-1", "--for", "-5"},
        std::vector<std::string>{"restore", "app", "app-1", "--for", "5m"},
        std::vector<std::string>{"demo", "now"}, std::vector<std::string>{"simulate", "nowhere"},
        std::vector<std::string>{"simulate", "uniform", "--policies", "randon"},
        std::vector<std::string>{"simulate", "uniform", "--load", "0"},
        std::vector<std::string>{"simulate", "uniform", "--plot", "plot.pdf"}));

TEST(HelpTest, ShowsEveryCommandWithAnExample) {
  const Outcome all = RunCommand({"--help"});
  EXPECT_EQ(all.status, 0);
  for (const char* command : {"ls", "watch", "drain", "remove", "restore", "demo", "simulate"}) {
    EXPECT_THAT(all.output, HasSubstr(command));
    const Outcome one = RunCommand({command, "--help"});
    EXPECT_EQ(one.status, 0);
    EXPECT_THAT(one.output, HasSubstr("  turnout " + std::string(command)));
  }
  EXPECT_THAT(RunCommand({"--version"}).output,
              MatchesRegex("turnout [0-9.]+ \\(gRPC [0-9.]+\\)\n"));
}

TEST(SimulateTest, ListsItsScenarios) {
  const Outcome outcome = RunCommand({"simulate"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.output, StartsWith("SCENARIO "));
  EXPECT_THAT(outcome.output, HasSubstr("\nuniform "));
  const json list = json::parse(RunCommand({"simulate", "--json"}).output);
  EXPECT_EQ(list["scenarios"].size(), 6U);
}

TEST(SimulateTest, TheSameSeedPrintsTheSameBytes) {
  const std::vector<std::string> line = {"simulate", "uniform", "--calls", "500", "--load",
                                         "0.5,0.8",  "--json",  "--seed",  "9"};
  const Outcome outcome = RunCommand(line);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.output, RunCommand(line).output);
  const json result = json::parse(outcome.output);
  EXPECT_EQ(result["scenario"], "uniform");
  EXPECT_EQ(result["runs"][0]["policy"], "random");
  EXPECT_EQ(result["runs"][0]["calls"], 500);
  EXPECT_EQ(result["runs"].back()["load"], 0.8);
}

TEST(SimulateTest, ReadsAFileAndComparesWithTheBound) {
  const std::string file = ::testing::TempDir() + "scenario-" + std::to_string(getpid()) + ".json";
  std::ofstream(file) << R"({"servers":[{"count":2}],"calls":200})";
  const Outcome outcome = RunCommand({"simulate", file, "--policies", "random,bound"});
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("load 80 %, 200 calls, seed 1\n"));
  EXPECT_THAT(outcome.output, HasSubstr("P99/BOUND"));

  std::ofstream(file) << R"({"servers":[{"count":0}]})";
  const Outcome wrong = RunCommand({"simulate", file});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_EQ(wrong.output, "turnout: scenario.servers[0].count: must be 1 to 10000, got 0\n");
  std::filesystem::remove(file);
}

TEST(SimulateTest, SaysWhatToInstallForAPlot) {
  Process process({"/bin/sh", "-c", "PATH=/nowhere exec \"$0\" \"$@\" 2>&1",
                   turnout::testing::Program("turnout"), "simulate", "uniform", "--plot",
                   "plot.svg"});
  EXPECT_THAT(process.ReadAll(), HasSubstr("apt install gnuplot-nox"));
  EXPECT_EQ(process.Wait(), 1);
}

TEST(UnreachableTest, SaysWhereAndWhatToTry) {
  const turnout::testing::ReservedPort nobody;
  const Outcome outcome = RunCommand({"ls", "--etcd", nobody.address(), "--timeout", "1"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.output, MatchesRegex("turnout: [^\n]+\n"));
  EXPECT_THAT(outcome.output, HasSubstr(nobody.address()));
  EXPECT_THAT(outcome.output, HasSubstr("--etcd"));
}

// `ps` shows command lines to everybody, but not what stands in a process's environment.
TEST(ConnectionTest, NeverShowsThePassword) {
  const turnout::testing::ReservedPort nobody;
  setenv("TURNOUT_ETCD_PASSWORD", "hunter2", 1);
  for (const std::string command : {"ls", "watch", "drain"}) {
    std::vector<std::string> line = {command,  "app", "--etcd", nobody.address(),
                                     "--user", "bob", "-vv"};
    if (command == "drain") line.insert(line.begin() + 2, "app-1");
    line.insert(line.end(), {command == "watch" ? "--for" : "--timeout", "0.5"});
    const Outcome outcome = RunCommand(line);
    EXPECT_EQ(outcome.status, 1) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr(nobody.address()));
    EXPECT_THAT(outcome.output, Not(HasSubstr("hunter2")));
  }
  unsetenv("TURNOUT_ETCD_PASSWORD");
}

// An etcd that wants to see a certificate, and a user's name and password.
class SecureEtcdTest : public ::testing::Test {
 protected:
  SecureEtcdTest() {
    const auto server = authority_.Issue({.names = {"DNS:etcd.test", "IP:127.0.0.1"}});
    const auto client = authority_.Issue();
    const auto write = [this](const std::string& name, const std::string& content) {
      turnout::testing::WriteFile(Path(name), content);
    };
    write("ca.pem", authority_.certificate());
    write("server.pem", server.certificate);
    write("server.key", server.key);
    write("client.pem", client.certificate);
    write("client.key", client.key);
    write("password", "s3same\n");
    etcd_.emplace(turnout::testing::EtcdServerOptions{.tls = {.cert_file = Path("server.pem"),
                                                              .key_file = Path("server.key"),
                                                              .client_ca_file = Path("ca.pem"),
                                                              .ca_file = Path("ca.pem"),
                                                              .our_cert_file = Path("client.pem"),
                                                              .our_key_file = Path("client.key")},
                                                      .flags = {"--bcrypt-cost=4"}});
    turnout::testing::EtcdCtl ctl({"--endpoints=https://" + etcd_->endpoint(),
                                   "--cacert=" + Path("ca.pem"), "--cert=" + Path("client.pem"),
                                   "--key=" + Path("client.key")});
    ctl.AddUser("operator", "s3same", {"readwrite --prefix /"});
    ctl.Run("put /srv/app/app-1 no-record");
    ctl.EnableAuthentication("r00t");
  }

  std::string Path(const std::string& name) const { return folder_ / name; }

  const turnout::testing::TemporaryFolder folder_;
  const turnout::testing::Authority authority_{"turnout test"};
  std::optional<turnout::testing::EtcdServer> etcd_;
};

TEST_F(SecureEtcdTest, IsReachedByOptionsAndByTheEnvironment) {
  const Outcome by_options = RunCommand(
      {"drain", "srv.app", "app-1", "--etcd", etcd_->endpoint(), "--ca-file", Path("ca.pem"),
       "--cert-file", Path("client.pem"), "--key-file", Path("client.key"), "--server-name",
       "etcd.test", "--user", "operator", "--password-file", Path("password")});
  EXPECT_EQ(by_options.status, 0) << by_options.output;
  EXPECT_THAT(by_options.output, HasSubstr("undo: turnout restore srv.app app-1 --etcd"));

  const std::vector<std::pair<const char*, std::string>> variables = {
      {"TURNOUT_ETCD_CA_FILE", Path("ca.pem")},
      {"TURNOUT_ETCD_CERT_FILE", Path("client.pem")},
      {"TURNOUT_ETCD_KEY_FILE", Path("client.key")},
      {"TURNOUT_ETCD_USER", "operator"},
      {"TURNOUT_ETCD_PASSWORD", "s3same"}};
  for (const auto& [name, value] : variables) setenv(name, value.c_str(), 1);
  const Outcome by_environment =
      RunCommand({"ls", "srv.app", "--etcd", etcd_->endpoint(), "--json"});
  for (const auto& [name, value] : variables) unsetenv(name);
  EXPECT_EQ(by_environment.status, 0) << by_environment.output;
  EXPECT_EQ(json::parse(by_environment.output)["services"][0]["decisions"][0]["state"], "draining");
  EXPECT_THAT(by_environment.output, Not(HasSubstr("s3same")));
}

class CommandTest : public turnout::testing::IntegrationTest {
 protected:
  void SetUp() override { Admin().Put(Key("broken"), "no record"); }
};

TEST_F(CommandTest, LsShowsInstancesAndBadRecords) {
  const auto v1 = Start("v1");
  const auto v2 = Start("v2");
  const Outcome text = RunCommand({"ls", Service(), "--etcd", Etcd()});
  EXPECT_EQ(text.status, 0);
  EXPECT_THAT(text.output, StartsWith("VERSION  ADDRESS"));
  EXPECT_THAT(text.output, HasSubstr("v1       " + v1->address() + "  registered"));
  EXPECT_THAT(text.output, HasSubstr(Key("broken")));

  const json list = json::parse(RunCommand({"ls", Service(), "--etcd", Etcd(), "--json"}).output);
  ASSERT_EQ(list["services"].size(), 1U);
  EXPECT_EQ(list["services"][0]["instances"].size(), 2U);
  EXPECT_EQ(list["services"][0]["rejected"][0]["key"], Key("broken"));

  EXPECT_THAT(RunCommand({"ls", "--etcd", Etcd()}).output, HasSubstr("v1 ×1, v2 ×1"));
}

TEST_F(CommandTest, LsOfAServiceWithoutRecordsSaysSo) {
  const Outcome outcome = RunCommand({"ls", "no.such.service", "--etcd", Etcd()});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.output, HasSubstr("no.such.service has no record"));
}

TEST_F(CommandTest, WatchShowsWhoIsThereAndEveryChange) {
  const auto v1 = Start("v1");
  Process watch(CommandLine({"watch", Service(), "--etcd", Etcd(), "--json", "--count", "2"}));
  const auto next = [&watch] { return json::parse(watch.ReadLine().value_or("null")); };

  json line = next();
  EXPECT_EQ(line["change"], "present");
  EXPECT_EQ(line["instance"]["address"], v1->address());
  EXPECT_EQ(next()["change"], "rejected");
  {
    const auto v2 = Start("v2");
    line = next();
    EXPECT_EQ(line["change"], "joined");
    EXPECT_EQ(line["instance"]["version"], "v2");
  }
  line = next();
  EXPECT_THAT(line["change"], ::testing::AnyOf("draining", "left"));
  EXPECT_EQ(watch.Wait(), 0);
}

// One that is complete: those that are being written begin with a dot.
bool AwaitFileIn(const std::string& folder) {
  const auto deadline = std::chrono::steady_clock::now() + turnout::testing::kPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (!entry.path().filename().string().starts_with('.')) return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

// Etcd no longer knows it, and nobody said that it would go.
TEST_F(CommandTest, LsMarksAsLapsedWhoOnlyTheCacheKnows) {
  const turnout::testing::TemporaryFolder folder;
  setenv("TURNOUT_CACHE_DIR", folder.path().c_str(), 1);
  const turnout::testing::GoRecord record{Service(), "app-1", "v1", "127.0.0.1:1"};
  Admin().Put(record.key(), record.value());
  {
    Process watch(CommandLine({"watch", Service(), "--etcd", Etcd()}));
    ASSERT_THAT(watch.ReadLine().value_or(""), HasSubstr("present"));
    EXPECT_TRUE(AwaitFileIn(folder.path()));
    watch.Signal(SIGINT);
    EXPECT_EQ(watch.Wait(), 0);
  }
  Admin().Delete(record.key());
  EXPECT_THAT(RunCommand({"ls", Service(), "--etcd", Etcd()}).output,
              HasSubstr("v1       127.0.0.1:1  lapsed"));
  EXPECT_THAT(RunCommand({"ls", "--etcd", Etcd()}).output, HasSubstr("LAPSED"));
  unsetenv("TURNOUT_CACHE_DIR");
}

TEST_F(CommandTest, WatchEndsWithStatus0OnCtrlC) {
  Process watch(CommandLine({"watch", Service(), "--etcd", Etcd()}));
  EXPECT_TRUE(watch.ReadLine().has_value());
  watch.Signal(SIGINT);
  EXPECT_EQ(watch.Wait(), 0);
}

TEST_F(CommandTest, WatchEndsWhenItsTimeIsOver) {
  EXPECT_EQ(RunCommand({"watch", Service(), "--etcd", Etcd(), "--for", "0.2"}).status, 0);
}

// The folders that the demonstration makes.
std::size_t DemoFolders() {
  std::size_t count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::temp_directory_path())) {
    if (entry.path().filename().string().starts_with("turnout-demo-")) ++count;
  }
  return count;
}

class DemoTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "demo-test-" + std::to_string(getpid());
    std::filesystem::create_directories(folder_);
    setenv("TMPDIR", folder_.c_str(), 1);
    setenv("TURNOUT_ETCD_BINARY", std::getenv("TURNOUT_TEST_ETCD"), 1);
  }
  void TearDown() override {
    unsetenv("TMPDIR");
    std::filesystem::remove_all(folder_);
  }

  std::string folder_;
};

TEST_F(DemoTest, EverythingComesOutAsItShould) {
  const Outcome outcome = RunCommand({"demo", "--json"});
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  const json result = json::parse(outcome.output);
  EXPECT_EQ(result["ok"], true);
  EXPECT_EQ(result["steps"].size(), 8U);
  EXPECT_LT(result["seconds"], 30);
  EXPECT_EQ(DemoFolders(), 0U);
}

TEST_F(DemoTest, CtrlCLeavesNothingBehind) {
  Process demo(CommandLine({"demo"}));
  std::string line;
  while (line.find("Two v1 servers") == std::string::npos) {
    const auto next = demo.ReadLine();
    ASSERT_TRUE(next.has_value());
    line = *next;
  }
  EXPECT_EQ(DemoFolders(), 1U);
  demo.Signal(SIGINT);
  EXPECT_EQ(demo.Wait(), 128 + SIGINT);
  EXPECT_EQ(DemoFolders(), 0U);
}

TEST_F(DemoTest, SaysWhichEtcdIsMissing) {
  setenv("TURNOUT_ETCD_BINARY", "/no/such/etcd", 1);
  const Outcome outcome = RunCommand({"demo"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.output, HasSubstr("TURNOUT_ETCD_BINARY names \"/no/such/etcd\""));
}

}  // namespace
}  // namespace turnout::cli
