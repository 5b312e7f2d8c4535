// What the library logs, on stderr.
#ifndef TURNOUT_SRC_CLI_LOGGING_H_
#define TURNOUT_SRC_CLI_LOGGING_H_

namespace turnout::cli {

// 0: errors only, for the commands themselves report what the user has to know; 1: what happens;
// 2: all.
void LogToStderr(int verbosity);

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_LOGGING_H_
