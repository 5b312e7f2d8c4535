#include "tests/faults/play.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace turnout::faults {
namespace {

// Calls go on for so long after all is right again.
constexpr std::chrono::milliseconds kCalm{700};

// What a process may log of a fault: a beginning, and two lines in a second. Backoff makes it less
// the longer it takes.
constexpr double kLogLines = 20;
constexpr double kLogLinesASecond = 2;

double Seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

std::string NewFolder(const PlayOptions& options, std::string_view name) {
  std::string folder = absl::StrCat(options.folder, "/",
                                    absl::string_view(name.data(), name.size()), "-", options.seed);
  std::filesystem::create_directories(folder);
  return folder;
}

void CheckLogs(const std::map<std::string, int>& before, const std::map<std::string, int>& after,
               double seconds, std::vector<std::string>& violations) {
  const double most = kLogLines + kLogLinesASecond * seconds;
  for (const auto& [process, lines] : after) {
    const auto found = before.find(process);
    const int added = lines - (found == before.end() ? 0 : found->second);
    if (added <= most) continue;
    violations.push_back(absl::StrFormat("%s has logged %d lines in %.0f s, may log %.0f", process,
                                         added, seconds, most));
  }
}

class Theatre {
 public:
  Theatre(StageKind kind, std::string folder, Random& random)
      : stage_(kind, std::move(folder)), random_(random) {}

  Outcome Play(const Fault& fault) {
    const auto begin = Clock::now();
    const auto logs = stage_.CountLogLines();
    Scene scene(stage_, random_, rules_);
    fault.happen(scene);
    scene.Pass(kCalm);
    const Verdict verdict = Judge(stage_.TakeCalls(), rules_);
    Outcome outcome{.name = std::string(fault.name),
                    .what = std::string(fault.what),
                    .expected = std::string(fault.expected),
                    .choices = scene.choices(),
                    .recovery_s = RecoverySeconds(scene, verdict),
                    .slowest_ms = 1e3 * Seconds(verdict.slowest),
                    .calls = verdict.calls,
                    .failed = verdict.failed,
                    .violations = scene.violations()};
    outcome.violations.insert(outcome.violations.end(), verdict.violations.begin(),
                              verdict.violations.end());
    if (stage_.AClientHasEnded()) outcome.violations.emplace_back("a client has ended");
    CheckLogs(logs, stage_.CountLogLines(), Seconds(Clock::now() - begin), outcome.violations);
    return outcome;
  }

 private:
  // Calls must succeed too.
  static std::optional<double> RecoverySeconds(const Scene& scene, const Verdict& verdict) {
    if (!scene.recovery().has_value()) return std::nullopt;
    return Seconds(
        std::max(*scene.recovery(), verdict.last_failure - scene.recovery_begin().value()));
  }

  Stage stage_;
  Random& random_;
  Rules rules_;
};

void Append(const Outcome& step, Outcome& whole) {
  absl::StrAppend(&whole.choices, whole.choices.empty() ? "" : "; ", step.name,
                  step.choices.empty() ? "" : absl::StrCat(" (", step.choices, ")"));
  if (step.recovery_s.has_value()) {
    whole.recovery_s = std::max(whole.recovery_s.value_or(0), *step.recovery_s);
  }
  whole.slowest_ms = std::max(whole.slowest_ms, step.slowest_ms);
  whole.calls += step.calls;
  whole.failed += step.failed;
  for (const std::string& violation : step.violations) {
    whole.violations.push_back(absl::StrCat(step.name, ": ", violation));
  }
}

}  // namespace

Outcome Play(const Fault& fault, const PlayOptions& options) {
  Random random(options.seed);
  return Theatre(StageFor(fault), NewFolder(options, fault.name), random).Play(fault);
}

Sequence Choose(Random& random, int steps) {
  constexpr std::array kStages = {StageKind::kOneMember, StageKind::kRelayed,
                                  StageKind::kThreeMembers};
  Sequence sequence{.stage = kStages[random.Below(kStages.size())], .faults = {}};
  std::vector<const Fault*> possible;
  for (const Fault* fault : AllFaults()) {
    if (CanHappenOn(*fault, sequence.stage)) possible.push_back(fault);
  }
  for (int i = 0; i < steps; ++i) {
    sequence.faults.push_back(possible[random.Below(possible.size())]);
  }
  return sequence;
}

Outcome PlayRandom(const PlayOptions& options) {
  Random random(options.seed);
  const Sequence sequence = Choose(random, options.steps);
  Theatre theatre(sequence.stage, NewFolder(options, kRandomName), random);
  Outcome whole{.name = absl::StrCat("random, seed ", options.seed),
                .what = absl::StrCat(options.steps, " of the others, one after another"),
                .expected = "as of each",
                .choices = {},
                .violations = {}};
  for (const Fault* fault : sequence.faults) {
    Append(theatre.Play(*fault), whole);
    if (!whole.ok()) break;
  }
  return whole;
}

}  // namespace turnout::faults
