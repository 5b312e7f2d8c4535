// The command line of `turnout`.
#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "CLI/CLI.hpp"
#include "fmt/format.h"
#include "grpcpp/grpcpp.h"
#include "src/cli/commands.h"
#include "src/cli/connection.h"
#include "src/cli/failure.h"
#include "src/cli/logging.h"
#include "src/cli/options.h"
#include "src/cli/rules/command_line.h"

namespace turnout::cli {
namespace {

struct CommandLine {
  ListOptions list;
  WatchOptions watch;
  std::map<std::string, OperateCommand> operate;  // by the command's name
  DemoOptions demo;
  SimulateOptions simulate;
  RulesCommandLine rules;
  double timeout_seconds = 5;
  double watch_seconds = 0;
  int verbosity = 0;
};

void AddList(CLI::App& app, CommandLine& line) {
  CLI::App& ls = *app.add_subcommand("ls", "Show the services that are registered, or one of them");
  ls.add_option("SERVICE", line.list.service,
                "Show its instances (default: all services, in short)")
      ->type_name("");
  AddConnectionOptions(ls, line.list.registry);
  AddTimeout(ls, line.timeout_seconds);
  AddOutputOptions(ls, line.list.json, line.verbosity);
  ls.footer(
      "Examples:\n"
      "  turnout ls\n"
      "  turnout ls hwholiday.srv.app --etcd 10.0.0.1:2379,10.0.0.2:2379\n"
      "  turnout ls hwholiday.srv.app --json   {\"services\":[{\"service\":…,\"instances\":[…]}]}");
}

void AddWatch(CLI::App& app, CommandLine& line) {
  CLI::App& watch = *app.add_subcommand(
      "watch", "Show the instances of a service, then every change, until Ctrl-C");
  watch.add_option("SERVICE", line.watch.service, "Its name")->type_name("")->required();
  AddConnectionOptions(watch, line.watch.registry);
  watch.add_option("--for", line.watch_seconds, "End after this time")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, kLongestSeconds).description(""));
  watch.add_option("--count", line.watch.changes, "End after this many changes")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000'000).description(""));
  AddOutputOptions(watch, line.watch.json, line.verbosity);
  watch.footer(
      "Examples:\n"
      "  turnout watch hwholiday.srv.app\n"
      "  turnout watch hwholiday.srv.app --json --for 60   one object a line, for a minute\n"
      "  turnout watch hwholiday.srv.app --count 1         wait for the next change");
}

// The part that the three have in common. `command` lives as long as the line.
CLI::App& AddOperate(CLI::App& app, CommandLine& line, OperateCommand::Action action,
                     const std::string& name, const std::string& description) {
  CLI::App& operate = *app.add_subcommand(name, description);
  OperateCommand& command = line.operate[name];
  command.action = action;
  operate.add_option("SERVICE", command.service, "Its service")->type_name("")->required();
  operate.add_option("ID", command.id, "Its id, as `turnout ls SERVICE` shows it")
      ->type_name("")
      ->required();
  if (action != OperateCommand::Action::kRestore) {
    const std::map<std::string, std::int64_t> units = {
        {"s", 1}, {"m", 60}, {"h", 3600}, {"d", std::int64_t{24} * 3600}};
    operate
        .add_option("--for", command.expiry_seconds,
                    "How long, in s, m, h or d; 0: until it is restored (default: 24h)")
        ->transform(CLI::Validator(CLI::AsNumberWithUnit(units)).description(""))
        ->type_name("TIME");
  }
  AddConnectionOptions(operate, command.registry);
  AddTimeout(operate, line.timeout_seconds);
  AddOutputOptions(operate, command.json, line.verbosity);
  return operate;
}

void AddOperators(CLI::App& app, CommandLine& line) {
  using Action = OperateCommand::Action;
  AddOperate(app, line, Action::kDrain, "drain",
             "Have an instance called only where no other can be")
      .footer(
          "It stays registered and goes on with the calls and streams that it has.\n"
          "Examples:\n"
          "  turnout drain hwholiday.srv.app app-1 --for 30m\n"
          "  turnout drain hwholiday.srv.app app-1 --json   {\"id\":…,\"state\":\"draining\",…}");
  AddOperate(app, line, Action::kRemove, "remove",
             "Take an instance away, however often its process registers again")
      .footer(
          "No new call goes to it from then on; its process runs on.\n"
          "Examples:\n"
          "  turnout remove hwholiday.srv.app app-1\n"
          "  turnout remove hwholiday.srv.app app-1 --for 0   until it is restored");
  AddOperate(app, line, Action::kRestore, "restore", "Undo `drain` and `remove`")
      .footer(
          "Example:\n"
          "  turnout restore hwholiday.srv.app app-1");
}

