#include "src/cli/rules/command_line.h"

#include <cstdint>
#include <limits>
#include <string>

#include "src/cli/connection.h"
#include "src/cli/options.h"

namespace turnout::cli {
namespace {

// One of the commands: its description, what all of them have, and what runs when it is given.
class Adder {
 public:
  Adder(CLI::App& app, RulesCommandLine& line, double& timeout_seconds, int& verbosity)
      : app_(app), line_(line), timeout_seconds_(timeout_seconds), verbosity_(verbosity) {}

  template <typename Command>
  CLI::App& Add(const std::string& name, const std::string& description, Command& command,
                int (*run)(const Command&)) {
    CLI::App& added = *app_.add_subcommand(name, description);
    added.callback([this_line = &line_, &command, run] {
      this_line->run = [&command, run](std::chrono::milliseconds timeout) {
        command.rules.timeout = timeout;
        TakePasswordFromEnvironment(command.rules.registry);
        return run(command);
      };
    });
    return added;
  }

  // Behind a command's own options.
  template <typename Command>
  void AddCommon(CLI::App& added, Command& command) {
    AddConnectionOptions(added, command.rules.registry);
    AddTimeout(added, timeout_seconds_);
    AddOutputOptions(added, command.json, verbosity_);
  }

 private:
  CLI::App& app_;
  RulesCommandLine& line_;
  double& timeout_seconds_;
  int& verbosity_;
};

void AddService(CLI::App& command, std::string& service) {
  command.add_option("SERVICE", service, "The service that is called")->type_name("")->required();
}

void AddChangeOptions(CLI::App& command, ChangeRulesCommand& change) {
  command
      .add_option("--revision", change.revision,
                  "Only if the rules are at this revision still, as `get` printed it; 0: if there "
                  "are none (default: the one read just before)")
      ->type_name("N")
      ->check(
          CLI::Range(std::int64_t{0}, std::numeric_limits<std::int64_t>::max()).description(""));
  command.add_option("--comment", change.comment, "Why, for the history")->type_name("TEXT");
}

void AddGet(Adder& adder, GetRulesCommand& command) {
  CLI::App& get = adder.Add("get", "Print the rules of a service", command, RunGetRules);
  AddService(get, command.service);
  get.add_option("--output", command.output, "Write the document to a file")->type_name("FILE");
  adder.AddCommon(get, command);
  get.footer(
      "The document goes to standard output, its revision to standard error.\n"
      "Examples:\n"
      "  turnout rules get hwholiday.srv.user --output user.json\n"
      "  turnout rules get hwholiday.srv.user --json | jq .revision");
}

void AddPut(Adder& adder, ChangeRulesCommand& command) {
  CLI::App& put = adder.Add("put", "Put rules in force, from a file", command, RunChangeRules);
  AddService(put, command.service);
  put.add_option("FILE", command.file, "The document, JSON or YAML; -: standard input")
      ->type_name("")
      ->required();
  AddChangeOptions(put, command);
  put.add_flag("--dry-run", command.dry_run, "Say what would change, and write nothing");
  adder.AddCommon(put, command);
  put.footer(
      "The document is checked first. Every client obeys it within a moment.\n"
      "Examples:\n"
      "  turnout rules put hwholiday.srv.user user.yaml --comment 'canary: 5%'\n"
      "  turnout rules put hwholiday.srv.user user.yaml --dry-run\n"
      "  turnout rules put hwholiday.srv.user - --revision 123 < user.json");
}

void AddDelete(Adder& adder, ChangeRulesCommand& command) {
  CLI::App& erase = adder.Add("delete", "Delete the rules of a service", command, RunChangeRules);
  AddService(erase, command.service);
  AddChangeOptions(erase, command);
  adder.AddCommon(erase, command);
  erase.footer(
      "Channels then decide as they are configured; the history stays.\n"
      "Example:\n"
      "  turnout rules delete hwholiday.srv.user --comment 'v2 is everywhere'");
}

void AddRollBack(Adder& adder, ChangeRulesCommand& command) {
  CLI::App& roll_back =
      adder.Add("rollback", "Put an earlier version in force again", command, RunChangeRules);
  AddService(roll_back, command.service);
  roll_back.add_option("VERSION", command.number, "Its number, as `history` shows it")
      ->type_name("")
      ->required()
      ->check(CLI::Range(1, std::numeric_limits<int>::max()).description(""));
  AddChangeOptions(roll_back, command);
  adder.AddCommon(roll_back, command);
  roll_back.footer(
      "Example:\n"
      "  turnout rules rollback hwholiday.srv.user 12");
}

void AddHistory(Adder& adder, RulesHistoryCommand& command) {
  CLI::App& history =
      adder.Add("history", "List the last 10 versions of the rules", command, RunRulesHistory);
  AddService(history, command.service);
  history.add_option("--show", command.show, "Print the document of one")->type_name("VERSION");
  adder.AddCommon(history, command);
  history.footer(
      "Examples:\n"
      "  turnout rules history hwholiday.srv.user\n"
      "  turnout rules history hwholiday.srv.user --show 12 > user.json");
}

void AddCheck(Adder& adder, CheckRulesCommand& command) {
  CLI::App& check = adder.Add("check", "Check a document, and compare it with what is in force",
                              command, RunCheckRules);
  check.add_option("FILE", command.file, "The document, JSON or YAML; -: standard input")
      ->type_name("")
      ->required();
  check.add_option("--against-live", command.against_live, "Compare it with this service's rules")
      ->type_name("SERVICE");
  check
      .add_option("--call", command.calls,
                  "A call that may be decided differently: CALLER@VERSION, the method, metadata")
      ->type_name("'app@v2 /pkg.Service/Method key=value'")
      ->allow_extra_args(false);
  check
      .add_option("--calls", command.recorded_calls,
                  "Calls, one in each line, as StartRecordingCalls writes them")
      ->type_name("FILE.jsonl");
  adder.AddCommon(check, command);
  check.footer(
      "Without --against-live, etcd is not asked.\n"
      "A line of --calls: {\"caller\":{\"service\":…,\"version\":…,\"labels\":{}},\"method\":…,"
      "\"metadata\":{},\"count\":1}\n"
      "Examples:\n"
      "  turnout rules check user.yaml\n"
      "  turnout rules check user.yaml --against-live hwholiday.srv.user --calls calls.jsonl\n"
      "  turnout rules check user.yaml --call 'hwholiday.srv.app@v2 /user.User/Get user-id=17'");
}

}  // namespace

void AddRules(CLI::App& app, RulesCommandLine& line, double& timeout_seconds, int& verbosity) {
  CLI::App& rules = *app.add_subcommand(
      "rules", "Say which callers may call which instances of a service: get, put, check, …");
  rules.require_subcommand(1);
  Adder adder(rules, line, timeout_seconds, verbosity);
  AddGet(adder, line.get);
  AddPut(adder, line.put);
  AddCheck(adder, line.check);
  AddDelete(adder, line.erase);
  AddHistory(adder, line.history);
  AddRollBack(adder, line.roll_back);
  rules.footer(
      "docs/rules.md explains the document.\n"
      "Examples:\n"
      "  turnout rules check user.yaml --against-live hwholiday.srv.user\n"
      "  turnout rules put hwholiday.srv.user user.yaml\n"
      "  turnout rules rollback hwholiday.srv.user 12");
}

void AddExplain(CLI::App& app, RulesCommandLine& line, double& timeout_seconds, int& verbosity) {
  Adder adder(app, line, timeout_seconds, verbosity);
  ExplainCommand& command = line.explain;
  CLI::App& explain =
      adder.Add("explain", "Say which rule decides a call, and to which instances such calls go",
                command, RunExplain);
  AddService(explain, command.service);
  explain.add_option("--method", command.method, "What is called")
      ->type_name("/pkg.Service/Method")
      ->required();
  explain.add_option("--metadata", command.metadata, "Metadata of the call; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  explain.add_option("--caller", command.caller, "Who calls (default: not known)")
      ->type_name("SERVICE@VERSION");
  explain.add_option("--caller-label", command.caller_labels, "A label of the caller's")
      ->type_name("LABEL=VALUE")
      ->allow_extra_args(false);
  explain.add_option("--version", command.version, "The version that the call itself asks for")
      ->type_name("VERSION");
  explain.add_option("--rules", command.file, "Go by this document (default: what is in force)")
      ->type_name("FILE");
  adder.AddCommon(explain, command);
  explain.footer(
      "Shares are counted over 20,000 calls that are decided as real ones are, as if every "
      "instance\ncould be reached.\n"
      "Examples:\n"
      "  turnout explain hwholiday.srv.user --method /user.User/Get --caller hwholiday.srv.app@v2\n"
      "  turnout explain hwholiday.srv.user --method /user.User/Get --metadata user-id=17 \\\n"
      "      --rules user.yaml --json | jq .decision");
}

}  // namespace turnout::cli
