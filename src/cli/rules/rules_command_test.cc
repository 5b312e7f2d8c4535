// `turnout rules …` and `turnout explain` as their users see them, with a real etcd.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "tests/support/fixture.h"
#include "tests/support/process.h"
#include "tests/support/records.h"
#include "tests/support/temporary_folder.h"

namespace turnout::cli {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;
using turnout::testing::Process;

constexpr char kCanary[] = R"(# a tenth for v2
rules:
- name: canary
  route:
    destinations:
    - {version: v1, weight: 9}
    - {version: v2}
)";
constexpr char kCanaryJson[] =
    R"({"rules":[{"name":"canary","route":{"destinations":[{"version":"v1","weight":9},{"version":"v2"}]}}]})";

struct Outcome {
  int status = 0;
  std::string output;
};

// `redirection`: "2>&1", "2>/dev/null", "< file".
Outcome RunCommand(const std::vector<std::string>& arguments,
                   const std::string& redirection = "2>&1") {
  std::vector<std::string> line = {"/bin/sh", "-c", "exec \"$0\" \"$@\" " + redirection,
                                   turnout::testing::Program("turnout")};
  line.insert(line.end(), arguments.begin(), arguments.end());
  Process process(line);
  Outcome outcome;
  outcome.output = process.ReadAll();
  outcome.status = process.Wait().value_or(-1000);
  return outcome;
}

class RulesUsageTest : public ::testing::TestWithParam<std::vector<std::string>> {};

TEST_P(RulesUsageTest, AMistakeIsOneLineAndStatus2) {
  const Outcome outcome = RunCommand(GetParam());
  EXPECT_EQ(outcome.status, 2) << outcome.output;
  EXPECT_THAT(outcome.output, MatchesRegex("turnout: [^\n]+\n"));
}

INSTANTIATE_TEST_SUITE_P(
    Mistakes, RulesUsageTest,
    ::testing::Values(
        std::vector<std::string>{"rules"}, std::vector<std::string>{"rules", "nonsense"},
        std::vector<std::string>{"rules", "get"}, std::vector<std::string>{"rules", "get", "a b"},
        std::vector<std::string>{"rules", "put", "app"},
        std::vector<std::string>{"rules", "put", "app", "/no/such/file"},
        std::vector<std::string>{"rules", "put", "app", "/dev/null"},
        std::vector<std::string>{"rules", "delete", "app", "--revision", "-1"},
        std::vector<std::string>{"rules", "rollback", "app", "0"},
        std::vector<std::string>{"rules", "check"}, std::vector<std::string>{"explain", "app"},
        std::vector<std::string>{"explain", "app", "--method", "Get"},
        std::vector<std::string>{"explain", "app", "--method", "/a/b", "--metadata", "Key=x"},
        std::vector<std::string>{"explain", "app", "--method", "/a/b", "--caller-label", "x"}));

