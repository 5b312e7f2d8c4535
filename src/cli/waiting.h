// Where the program waits: for what other threads bring about, for at most some time, and never
// longer than until the user wants it to end (SIGINT, SIGTERM, SIGHUP).
#ifndef TURNOUT_SRC_CLI_WAITING_H_
#define TURNOUT_SRC_CLI_WAITING_H_

#include <chrono>
#include <functional>

namespace turnout::cli {

// From now on these signals make StopSignal say so, and end every WaitFor. Call it before any other
// thread is started: all inherit that the signals do not interrupt them.
void CatchStopSignals();

// The signal that came; 0 while there was none.
int StopSignal();

// Has `done` asked at once, after each WakeUp, and when the time is over; returns its last answer.
// `done` must not call WakeUp.
bool WaitFor(std::chrono::milliseconds limit, const std::function<bool()>& done);

// From any thread: something has changed.
void WakeUp();

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_WAITING_H_
