// What the library has to say. It prints nothing by itself: without a sink, nothing is logged.
#ifndef TURNOUT_LOG_H_
#define TURNOUT_LOG_H_

#include <functional>
#include <string>
#include <string_view>

namespace turnout {

enum class LogSeverity { kDebug, kInfo, kWarning, kError };

std::string_view ToString(LogSeverity severity);  // "debug", "info", ...

struct LogEntry {
  LogSeverity severity;
  std::string_view component;  // "registrar", "discovery", "etcd", "adapter", ...
  std::string_view message;    // one line, no trailing newline, never a secret
};

using LogSink = std::function<void(const LogEntry&)>;

// Sets the process's sink and the least severity that it wants; an empty sink turns logging off.
// Entries come from one thread of the library's own, in order; a sink that blocks delays later
// entries and nothing else, and while 10,000 wait, new ones are counted and dropped. Thread-safe.
void SetLogSink(LogSink sink, LogSeverity least = LogSeverity::kInfo);

}  // namespace turnout

#endif  // TURNOUT_LOG_H_
