// `turnout rules …` and `turnout explain`. Each returns the exit status.
#ifndef TURNOUT_SRC_CLI_RULES_COMMANDS_H_
#define TURNOUT_SRC_CLI_RULES_COMMANDS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "turnout/rules.h"

namespace turnout::cli {

struct GetRulesCommand {
  RulesOptions rules;
  std::string service;
  std::string output;  // a file; empty: standard output
  bool json = false;
};
int RunGetRules(const GetRulesCommand& command);

// Puts, deletes or rolls back.
struct ChangeRulesCommand {
  enum class Action { kPut, kDelete, kRollBack };
  Action action = Action::kPut;
  RulesOptions rules;
  std::string service;
  std::string file;                      // put
  int number = 0;                        // roll back
  std::optional<std::int64_t> revision;  // none: the one read just before
  std::string comment;
  bool dry_run = false;  // put
  bool json = false;
};
int RunChangeRules(const ChangeRulesCommand& command);

struct RulesHistoryCommand {
  RulesOptions rules;
  std::string service;
  std::optional<int> show;  // print this version's document
  bool json = false;
};
int RunRulesHistory(const RulesHistoryCommand& command);

struct CheckRulesCommand {
  RulesOptions rules;
  std::string file;
  std::string against_live;  // a service; empty: with nothing
  std::vector<std::string> calls;
  std::string recorded_calls;  // a file
  bool json = false;
};
int RunCheckRules(const CheckRulesCommand& command);

struct ExplainCommand {
  RulesOptions rules;
  std::string service;
  std::string method;
  std::vector<std::string> metadata;
  std::string caller;
  std::vector<std::string> caller_labels;
  std::string version;  // that the call asks for
  std::string file;     // of rules; empty: those in force
  bool json = false;
};
int RunExplain(const ExplainCommand& command);

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_RULES_COMMANDS_H_
