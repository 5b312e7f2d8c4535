#include "src/cli/logging.h"

#include "spdlog/logger.h"
#include "spdlog/sinks/stdout_color_sinks.h"
#include "src/cli/text.h"
#include "turnout/log.h"

namespace turnout::cli {
namespace {

spdlog::level::level_enum Level(LogSeverity severity) {
  switch (severity) {
    case LogSeverity::kDebug:
      return spdlog::level::debug;
    case LogSeverity::kInfo:
      return spdlog::level::info;
    case LogSeverity::kWarning:
      return spdlog::level::warn;
    case LogSeverity::kError:
      break;
  }
  return spdlog::level::err;
}

LogSeverity Least(int verbosity) {
  if (verbosity <= 0) return LogSeverity::kError;
  return verbosity == 1 ? LogSeverity::kInfo : LogSeverity::kDebug;
}

}  // namespace

void LogToStderr(int verbosity) {
  // Leaked: the library logs until the process is gone.
  static auto& logger =
      *new spdlog::logger("turnout", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger.set_level(spdlog::level::trace);
  logger.set_pattern("%H:%M:%S.%e %^%l%$ %v");
  SetLogSink(
      [](const LogEntry& entry) {
        logger.log(Level(entry.severity), "{}: {}", entry.component, Printable(entry.message));
      },
      Least(verbosity));
}

}  // namespace turnout::cli
