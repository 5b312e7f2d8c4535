#include "examples/app.h"

#include <pthread.h>
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "absl/strings/str_cat.h"

namespace app {
namespace {

int Report(const CLI::App& flags, std::string what, int exit_status) {
  std::replace(what.begin(), what.end(), '\n', ' ');
  std::cerr << flags.get_name() << ": " << what << std::endl;
  return exit_status;
}

spdlog::level::level_enum LevelOf(turnout::LogSeverity severity) {
  switch (severity) {
    case turnout::LogSeverity::kDebug:
      return spdlog::level::debug;
    case turnout::LogSeverity::kInfo:
      return spdlog::level::info;
    case turnout::LogSeverity::kWarning:
      return spdlog::level::warn;
    case turnout::LogSeverity::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

sigset_t EndingSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

std::optional<int> ParseFlags(CLI::App& flags, int argc, char** argv) {
  try {
    flags.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::CallForHelp& help) {
    return flags.exit(help);
  } catch (const CLI::ParseError& mistake) {
    return Report(flags, absl::StrCat(mistake.what(), " (see --help)"), kUsage);
  }
}

int Fail(const CLI::App& flags, const absl::Status& status) {
  return Report(flags, std::string{status.message()},
                absl::IsInvalidArgument(status) ? kUsage : kFailed);
}

void LogToStderr(turnout::LogSeverity least) {
  setenv("GRPC_VERBOSITY", "NONE", /*replace=*/0);
  auto logger = spdlog::stderr_logger_mt("turnout");
  logger->set_level(spdlog::level::debug);
  logger->set_pattern("%H:%M:%S.%e %l %v");
  turnout::SetLogSink(
      [logger](const turnout::LogEntry& entry) {
        logger->log(LevelOf(entry.severity), "{}: {}", entry.component, entry.message);
      },
      least);
}

void BlockSignals() {
  const sigset_t signals = EndingSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

void WaitForSignal() {
  const sigset_t signals = EndingSignals();
  int signal = 0;
  sigwait(&signals, &signal);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

}  // namespace app
