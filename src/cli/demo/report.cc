#include "src/cli/demo/report.h"

#include <unistd.h>

#include <cstdio>
#include <set>

#include "fmt/format.h"
#include "src/cli/commands.h"

namespace turnout::cli {
namespace {

constexpr std::string_view kIndent = "      ";

double Seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

std::string MillisecondsText(std::chrono::nanoseconds duration) {
  return fmt::format("{:.1f} ms", Seconds(duration) * 1000);
}

}  // namespace

Report::Report(bool json) : json_(json), paint_(WantsColour(STDOUT_FILENO)) {
  Print(paint_.Bold("Servers register in etcd; a client finds them there and picks by version."));
}

void Report::Print(std::string_view line) const {
  if (json_) return;
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

void Report::BeginStep(std::string_view title) {
  steps_.push_back({{"title", title}, {"ok", true}, {"facts", Json::array()}});
  Print(fmt::format("\n{:>2}  {}", steps_.size(), paint_.Bold(title)));
}

void Report::Fact(std::string_view fact) {
  steps_.back()["facts"].push_back(fact);
  Print(fmt::format("    {} {}", paint_.Green("✓"), Printable(fact)));
}

void Report::Problem(std::string_view problem) {
  ok_ = false;
  steps_.back()["ok"] = false;
  steps_.back()["problem"] = problem;
  Print(fmt::format("    {} {}", paint_.Red("✗"), Printable(problem)));
}

void Report::Registry(const Snapshot& snapshot) {
  steps_.back()["registry"] = cli::ToJson(snapshot);
  std::string table = InstanceTable(snapshot, paint_, kIndent);
  if (!table.empty()) table.pop_back();
  Print(table);
}

void Report::AddCalls(std::string phase, Calls calls) {
  phases_.emplace_back(std::move(phase), std::move(calls));
}

void Report::AddReaction(std::string change, std::chrono::nanoseconds took, std::string measured) {
  reactions_.push_back({std::move(change), took, std::move(measured)});
}

Table Report::AnswersTable() const {
  std::vector<std::string> headings = {"ANSWERED BY"};
  std::set<std::string> servers;
  std::vector<std::string> failed = {"failed"};
  for (const auto& [phase, calls] : phases_) {
    headings.push_back(phase);
    for (const auto& [answer, answers] : calls.answers) servers.insert(answer);
    failed.push_back(std::to_string(calls.failures.size()));
  }
  Table table(headings);
  for (const std::string& server : servers) {
    std::vector<std::string> row = {Printable(server)};
    for (const auto& [phase, calls] : phases_) {
      const std::size_t count = calls.CountOf(server);
      row.push_back(count == 0 ? "-" : std::to_string(count));
    }
    table.Add(std::move(row));
  }
  table.Add(std::move(failed));
  return table;
}

Table Report::ReactionsTable() const {
  Table table({"CHANGE", "TOOK", "MEASURED"});
  for (const Reaction& reaction : reactions_) {
    table.Add({Printable(reaction.change), paint_.Bold(MillisecondsText(reaction.took)),
               paint_.Dim(reaction.measured)});
  }
  return table;
}

Json Report::CallsJson() const {
  Json phases = Json::array();
  for (const auto& [phase, calls] : phases_) {
    Json by_output = Json::object();
    for (const auto& [answer, answers] : calls.answers) by_output[answer] = answers.count;
    Json errors = Json::object();
    for (const Calls::Failure& failure : calls.failures) {
      errors[failure.error] = errors.value(failure.error, 0) + 1;
    }
    phases.push_back({{"phase", phase},
                      {"calls", calls.total()},
                      {"by_output", std::move(by_output)},
                      {"errors", std::move(errors)}});
  }
  return phases;
}

Json Report::ToJson() const {
  Json reactions = Json::array();
  for (const Reaction& reaction : reactions_) {
    reactions.push_back({{"change", reaction.change},
                         {"ms", Seconds(reaction.took) * 1000},
                         {"measured", reaction.measured}});
  }
  return {{"ok", ok_},
          {"seconds", Seconds(CallClock::now() - started_)},
          {"steps", steps_},
          {"calls", CallsJson()},
          {"reactions", std::move(reactions)}};
}

int Report::End() {
  if (json_) {
    fmt::print("{}\n", Dump(ToJson()));
    std::fflush(stdout);
    return ok_ ? kOk : kFailed;
  }
  if (!phases_.empty()) {
    Print("\n" + paint_.Bold("Who answered the calls"));
    Print(AnswersTable().ToString(paint_));
  }
  if (!reactions_.empty()) {
    Print(paint_.Bold("How soon the client knew"));
    Print(ReactionsTable().ToString(paint_));
  }
  const double seconds = Seconds(CallClock::now() - started_);
  Print(ok_ ? paint_.Green(fmt::format("Everything came out as it should, in {:.1f} s.", seconds))
            : paint_.Red("Not everything came out as it should: see ✗ above."));
  return ok_ ? kOk : kFailed;
}

}  // namespace turnout::cli
