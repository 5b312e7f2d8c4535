// `turnout rules get`, `put`, `delete`, `rollback`, `history`: what etcd holds.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "fmt/chrono.h"
#include "fmt/format.h"
#include "src/cli/commands.h"
#include "src/cli/connection.h"
#include "src/cli/describe.h"
#include "src/cli/failure.h"
#include "src/cli/rules/commands.h"
#include "src/cli/rules/compare.h"
#include "src/cli/rules/document.h"
#include "src/cli/rules/stored.h"

namespace turnout::cli {
namespace {

using Action = ChangeRulesCommand::Action;

// "3 rules and a default"; "not right" for what others may have written.
std::string Contents(const std::string& document) {
  if (document.empty()) return "none";
  const auto rules = route::RuleSet::Parse(document);
  return rules.ok() ? CountedRules(**rules) : "not right";
}

// The document as JSON; as text if it is none; null if there is none.
Json DocumentJson(const std::string& document) {
  if (document.empty()) return nullptr;
  Json json = Json::parse(document, nullptr, /*allow_exceptions=*/false);
  return json.is_discarded() ? Json(document) : json;
}

// "turnout rules VERB SERVICE …", to be repeated as it stands.
std::string Command(std::string_view verb, const std::string& service, const RulesOptions& options,
                    std::string_view rest = "") {
  return fmt::format("turnout rules {} {}{}{}", verb, service, rest,
                     ConnectionFlags(options.registry));
}

absl::Status WriteFile(const std::string& file, const std::string& text) {
  std::FILE* const stream = std::fopen(file.c_str(), "we");
  bool written = stream != nullptr;
  if (stream != nullptr) {
    written = std::fwrite(text.data(), 1, text.size(), stream) == text.size();
    written &= std::fclose(stream) == 0;
  }
  if (written) return absl::OkStatus();
  return absl::InternalError(fmt::format("{}: cannot be written: {}", file, std::strerror(errno)));
}

// What to try next stands behind what went wrong.
int ReportChangeFailure(const ChangeRulesCommand& command, const absl::Status& status) {
  std::string next;
  if (absl::IsAborted(status)) {
    next = fmt::format(". See what is there with `{}`, and say its revision",
                       Command("get", command.service, command.rules));
  } else if (absl::IsNotFound(status) && command.action == Action::kRollBack) {
    next = fmt::format(". `{}` shows them", Command("history", command.service, command.rules));
  } else if (absl::IsNotFound(status)) {
    next = ". `turnout ls` shows all services";
  }
  return ReportFailure({status.code(), std::string{status.message()} + next});
}

absl::StatusOr<StoredRules> Perform(const ChangeRulesCommand& command,
                                    const std::string& document) {
  const RulesChange change{.expected_revision = command.revision, .comment = command.comment};
  switch (command.action) {
    case Action::kPut:
      return PutRules(command.service, document, change, command.rules);
    case Action::kRollBack:
      return RollBackRules(command.service, command.number, change, command.rules);
    case Action::kDelete:
      break;
  }
  if (absl::Status status = DeleteRules(command.service, change, command.rules); !status.ok()) {
    return status;
  }
  return StoredRules();
}

// How to return to what was before; empty if that is not known.
std::string Undo(const ChangeRulesCommand& command, const std::vector<RulesVersion>& history) {
  if (history.empty()) return "";
  if (history.size() > 1) {
    return Command("rollback", command.service, command.rules,
                   fmt::format(" {}", history[1].number));
  }
  return Command("delete", command.service, command.rules);
}

int ReportChange(const ChangeRulesCommand& command, const StoredRules& stored) {
  // The change has been made, whether or not its number can be told.
  const auto history = GetRulesHistory(command.service, command.rules);
  const auto versions = history.ok() ? *history : std::vector<RulesVersion>();
  if (command.json) {
    Json json = {{"service", command.service}, {"revision", stored.revision}, {"version", nullptr}};
    if (!versions.empty()) json["version"] = versions.front().number;
    fmt::print("{}\n", Dump(json));
    return kOk;
  }
  if (stored.revision == 0) {
    fmt::print("{} has no rules any more", command.service);
  } else {
    fmt::print("{}: {} in force, revision {}", command.service, Contents(stored.document),
               stored.revision);
  }
  const std::string undo = Undo(command, versions);
  fmt::print("{}{}\n", undo.empty() ? "" : "; undo: ", undo);
  return kOk;
}

int ReportDryRun(const ChangeRulesCommand& command,
                 const std::shared_ptr<const route::RuleSet>& rules) {
  const auto live = GetLiveRules(command.service, command.rules);
  if (!live.ok() && !absl::IsFailedPrecondition(live.status())) return ReportFailure(live.status());
  if (live.ok() && command.revision.value_or(live->revision) != live->revision) {
    return ReportChangeFailure(command, absl::AbortedError(fmt::format(
                                            "the rules of {} are at revision {} now, not {}",
                                            command.service, live->revision, *command.revision)));
  }
  const auto changes = CompareRules(live.ok() ? live->rules : nullptr, rules);
  if (command.json) {
    Json json = {{"service", command.service},
                 {"revision", live.ok() ? live->revision : 0},
                 {"dry_run", true},
                 {"changes", Json::array()}};
    for (const RuleChange& change : changes) json["changes"].push_back(ToJson(change));
    fmt::print("{}\n", Dump(json));
    return kOk;
  }
  const Paint paint(WantsColour(STDOUT_FILENO));
  if (!live.ok()) PrintError(std::string{live.status().message()});
  fmt::print("{}{}: {} would be in force. Nothing has been written.\n",
             RuleChangeTable(changes, paint), command.service, CountedRules(*rules));
  return kOk;
}

std::string TimeText(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(seconds));
}

Json VersionJson(const RulesVersion& version) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(version.time);
  return {{"version", version.number},
          {"time", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds))},
          {"comment", version.comment},
          {"rules", DocumentJson(version.document)}};
}

