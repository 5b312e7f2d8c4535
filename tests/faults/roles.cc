#include "tests/faults/roles.h"

#include <pthread.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "turnout/log.h"

namespace turnout::faults {
namespace {

sigset_t EndingSignal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

void LogTo(const std::string& file) {
  setenv("GRPC_VERBOSITY", "NONE", /*replace=*/0);
  std::FILE* const opened = std::fopen(file.c_str(), "ae");
  if (opened == nullptr) {
    std::perror(file.c_str());
    std::exit(EXIT_FAILURE);
  }
  SetLogSink([out = std::shared_ptr<std::FILE>(opened, &std::fclose)](const LogEntry& entry) {
    const std::string time = absl::FormatTime("%H:%M:%E3S", absl::Now(), absl::LocalTimeZone());
    const std::string line = time + " " + std::string(ToString(entry.severity)) + " " +
                             std::string(entry.component) + ": " + std::string(entry.message) +
                             "\n";
    std::fputs(line.c_str(), out.get());
    std::fflush(out.get());
  });
}

void BlockEnd() {
  const sigset_t signals = EndingSignal();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

void WaitForEnd() {
  const sigset_t signals = EndingSignal();
  int signal = 0;
  sigwait(&signals, &signal);
}

}  // namespace turnout::faults
