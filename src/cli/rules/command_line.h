// The command line of `turnout rules …` and `turnout explain`.
#ifndef TURNOUT_SRC_CLI_RULES_COMMAND_LINE_H_
#define TURNOUT_SRC_CLI_RULES_COMMAND_LINE_H_

#include <chrono>
#include <functional>

#include "CLI/CLI.hpp"
#include "src/cli/rules/commands.h"

namespace turnout::cli {

struct RulesCommandLine {
  GetRulesCommand get;
  ChangeRulesCommand put{.action = ChangeRulesCommand::Action::kPut};
  ChangeRulesCommand erase{.action = ChangeRulesCommand::Action::kDelete};
  ChangeRulesCommand roll_back{.action = ChangeRulesCommand::Action::kRollBack};
  RulesHistoryCommand history;
  CheckRulesCommand check;
  ExplainCommand explain;

  // The command that was given, with this timeout for etcd; null: it was none of these.
  std::function<int(std::chrono::milliseconds)> run;
};

// All of it lives until the command has run.
void AddRules(CLI::App& app, RulesCommandLine& line, double& timeout_seconds, int& verbosity);
void AddExplain(CLI::App& app, RulesCommandLine& line, double& timeout_seconds, int& verbosity);

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_RULES_COMMAND_LINE_H_