int ShowVersion(const RulesHistoryCommand& command, const std::vector<RulesVersion>& history) {
  const auto found = std::ranges::find(history, *command.show, &RulesVersion::number);
  if (found == history.end()) {
    return ReportFailure(absl::NotFoundError(fmt::format(
        "the rules of {} have no version {}. `{}` shows those that are kept", command.service,
        *command.show, Command("history", command.service, command.rules))));
  }
  fmt::print("{}", command.json ? Dump(VersionJson(*found)) + "\n" : Pretty(found->document));
  return kOk;
}

void PrintHistory(const RulesHistoryCommand& command, const StoredRules& stored,
                  const std::vector<RulesVersion>& history) {
  const Paint paint(WantsColour(STDOUT_FILENO));
  const bool known = !history.empty() && history.front().document == stored.document;
  Table table({"VERSION", "TIME", "RULES", "STATUS", "COMMENT"});
  for (const RulesVersion& version : history) {
    const bool in_force = known && &version == &history.front();
    table.Add({paint.Bold(std::to_string(version.number)), TimeText(version.time),
               Contents(version.document), in_force ? paint.Green("in force") : "",
               Printable(version.comment)});
  }
  if (table.empty()) {
    fmt::print("The rules of {} have no history.\n", command.service);
  } else {
    fmt::print("{}", table.ToString(paint));
  }
  if (!known && (stored.revision != 0 || !history.empty())) {
    fmt::print(
        "What is in force ({}) was written by other means; the next change gives it a "
        "version.\n",
        stored.revision == 0 ? "nothing" : fmt::format("revision {}", stored.revision));
  }
}

}  // namespace

int RunGetRules(const GetRulesCommand& command) {
  const auto stored = GetRules(command.service, command.rules);
  if (!stored.ok()) return ReportFailure(stored.status());
  if (stored->revision == 0) {
    return ReportFailure(
        absl::NotFoundError(fmt::format("{} has no rules. Put some with `{}`", command.service,
                                        Command("put", command.service, command.rules, " FILE"))));
  }
  if (!command.output.empty()) {
    const absl::Status status = WriteFile(command.output, Pretty(stored->document));
    if (!status.ok()) return ReportFailure(status);
  }
  if (command.json) {
    fmt::print("{}\n", Dump({{"service", command.service},
                             {"revision", stored->revision},
                             {"rules", DocumentJson(stored->document)}}));
    return kOk;
  }
  if (command.output.empty()) fmt::print("{}", Pretty(stored->document));
  std::fflush(stdout);
  // Apart from the document, so that that can be piped.
  const std::string file = command.output.empty() ? "FILE" : command.output;
  fmt::print(stderr, "revision {}, {}; change it with `{}`\n", stored->revision,
             Contents(stored->document),
             Command("put", command.service, command.rules,
                     fmt::format(" {} --revision {}", file, stored->revision)));
  return kOk;
}

int RunChangeRules(const ChangeRulesCommand& command) {
  std::string document;
  if (command.action == Action::kPut) {
    const auto rules = ReadDocument(command.file);
    if (!rules.ok()) return ReportFailure(rules.status());
    if (command.dry_run) return ReportDryRun(command, *rules);
    document = (*rules)->text();
  }
  const auto stored = Perform(command, document);
  if (!stored.ok()) return ReportChangeFailure(command, stored.status());
  return ReportChange(command, *stored);
}

int RunRulesHistory(const RulesHistoryCommand& command) {
  const auto stored = GetRules(command.service, command.rules);
  if (!stored.ok()) return ReportFailure(stored.status());
  const auto history = GetRulesHistory(command.service, command.rules);
  if (!history.ok()) return ReportFailure(history.status());
  if (command.show.has_value()) return ShowVersion(command, *history);
  if (command.json) {
    Json json = {
        {"service", command.service}, {"revision", stored->revision}, {"versions", Json::array()}};
    for (const RulesVersion& version : *history) json["versions"].push_back(VersionJson(version));
    fmt::print("{}\n", Dump(json));
    return kOk;
  }
  PrintHistory(command, *stored, *history);
  return kOk;
}

}  // namespace turnout::cli
