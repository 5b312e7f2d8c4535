#include "src/base/log.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "src/base/fork.h"
#include "src/base/mutex.h"
#include "src/base/report_queue.h"

namespace turnout {
namespace base {
namespace {

constexpr std::size_t kMostWaiting = 10'000;
constexpr int kNothing = static_cast<int>(LogSeverity::kError) + 1;

struct Logger {
  std::atomic<int> least{kNothing};  // severities below it are not wanted
  Mutex mutex;
  std::shared_ptr<const LogSink> sink ABSL_GUARDED_BY(mutex);
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

ReportQueue& Queue() {
  static ReportQueue& queue = *new ReportQueue(kMostWaiting, [](std::uint64_t dropped) {
    Deliver(LogSeverity::kWarning, "log", std::to_string(dropped) + " entries dropped");
  });
  return queue;
}

}  // namespace

bool LogWanted(LogSeverity severity) {
  return static_cast<int>(severity) >= TheLogger().least.load(std::memory_order_relaxed);
}

void Log(LogSeverity severity, std::string_view component, std::string message) {
  if (InForkedChild() || !LogWanted(severity)) return;
  Queue().Run([severity, component, message = std::move(message)] {
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