TEST(RulesHelpTest, ShowsEveryCommandWithAnExample) {
  for (const char* command : {"get", "put", "check", "delete", "history", "rollback"}) {
    const Outcome help = RunCommand({"rules", command, "--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.output, HasSubstr("  turnout rules " + std::string(command)));
  }
  EXPECT_THAT(RunCommand({"explain", "--help"}).output, HasSubstr("  turnout explain "));
  EXPECT_THAT(RunCommand({"--help"}).output, AllOf(HasSubstr("rules"), HasSubstr("explain")));
}

class RulesCommandTest : public turnout::testing::IntegrationTest {
 protected:
  std::string RulesKey() const { return "/turnout/rules/" + Service(); }

  std::string File(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name) << content;
    return folder_ / name;
  }
  std::string Read(const std::string& name) const {
    std::ifstream file(folder_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // `arguments` after the verb and the service.
  Outcome Rules(const std::string& verb, const std::vector<std::string>& arguments = {},
                const std::string& redirection = "2>&1") const {
    std::vector<std::string> line = {"rules", verb, Service()};
    line.insert(line.end(), arguments.begin(), arguments.end());
    line.insert(line.end(), {"--etcd", Etcd()});
    return RunCommand(line, redirection);
  }
  json RulesJson(const std::string& verb, std::vector<std::string> arguments = {}) const {
    arguments.emplace_back("--json");
    const Outcome outcome = Rules(verb, arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.output;
    return json::parse(outcome.output, nullptr, false);
  }

  void Register(const std::string& id, const std::string& version) const {
    const turnout::testing::GoRecord record{Service(), id, version, "127.0.0.1:" + id.substr(4)};
    Admin().Put(record.key(), record.value());
  }

  const turnout::testing::TemporaryFolder folder_;
};

TEST_F(RulesCommandTest, PutTakesYamlAndGetReturnsIt) {
  const Outcome put = Rules("put", {File("canary.yaml", kCanary), "--comment", "a tenth"});
  EXPECT_EQ(put.status, 0) << put.output;
  const auto stored = Admin().Get(RulesKey());
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->value, kCanaryJson);
  const std::string revision = std::to_string(stored->mod_revision);
  EXPECT_THAT(put.output, StartsWith(Service() + ": 1 rule in force, revision " + revision +
                                     "; undo: turnout rules delete " + Service()));

  // The document alone is on standard output.
  EXPECT_EQ(json::parse(Rules("get", {}, "2>/dev/null").output), json::parse(kCanaryJson));
  EXPECT_THAT(Rules("get").output, HasSubstr("revision " + revision + ", 1 rule; change it with"));
  const json got = RulesJson("get");
  EXPECT_EQ(got["revision"], stored->mod_revision);
  EXPECT_EQ(got["rules"], json::parse(kCanaryJson));
  EXPECT_EQ(Rules("get", {"--output", folder_ / "out.json"}).status, 0);
  EXPECT_EQ(json::parse(Read("out.json")), json::parse(kCanaryJson));
  EXPECT_THAT(Read("out.json"), StartsWith("{\n  \"rules\": [\n"));
}

TEST_F(RulesCommandTest, PutReadsStandardInput) {
  const std::string file = File("rules", kCanaryJson);
  EXPECT_EQ(Rules("put", {"-"}, "2>&1 < " + file).status, 0);
  EXPECT_EQ(Admin().Get(RulesKey())->value, kCanaryJson);
}

TEST_F(RulesCommandTest, ABadDocumentSaysWhereItIsWrong) {
  const Outcome yaml = Rules("put", {File("bad.yaml", "rules:\n- name: a\n name: b\n")});
  EXPECT_EQ(yaml.status, 2);
  EXPECT_THAT(yaml.output, MatchesRegex("turnout: [^\n]*bad.yaml: [0-9]+:[0-9]+: [^\n]+\n"));
  const Outcome rules = Rules("put", {File("bad.json", R"({"rules":[{"name":"a"}]})")});
  EXPECT_EQ(rules.status, 2);
  EXPECT_THAT(rules.output, HasSubstr("bad.json: rules[0].route: missing"));
  EXPECT_FALSE(Admin().Get(RulesKey()).has_value());
}

TEST_F(RulesCommandTest, AnotherRevisionIsRefusedAndTheErrorSaysWhatToDo) {
  const std::string file = File("canary.yaml", kCanary);
  ASSERT_EQ(Rules("put", {file, "--revision", "0"}).status, 0);
  const Outcome late = Rules("put", {file, "--revision", "0"});
  EXPECT_EQ(late.status, 1);
  EXPECT_THAT(late.output,
              AllOf(HasSubstr("have been changed: they are at revision "),
                    HasSubstr("`turnout rules get " + Service() + " --etcd " + Etcd() + "`")));
  const std::string revision = std::to_string(RulesJson("get")["revision"].get<int>());
  EXPECT_EQ(Rules("put", {file, "--revision", revision}).status, 0);
  EXPECT_EQ(Rules("put", {file, "--revision", revision, "--dry-run"}).status, 1);
}

TEST_F(RulesCommandTest, ADryRunSaysWhatWouldChangeAndWritesNothing) {
  ASSERT_EQ(Rules("put", {File("canary.yaml", kCanary)}).status, 0);
  std::string half = kCanary;
  half.replace(half.find("weight: 9"), 9, "weight: 1");
  const std::string file = File("half.yaml", half);
  const Outcome dry = Rules("put", {file, "--dry-run"});
  EXPECT_EQ(dry.status, 0) << dry.output;
  EXPECT_THAT(dry.output,
              AllOf(HasSubstr("canary  changed"), HasSubstr("route.destinations[0].weight: 9 → 1"),
                    HasSubstr("Nothing has been written")));
  EXPECT_EQ(RulesJson("put", {file, "--dry-run"})["changes"][0]["rule"], "canary");
  EXPECT_EQ(Admin().Get(RulesKey())->value, kCanaryJson);
}

TEST_F(RulesCommandTest, HistoryRollbackAndDelete) {
  const std::string canary = File("canary.yaml", kCanary);
  ASSERT_EQ(Rules("put", {canary, "--comment", "a tenth"}).status, 0);
  const Outcome second = Rules("put", {File("none.json", R"({"rules":[]})")});
  EXPECT_THAT(second.output, HasSubstr("; undo: turnout rules rollback " + Service() + " 1"));
  const Outcome history = Rules("history");
  EXPECT_EQ(history.status, 0) << history.output;
  EXPECT_THAT(history.output, StartsWith("VERSION  TIME"));
  EXPECT_THAT(history.output, AllOf(HasSubstr("in force"), HasSubstr("a tenth")));

  EXPECT_EQ(Rules("rollback", {"1"}).status, 0);
  EXPECT_EQ(Admin().Get(RulesKey())->value, kCanaryJson);
  EXPECT_EQ(json::parse(Rules("history", {"--show", "3"}).output), json::parse(kCanaryJson));
  const Outcome unknown = Rules("rollback", {"7"});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_THAT(unknown.output, AllOf(HasSubstr("have no version 7; kept: 3, 2, 1"),
                                    HasSubstr("`turnout rules history " + Service())));

  EXPECT_THAT(Rules("delete", {"--comment", "enough"}).output,
              AllOf(HasSubstr("has no rules any more"), HasSubstr("rollback " + Service() + " 3")));
  EXPECT_FALSE(Admin().Get(RulesKey()).has_value());
  EXPECT_EQ(Rules("delete").status, 1);
  const Outcome none = Rules("get");
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.output, HasSubstr("has no rules. Put some with `turnout rules put "));
  const json versions = RulesJson("history")["versions"];
  ASSERT_EQ(versions.size(), 4U);
  EXPECT_EQ(versions[0]["version"], 4);
  EXPECT_EQ(versions[0]["comment"], "enough");
  EXPECT_EQ(versions[0]["rules"], nullptr);
  EXPECT_EQ(versions[3]["rules"], json::parse(kCanaryJson));
}

TEST_F(RulesCommandTest, WhatWasWrittenByHandIsSeenAsSuch) {
  Admin().Put(RulesKey(), "by hand\x1b[2J");
  EXPECT_THAT(Rules("get").output, AllOf(HasSubstr("by hand"), HasSubstr("not right")));
  EXPECT_THAT(Rules("history").output, HasSubstr("was written by other means"));
  EXPECT_EQ(RulesJson("get")["rules"], "by hand\x1b[2J");
  const Outcome check = RunCommand({"rules", "check", File("canary.yaml", kCanary),
                                    "--against-live", Service(), "--etcd", Etcd()});
  EXPECT_EQ(check.status, 1);
  EXPECT_THAT(check.output, HasSubstr("no client obeys it"));
}

TEST_F(RulesCommandTest, CheckWithoutLiveDoesNotAskEtcd) {
  const std::string file = File("canary.yaml", kCanary);
  const Outcome check = RunCommand({"rules", "check", file, "--call", "app@v2 /a.B/C user=1"});
  EXPECT_EQ(check.status, 0) << check.output;
  EXPECT_THAT(check.output, AllOf(StartsWith(file + " is right: 1 rule.\n"),
                                  HasSubstr("canary: 90% version v1, 10% version v2")));
  EXPECT_EQ(RunCommand({"rules", "check", file, "--call", "nonsense"}).status, 2);
  EXPECT_EQ(RunCommand({"rules", "check", File("bad.json", "{")}).status, 2);
}

TEST_F(RulesCommandTest, CheckAgainstLiveSaysForWhomItWouldChange) {
  ASSERT_EQ(Rules("put", {File("canary.yaml", kCanary)}).status, 0);
  const std::string file = File("strict.yaml", R"(rules:
- name: app v2
  match: {caller: {service: srv.app, version: v2}}
  deny: {status: PERMISSION_DENIED, message: not yet}
)" + std::string(kCanary).substr(std::string(kCanary).find("- name: canary")));
  const std::string calls = File(
      "calls.jsonl", R"({"caller":{"service":"srv.app","version":"v2"},"method":"/a.B/C","count":30}
{"caller":{"service":"srv.app","version":"v1"},"method":"/a.B/C","count":70}
{"service":"another","method":"/a.B/C","count":1000}
)");
  const std::vector<std::string> line = {
      "rules",   "check", file,     "--against-live",    Service(),
      "--calls", calls,   "--call", "srv.app@v2 /a.B/D", "--etcd",
      Etcd()};
  const Outcome text = RunCommand(line);
  EXPECT_EQ(text.status, 0) << text.output;
  EXPECT_THAT(text.output, HasSubstr("app v2  added"));
  EXPECT_THAT(text.output, HasSubstr("30     srv.app@v2  /a.B/C"));
  EXPECT_THAT(text.output, HasSubstr("canary: 90% version v1, 10% version v2"));
  EXPECT_THAT(text.output, HasSubstr("app v2: deny PERMISSION_DENIED not yet"));
  EXPECT_THAT(text.output, HasSubstr("31 of 101 calls would be decided differently."));
  EXPECT_THAT(text.output, Not(HasSubstr("srv.app@v1")));

  std::vector<std::string> with_json = line;
  with_json.emplace_back("--json");
  const json result = json::parse(RunCommand(with_json).output);
  EXPECT_EQ(result["changes"][0]["change"], "added");
  EXPECT_EQ(result["differing_calls"], 31);
  EXPECT_EQ(result["all_calls"], 101);
  ASSERT_EQ(result["calls"].size(), 2U);
  EXPECT_EQ(result["calls"][0]["now"]["rule"], "canary");
  EXPECT_EQ(result["calls"][0]["then"]["deny"]["status"], "PERMISSION_DENIED");
}

TEST_F(RulesCommandTest, ExplainSaysWhichRuleWhyNotTheOthersAndWhereCallsGo) {
  Register("app-1", "v1");
  Register("app-2", "v1");
  Register("app-3", "v2");
  ASSERT_EQ(Rules("put", {File("rules.yaml", R"(rules:
- name: testers
  match: {metadata: [{key: tester, present: true}]}
  route: {destinations: [{version: v9}]}
)" + std::string(kCanary).substr(std::string(kCanary).find("- name: canary")))})
                .status,
            0);
  const std::vector<std::string> line = {"explain",  Service(),    "--method", "/a.B/C",
                                         "--caller", "srv.app@v2", "--etcd",   Etcd()};
  const Outcome text = RunCommand(line);
  EXPECT_EQ(text.status, 0) << text.output;
  EXPECT_THAT(text.output, HasSubstr("testers  no       metadata tester is absent, not there\n"));
  EXPECT_THAT(text.output, HasSubstr("canary   yes\n"));
  EXPECT_THAT(text.output, HasSubstr("version v1   90%    2\n"));
  EXPECT_THAT(text.output, HasSubstr("version v2   10%    1\n"));

  const auto explained = [&line](std::vector<std::string> more) {
    more.insert(more.begin(), line.begin(), line.end());
    more.emplace_back("--json");
    return json::parse(RunCommand(more).output);
  };
  const json canary = explained({});
  EXPECT_EQ(canary["decision"]["rule"], "canary");
  ASSERT_EQ(canary["instances"].size(), 3U);
  EXPECT_EQ(canary["instances"][0]["id"], "app-1");
  EXPECT_NEAR(canary["instances"][0]["share"].get<double>(), 0.45, 0.02);
  EXPECT_NEAR(canary["instances"][2]["share"].get<double>(), 0.1, 0.02);
  EXPECT_GT(canary["revision"], 0);

  const json tester = explained({"--metadata", "tester=1"});
  EXPECT_EQ(tester["decision"]["rule"], "testers");
  EXPECT_EQ(tester["failures"][0]["status"], "UNAVAILABLE");
  EXPECT_THAT(tester["failures"][0]["message"].get<std::string>(), HasSubstr("rule \"testers\""));

  const json pinned = explained(
      {"--version", "v2", "--rules", File("any.yaml", "default: {route: {destinations: [{}]}}")});
  EXPECT_EQ(pinned["decision"]["rule"], "default");
  EXPECT_EQ(pinned["revision"], 0);
  EXPECT_EQ(pinned["instances"][2]["share"], 1.0);
}

TEST_F(RulesCommandTest, LsSaysThatRulesAreInForce) {
  Register("app-1", "v1");
  ASSERT_EQ(Rules("put", {File("canary.yaml", kCanary)}).status, 0);
  const std::string revision = std::to_string(Admin().Get(RulesKey())->mod_revision);
  EXPECT_THAT(RunCommand({"ls", Service(), "--etcd", Etcd()}).output,
              HasSubstr("RULES  revision " + revision + ", 1 rule: turnout rules get " + Service() +
                        " --etcd " + Etcd() + "\n"));
  const json list = json::parse(RunCommand({"ls", Service(), "--etcd", Etcd(), "--json"}).output);
  EXPECT_EQ(list["services"][0]["rules"]["revision"], std::stoi(revision));
  EXPECT_EQ(list["services"][0]["rules"]["count"], 1);
  ASSERT_EQ(Rules("delete").status, 0);
  EXPECT_THAT(RunCommand({"ls", Service(), "--etcd", Etcd()}).output, Not(HasSubstr("RULES")));
}

}  // namespace
}  // namespace turnout::cli
