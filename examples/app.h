// What app_server and app_client have in common: flags, exit statuses, log, signals.
#ifndef TURNOUT_EXAMPLES_APP_H_
#define TURNOUT_EXAMPLES_APP_H_

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "turnout/log.h"

namespace app {

enum ExitStatus { kOk = 0, kFailed = 1, kUsage = 2 };

// The exit status, if the program is to end now: after --help, or after a mistake, which it reports
// in one line on stderr.
std::optional<int> ParseFlags(CLI::App& flags, int argc, char** argv);

// Reports `status` in one line on stderr. The exit status: InvalidArgument is the fault of a flag.
int Fail(const CLI::App& flags, const absl::Status& status);

// The library's log goes to stderr; gRPC's own only if GRPC_VERBOSITY asks for it. Before any use
// of gRPC.
void LogToStderr(turnout::LogSeverity least);

// SIGINT and SIGTERM wait for WaitForSignal, in all threads that are started after this.
void BlockSignals();
// Blocks until one of them comes. The next one then ends the process at once.
void WaitForSignal();

}  // namespace app

#endif  // TURNOUT_EXAMPLES_APP_H_
