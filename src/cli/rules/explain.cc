// `turnout explain`: which rule decides a call, why the others do not, and where such calls go.
#include "src/route/explain.h"

#include <unistd.h>

#include <memory>
#include <utility>

#include "fmt/format.h"
#include "src/balance/policy_config.h"
#include "src/balance/text.h"
#include "src/base/mutex.h"
#include "src/cli/commands.h"
#include "src/cli/describe.h"
#include "src/cli/failure.h"
#include "src/cli/rules/calls.h"
#include "src/cli/rules/commands.h"
#include "src/cli/rules/compare.h"
#include "src/cli/rules/document.h"
#include "src/cli/waiting.h"
#include "turnout/discovery.h"

namespace turnout::cli {
namespace {

using SnapshotPtr = std::shared_ptr<const Snapshot>;

// What a client of the service would know now.
absl::StatusOr<SnapshotPtr> FirstSnapshot(const ExplainCommand& command) {
  struct Heard {
    base::Mutex mutex;
    SnapshotPtr snapshot ABSL_GUARDED_BY(mutex);
    absl::Status error ABSL_GUARDED_BY(mutex);
  };
  const auto heard = std::make_shared<Heard>();
  const auto watch = Watch(command.service, command.rules.registry,
                           {.on_snapshot =
                                [heard](SnapshotPtr snapshot) {
                                  const base::MutexLock lock(heard->mutex);
                                  heard->snapshot = std::move(snapshot);
                                  WakeUp();
                                },
                            .on_error =
                                [heard](const absl::Status& error) {
                                  const base::MutexLock lock(heard->mutex);
                                  heard->error = error;
                                }});
  if (!watch.ok()) return watch.status();
  WaitFor(command.rules.timeout, [&heard] {
    const base::MutexLock lock(heard->mutex);
    return heard->snapshot != nullptr;
  });
  const base::MutexLock lock(heard->mutex);
  if (heard->snapshot != nullptr) return heard->snapshot;
  if (!heard->error.ok()) return heard->error;
  return absl::UnavailableError("etcd has not answered in time");
}

absl::StatusOr<route::GivenCall> ParseGivenCall(const ExplainCommand& command) {
  route::GivenCall call;
  auto caller = ParseCaller(command.caller);
  if (!caller.ok()) return caller.status();
  call.caller = *std::move(caller);
  for (const std::string& label : command.caller_labels) {
    if (absl::Status status = AddLabel(label, call.caller); !status.ok()) return status;
  }
  auto path = ParseMethod(command.method);
  if (!path.ok()) return path.status();
  call.path = *std::move(path);
  for (const std::string& pair : command.metadata) {
    if (absl::Status status = AddMetadata(pair, call); !status.ok()) return status;
  }
  if (!command.version.empty()) call.metadata["version"] = command.version;
  return call;
}

std::string VerdictTable(const route::Explanation& explanation, const Paint& paint) {
  Table table({"RULE", "DECIDES", "WHY NOT"});
  for (const auto& verdict : explanation.rules) {
    const bool decides = verdict.why_not.empty();
    table.Add({paint.Bold(Printable(verdict.name)), decides ? paint.Green("yes") : "no",
               Printable(verdict.why_not)});
  }
  return table.empty() ? "" : table.ToString(paint);
}

std::string DestinationTable(const route::Explanation& explanation, const Paint& paint) {
  Table table({"DESTINATION", "SHARE", "INSTANCES"});
  for (std::size_t i = 0; i < explanation.ruling.destinations.size(); ++i) {
    const auto& destination = explanation.ruling.destinations[i];
    const std::size_t instances = explanation.instances[i];
    table.Add({Printable(destination.text), PercentText(destination.share),
               instances == 0 ? paint.Red("0") : std::to_string(instances)});
  }
  return table.empty() ? "" : table.ToString(paint);
}

std::string CandidateTable(const route::Explanation& explanation, const Paint& paint) {
  Table table({"CALLS", "VERSION", "ADDRESS", "STATUS", "ID"});
  for (const auto& [member, share] : explanation.candidates) {
    table.Add({PercentText(share), paint.Bold(VersionText(*member.instance)),
               AddressText(*member.instance), StatusText(member, paint),
               paint.Dim(Printable(member.instance->id))});
  }
  return table.empty() ? "" : table.ToString(paint);
}

std::string FailureTable(const route::Explanation& explanation, const Paint& paint) {
  Table table({"CALLS", "END WITH", "MESSAGE"});
  for (const auto& [status, share] : explanation.failures) {
    table.Add({PercentText(share), paint.Red(absl::StatusCodeToString(status.code())),
               Printable(std::string{status.message()})});
  }
  return table.empty() ? "" : table.ToString(paint);
}

// "8 instances", of which those that are no candidates.
std::string OthersText(const route::Explanation& explanation, const Snapshot& snapshot) {
  const std::size_t others = snapshot.members.size() - explanation.candidates.size();
  if (snapshot.members.empty()) return "No instance is registered.\n";
  if (others == 0) return "";
  return fmt::format("{} of {} cannot be reached by such calls.\n", others,
                     balance::Counted(snapshot.members.size(), "instance"));
}

void PrintText(const ExplainCommand& command, const route::Explanation& explanation,
               const Snapshot& snapshot) {
  const Paint paint(WantsColour(STDOUT_FILENO));
  const std::string source = !command.file.empty() ? fmt::format("the rules of {}", command.file)
                             : snapshot.rules_revision == 0
                                 ? "no rules"
                                 : fmt::format("its rules, revision {}", snapshot.rules_revision);
  fmt::print("A call to {} by {}\n", Printable(command.service), source);
  for (const std::string& table :
       {VerdictTable(explanation, paint), DestinationTable(explanation, paint)}) {
    if (!table.empty()) fmt::print("\n{}", table);
  }
  if (explanation.ruling.rule.empty()) {
    fmt::print("\n{}: the channel decides as it is configured (here: {{\"turnout\":{{}}}}).\n",
               explanation.rules.empty() ? "There are no rules" : "No rule decides it");
  }
  for (const std::string& setting : explanation.ruling.settings) fmt::print("{}\n", setting);
  for (const std::string& table :
       {CandidateTable(explanation, paint), FailureTable(explanation, paint)}) {
    if (!table.empty()) fmt::print("\n{}", table);
  }
  fmt::print("{}", OthersText(explanation, snapshot));
}

Json ExplanationJson(const ExplainCommand& command, const route::Explanation& explanation,
                     const Snapshot& snapshot) {
  Json json = {{"service", command.service},
               {"revision", command.file.empty() ? snapshot.rules_revision : 0},
               {"rules", Json::array()},
               {"decision", ToJson(explanation.ruling)},
               {"instances", Json::array()},
               {"failures", Json::array()}};
  for (const auto& [name, why_not] : explanation.rules) {
    json["rules"].push_back({{"rule", name}, {"decides", why_not.empty()}, {"why_not", why_not}});
  }
  for (std::size_t i = 0; i < explanation.instances.size(); ++i) {
    json["decision"]["destinations"][i]["instances"] = explanation.instances[i];
  }
  for (const auto& [member, share] : explanation.candidates) {
    json["instances"].push_back({{"id", member.instance->id},
                                 {"version", member.instance->version},
                                 {"address", member.instance->address()},
                                 {"status", std::string(ToString(member.status))},
                                 {"share", share}});
  }
  for (const auto& [status, share] : explanation.failures) {
    json["failures"].push_back({{"status", absl::StatusCodeToString(status.code())},
                                {"message", std::string{status.message()}},
                                {"share", share}});
  }
  return json;
}

}  // namespace

int RunExplain(const ExplainCommand& command) {
  const auto call = ParseGivenCall(command);
  if (!call.ok()) return ReportFailure(call.status());
  RuleSetPtr rules;
  if (!command.file.empty()) {
    auto document = ReadDocument(command.file);
    if (!document.ok()) return ReportFailure(document.status());
    rules = *std::move(document);
  }
  const auto snapshot = FirstSnapshot(command);
  if (!snapshot.ok()) return ReportFailure(snapshot.status());
  if (command.file.empty()) rules = (*snapshot)->rules;
  const auto configured = balance::ParsePolicyConfig("turnout", "{}");
  if (!configured.ok()) return ReportFailure(configured.status());
  const route::Explanation explanation =
      route::Explain(rules, **snapshot, *call, (*configured)->picker);
  if (command.json) {
    fmt::print("{}\n", Dump(ExplanationJson(command, explanation, **snapshot)));
  } else {
    PrintText(command, explanation, **snapshot);
  }
  return kOk;
}

}  // namespace turnout::cli
