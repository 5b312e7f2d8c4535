#include "src/base/log.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "src/base/mutex.h"
#include "src/base/serial_thread.h"

namespace turnout {
namespace base {
namespace {

constexpr std::size_t kMostWaiting = 10'000;
constexpr int kNothing = static_cast<int>(LogSeverity::kError) + 1;

struct Logger {
  std::atomic<int> least{kNothing};  // severities below it are not wanted
  Mutex mutex;
  std::shared_ptr<const LogSink> sink ABSL_GUARDED_BY(mutex);
  std::size_t waiting ABSL_GUARDED_BY(mutex) = 0;
  std::uint64_t dropped ABSL_GUARDED_BY(mutex) = 0;  // since the report thread last said so
};

Logger& TheLogger() {
  static Logger& logger = *new Logger;
  return logger;
}

void Deliver(LogSeverity severity, std::string_view component, std::string_view message) {
  Logger& logger = TheLogger();
  std::shared_ptr<const LogSink> sink;
  {
    MutexLock lock(logger.mutex);
    sink = logger.sink;
  }
  if (sink) (*sink)(LogEntry{severity, component, message});
}

void DeliverDropped() {
  Logger& logger = TheLogger();
  std::uint64_t dropped = 0;
  {
    MutexLock lock(logger.mutex);
    std::swap(dropped, logger.dropped);
  }
  Deliver(LogSeverity::kWarning, "log", std::to_string(dropped) + " entries dropped");
}

}  // namespace

bool LogWanted(LogSeverity severity) {
  return static_cast<int>(severity) >= TheLogger().least.load(std::memory_order_relaxed);
}

void Log(LogSeverity severity, std::string_view component, std::string message) {
  if (!LogWanted(severity)) return;
  Logger& logger = TheLogger();
  {
    MutexLock lock(logger.mutex);
    if (logger.waiting == kMostWaiting) {
      // The notice takes its place in the order now, and says how many there were when it comes.
      if (logger.dropped++ == 0) ReportThread().Run(DeliverDropped);
      return;
    }
    ++logger.waiting;
  }
  ReportThread().Run([severity, component, message = std::move(message)] {
    {
      MutexLock lock(TheLogger().mutex);
      --TheLogger().waiting;
    }
    Deliver(severity, component, message);
  });
}

}  // namespace base

std::string_view ToString(LogSeverity severity) {
  switch (severity) {
    case LogSeverity::kDebug:
      return "debug";
    case LogSeverity::kInfo:
      return "info";
    case LogSeverity::kWarning:
      return "warning";
    case LogSeverity::kError:
      return "error";
  }
  return "unknown";
}

void SetLogSink(LogSink sink, LogSeverity least) {
  base::Logger& logger = base::TheLogger();
  base::MutexLock lock(logger.mutex);
  logger.least = sink ? static_cast<int>(least) : base::kNothing;
  logger.sink = sink ? std::make_shared<const LogSink>(std::move(sink)) : nullptr;
}

}  // namespace turnout
