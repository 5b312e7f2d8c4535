// Reporting from inside the library: log entries, observer events, counters. Never blocks; user
// code runs on the report thread (see turnout/log.h, turnout/observer.h).
#ifndef TURNOUT_SRC_BASE_LOG_H_
#define TURNOUT_SRC_BASE_LOG_H_

#include <string>
#include <string_view>

#include "turnout/log.h"

namespace turnout::base {

// Is there a sink that wants this severity? Ask before composing a costly message.
bool LogWanted(LogSeverity severity);

// `component` is a literal.
void Log(LogSeverity severity, std::string_view component, std::string message);

}  // namespace turnout::base

#endif  // TURNOUT_SRC_BASE_LOG_H_
