// The command line of turnout_faults.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "tests/faults/matrix.h"
#include "tests/faults/play.h"
#include "tests/faults/roles.h"
#include "tests/support/temporary_folder.h"

namespace turnout::faults {
namespace {

enum ExitStatus { kHeld = 0, kNotHeld = 1, kUsage = 2 };

struct Flags {
  std::vector<std::string> only;
  double minutes = 0;
  PlayOptions play;
  bool list = false;
  bool json = false;
  bool markdown = false;
};

void AddFlags(CLI::App& app, Flags& flags) {
  app.add_flag("--list", flags.list, "Say which faults there are");
  app.add_option("--only", flags.only, "These faults; `random` is a random sequence")
      ->delimiter(',')
      ->type_name("NAME[,NAME]");
  app.add_option("--seed", flags.play.seed, "Decides all that is chosen; the same does the same")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--minutes", flags.minutes,
                 "Random sequences for so long instead, of the seeds N, N + 1, …")
      ->type_name("M")
      ->check(CLI::Range(0.01, 1e5).description(""));
  app.add_option("--steps", flags.play.steps, "Faults in a random sequence")
      ->type_name("K")
      ->check(CLI::Range(1, 1000).description(""))
      ->capture_default_str();
  app.add_option("--logs", flags.play.folder,
                 "Keep all calls and all logs here (default: they are removed)")
      ->type_name("FOLDER");
  app.add_flag("--json", flags.json, "Print the result as one line of JSON");
  app.add_flag("--markdown", flags.markdown, "Print it as a table for docs/reliability.md");
  app.footer(
      "Without --only and --minutes: each fault by itself, then one random sequence (12 minutes).\n"
      "Exit status: 0 if all held, 1 if not, 2 for a wrong command line.\n"
      "Examples:\n"
      "  turnout_faults --list\n"
      "  turnout_faults --only etcd_wiped,leader_killed --logs /tmp/faults\n"
      "  turnout_faults --minutes 30 --seed 1000\n"
      "  turnout_faults --only random --seed 1007      once more what failed");
}

void AddRoles(CLI::App& app, ServerFlags& server, ClientFlags& client) {
  CLI::App& serve = *app.add_subcommand("server", "A server of a stage")->group("");
  serve.add_option("--etcd", server.etcd)->delimiter(',');
  serve.add_option("--service", server.service);
  serve.add_option("--version", server.version);
  serve.add_option("--id", server.id);
  serve.add_option("--listen", server.listen);
  serve.add_option("--advertise", server.advertise);
  serve.add_option("--log", server.log);
  CLI::App& call = *app.add_subcommand("client", "A client of a stage")->group("");
  call.add_option("--etcd", client.etcd)->delimiter(',');
  call.add_option("--threads", client.threads);
  call.add_option("--cache", client.cache);
  call.add_option("--log", client.log);
}

int ReportUsage(const std::string& mistake) {
  std::cerr << "turnout_faults: " << mistake << " (see --help)\n";
  return kUsage;
}

// What is wrong with them; empty: nothing.
std::string Check(const Flags& flags) {
  if (flags.minutes > 0 && !flags.only.empty()) return "--minutes and --only: give one of them";
  if (flags.json && flags.markdown) return "--json and --markdown: give one of them";
  for (const std::string& name : flags.only) {
    if (name != kRandomName && FindFault(name) == nullptr) {
      return "--only: there is no fault \"" + name + "\"; --list says which there are";
    }
  }
  return "";
}

void PrintList() {
  for (const Fault* fault : AllFaults()) {
    std::cout << absl::StreamFormat("%-28s %s\n", std::string(fault->name),
                                    std::string(fault->what));
  }
  std::cout << absl::StreamFormat("%-28s %s\n", std::string(kRandomName),
                                  "several of these, one after another, as the seed says");
}

class Run {
 public:
  explicit Run(Flags flags) : flags_(std::move(flags)) {
    if (flags_.play.folder.empty()) flags_.play.folder = temporary_.emplace().path();
  }

  int Main() {
    if (flags_.minutes > 0) {
      PlayForMinutes();
    } else {
      for (const std::string& name : Names()) PlayOne(name);
    }
    Print();
    return AllOk(outcomes_) ? kHeld : kNotHeld;
  }

 private:
  std::vector<std::string> Names() const {
    if (!flags_.only.empty()) return flags_.only;
    std::vector<std::string> names;
    for (const Fault* fault : AllFaults()) names.emplace_back(fault->name);
    names.emplace_back(kRandomName);
    return names;
  }

  void PlayForMinutes() {
    using std::chrono::steady_clock;
    const auto end =
        steady_clock::now() + std::chrono::duration<double, std::ratio<60>>(flags_.minutes);
    for (; steady_clock::now() < end; ++flags_.play.seed) PlayOne(std::string(kRandomName));
  }

  void PlayOne(const std::string& name) {
    std::cerr << absl::StreamFormat("%-28s ", name) << std::flush;
    Outcome outcome =
        name == kRandomName ? PlayRandom(flags_.play) : Play(*FindFault(name), flags_.play);
    std::cerr << absl::StreamFormat("%s  recovery %5.1f s, %5d calls, %3d failed, slowest %4.0f ms",
                                    outcome.ok() ? "held    " : "NOT HELD",
                                    outcome.recovery_s.value_or(0), outcome.calls, outcome.failed,
                                    outcome.slowest_ms)
              << (outcome.choices.empty() ? "" : "  " + outcome.choices) << "\n";
    if (!outcome.ok()) {
      constexpr std::size_t kMostLines = 12;
      std::cerr << Violations(outcome, kMostLines)
                << absl::StreamFormat("  again: turnout_faults --only %s --seed %d --steps %d\n",
                                      name, flags_.play.seed, flags_.play.steps);
    }
    outcomes_.push_back(std::move(outcome));
  }

  void Print() const {
    if (flags_.json) {
      std::cout << MatrixJson(outcomes_, flags_.play.seed) << "\n";
    } else if (flags_.markdown) {
      std::cout << MatrixMarkdown(outcomes_);
    } else {
      std::cout << "\n" << MatrixTable(outcomes_);
    }
  }

  Flags flags_;
  std::optional<testing::TemporaryFolder> temporary_;
  std::vector<Outcome> outcomes_;
};

int Main(int argc, char** argv) {
  CLI::App app("Lets faults happen to etcd and servers, and holds every call against what must be.",
               "turnout_faults");
  Flags flags;
  ServerFlags server;
  ClientFlags client;
  AddFlags(app, flags);
  AddRoles(app, server, client);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return ReportUsage(error.what());
  }
  if (app.got_subcommand("server")) return RunServer(server);
  if (app.got_subcommand("client")) return RunClient(client);
  if (const std::string mistake = Check(flags); !mistake.empty()) return ReportUsage(mistake);
  if (flags.list) {
    PrintList();
    return kHeld;
  }
  return Run(std::move(flags)).Main();
}

}  // namespace
}  // namespace turnout::faults

int main(int argc, char** argv) { return turnout::faults::Main(argc, argv); }