void AddDemo(CLI::App& app, CommandLine& line) {
  CLI::App& demo = *app.add_subcommand(
      "demo", "Show what Turnout does, with an etcd and servers of its own (10 s)");
  AddOutputOptions(demo, line.demo.json, line.verbosity);
  demo.footer(
      "It looks for etcd in TURNOUT_ETCD_BINARY, on PATH, and where `./run build` puts it.\n"
      "Example:\n"
      "  turnout demo --json | jq .ok");
}

void AddSimulate(CLI::App& app, CommandLine& line) {
  CLI::App& simulate = *app.add_subcommand(
      "simulate", "Compare balancing policies on simulated servers, without any network");
  SimulateOptions& options = line.simulate;
  simulate
      .add_option("SCENARIO", options.scenario,
                  "Its name, or a file (default: list those there are)")
      ->type_name("");
  simulate
      .add_option("--policies", options.policies,
                  "Policies by name, and lists of pickers (default: all that are worth comparing)")
      ->type_name("NAME[,NAME]");
  simulate
      .add_option("--load", options.loads,
                  "Shares of what the servers can do in the mean (default: 0.8)")
      ->delimiter(',')
      ->type_name("SHARE[,SHARE]")
      ->check(CLI::Range(0.01, 2.0).description(""));
  simulate.add_option("--seed", options.seed, "The same seed gives the same result")
      ->type_name("N")
      ->capture_default_str();
  simulate.add_option("--calls", options.calls, "Calls to measure (default: the scenario says)")
      ->type_name("N")
      ->check(CLI::Range(1, 100'000'000).description(""));
  simulate
      .add_option("--plot", options.plot, "Draw the result, with gnuplot (Debian: gnuplot-nox)")
      ->type_name("FILE.svg");
  AddOutputOptions(simulate, options.json, line.verbosity);
  simulate.footer(
      "Latencies are in ms. \"bound\" is the shortest queue with perfect knowledge, \"alone\" a "
      "core "
      "for\neach call; docs/simulating.md explains both, and how to write a scenario.\n"
      "Examples:\n"
      "  turnout simulate\n"
      "  turnout simulate antagonists --load 0.5,0.8,0.95 --plot antagonists.svg\n"
      "  turnout simulate half_speed --policies "
      "'random,[{\"least_request\":{\"choiceCount\":3}}]'\n"
      "  turnout simulate ./mine.json --json | jq '.runs[] | {policy, p99_ms}'");
}

// CLI11's words, as one line.
int ReportUsage(const CLI::ParseError& error) {
  std::string message = error.what();
  std::replace(message.begin(), message.end(), '\n', ' ');
  PrintError(message + " (turnout --help says what there is)");
  return kUsage;
}

int RunCommand(const CLI::App& app, CommandLine& line) {
  if (app.got_subcommand("demo")) return RunDemo(line.demo);
  if (app.got_subcommand("simulate")) return RunSimulate(line.simulate);
  const auto timeout = ToMilliseconds(line.timeout_seconds);
  if (line.rules.run != nullptr) return line.rules.run(timeout);
  if (app.got_subcommand("ls")) {
    line.list.timeout = timeout;
    TakePasswordFromEnvironment(line.list.registry);
    return RunList(line.list);
  }
  if (app.got_subcommand("watch")) {
    if (line.watch_seconds > 0) line.watch.duration = ToMilliseconds(line.watch_seconds);
    TakePasswordFromEnvironment(line.watch.registry);
    return RunWatch(line.watch);
  }
  OperateCommand& operate = line.operate.at(app.get_subcommands().front()->get_name());
  operate.timeout = timeout;
  TakePasswordFromEnvironment(operate.registry);
  return RunOperate(operate);
}

int Run(int argc, char** argv) {
  CLI::App app("Shows what is registered in etcd, and how Turnout uses it.", "turnout");
  app.set_version_flag("--version",
                       fmt::format("turnout {} (gRPC {})", TURNOUT_VERSION, grpc::Version()));
  app.require_subcommand(1);
  CommandLine line;
  AddList(app, line);
  AddWatch(app, line);
  AddOperators(app, line);
  AddRules(app, line.rules, line.timeout_seconds, line.verbosity);
  AddExplain(app, line.rules, line.timeout_seconds, line.verbosity);
  AddDemo(app, line);
  AddSimulate(app, line);
  app.footer("`turnout COMMAND --help` shows a command's options and examples.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // help, version
    return ReportUsage(error);
  }

  LogToStderr(line.verbosity);
  return RunCommand(app, line);
}

}  // namespace
}  // namespace turnout::cli

int main(int argc, char** argv) { return turnout::cli::Run(argc, argv); }
