// `turnout rules check`: is a document right, and what would it change?
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "src/balance/text.h"
#include "src/cli/commands.h"
#include "src/cli/connection.h"
#include "src/cli/failure.h"
#include "src/cli/rules/calls.h"
#include "src/cli/rules/commands.h"
#include "src/cli/rules/compare.h"
#include "src/cli/rules/document.h"
#include "src/cli/rules/stored.h"

namespace turnout::cli {
namespace {

struct Comparison {
  RuleSetPtr rules;
  LiveRules live;
  std::vector<RuleChange> changes;
  std::vector<CallGroup> groups;
  std::int64_t calls = 0;
  std::int64_t differing = 0;
};

absl::StatusOr<std::vector<CountedCall>> ReadCalls(const CheckRulesCommand& command) {
  std::vector<CountedCall> calls;
  if (!command.recorded_calls.empty()) {
    const auto lines = ReadInput(command.recorded_calls);
    if (!lines.ok()) return lines.status();
    auto recorded = ParseRecordedCalls(*lines, command.against_live);
    if (!recorded.ok()) {
      return absl::InvalidArgumentError(fmt::format("{}: {}", InputName(command.recorded_calls),
                                                    std::string{recorded.status().message()}));
    }
    calls = *std::move(recorded);
  }
  for (const std::string& text : command.calls) {
    auto call = ParseCall(text);
    if (!call.ok()) return call.status();
    calls.push_back(*std::move(call));
  }
  return calls;
}

absl::StatusOr<Comparison> Compare(const CheckRulesCommand& command) {
  Comparison comparison;
  auto rules = ReadDocument(command.file);
  if (!rules.ok()) return rules.status();
  comparison.rules = *std::move(rules);
  const auto calls = ReadCalls(command);
  if (!calls.ok()) return calls.status();
  if (!command.against_live.empty()) {
    auto live = GetLiveRules(command.against_live, command.rules);
    if (!live.ok()) return live.status();
    comparison.live = *std::move(live);
    comparison.changes = CompareRules(comparison.live.rules, comparison.rules);
  }
  comparison.groups = CompareCalls(comparison.live.rules, comparison.rules, *calls);
  for (const CallGroup& group : comparison.groups) {
    comparison.calls += group.count;
    if (group.differs()) comparison.differing += group.count;
  }
  return comparison;
}

std::string CallTable(const std::vector<CallGroup>& groups, bool against_live, const Paint& paint) {
  Table table({"CALLS", "CALLER", "METHOD", "METADATA", against_live ? "NOW" : "DECIDED BY",
               against_live ? "THEN" : ""});
  for (const CallGroup& group : groups) {
    if (against_live && !group.differs()) continue;
    std::string then = RulingText(group.after);
    table.Add({std::to_string(group.count), CallerText(group.example.caller),
               Printable(group.example.path), MetadataText(group.example),
               against_live ? RulingText(group.before) : then,
               against_live ? paint.Bold(then) : ""});
  }
  return table.empty() ? "" : table.ToString(paint);
}

void PrintAgainstLive(const CheckRulesCommand& command, const Comparison& comparison,
                      const Paint& paint) {
  const std::string& service = command.against_live;
  if (comparison.live.rules == nullptr) {
    fmt::print("{} has no rules yet.\n", service);
  } else {
    fmt::print("Against the rules of {}, revision {}:\n", service, comparison.live.revision);
  }
  if (comparison.changes.empty()) fmt::print("No rule differs.\n");
  fmt::print("{}", RuleChangeTable(comparison.changes, paint));
  if (comparison.calls > 0) {
    fmt::print("\n{}{} of {} would be decided differently.\n",
               CallTable(comparison.groups, true, paint), comparison.differing,
               balance::Counted(static_cast<std::size_t>(comparison.calls), "call"));
  }
  if (comparison.changes.empty()) return;
  fmt::print("\nPut them in force: turnout rules put {} {} --revision {}{}\n", service,
             command.file, comparison.live.revision, ConnectionFlags(command.rules.registry));
}

Json GroupJson(const CallGroup& group, bool against_live) {
  Json json = {{"count", group.count},
               {"caller", ToJson(group.example.caller)},
               {"method", group.example.path},
               {"metadata", group.example.metadata}};
  if (against_live) json["now"] = ToJson(group.before);
  json["then"] = ToJson(group.after);
  return json;
}

Json ComparisonJson(const CheckRulesCommand& command, const Comparison& comparison) {
  const bool against_live = !command.against_live.empty();
  Json json = {{"ok", true}, {"rules", CountedRules(*comparison.rules)}};
  if (against_live) {
    json["service"] = command.against_live;
    json["revision"] = comparison.live.revision;
    json["changes"] = Json::array();
    for (const RuleChange& change : comparison.changes) json["changes"].push_back(ToJson(change));
    json["differing_calls"] = comparison.differing;
  }
  json["all_calls"] = comparison.calls;
  json["calls"] = Json::array();
  for (const CallGroup& group : comparison.groups) {
    if (!against_live || group.differs()) json["calls"].push_back(GroupJson(group, against_live));
  }
  return json;
}

}  // namespace

int RunCheckRules(const CheckRulesCommand& command) {
  const auto comparison = Compare(command);
  if (!comparison.ok()) return ReportFailure(comparison.status());
  if (command.json) {
    fmt::print("{}\n", Dump(ComparisonJson(command, *comparison)));
    return kOk;
  }
  const Paint paint(WantsColour(STDOUT_FILENO));
  fmt::print("{} is right: {}.\n", InputName(command.file), CountedRules(*comparison->rules));
  if (!command.against_live.empty()) {
    PrintAgainstLive(command, *comparison, paint);
  } else if (comparison->calls > 0) {
    fmt::print("\n{}", CallTable(comparison->groups, false, paint));
  }
  return kOk;
}

}  // namespace turnout::cli
