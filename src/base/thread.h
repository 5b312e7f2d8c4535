// Starts the library's own threads.
#ifndef TURNOUT_SRC_BASE_THREAD_H_
#define TURNOUT_SRC_BASE_THREAD_H_

#include <functional>
#include <string>

namespace turnout::base {

// Runs `body` on a detached thread called `name` (at most 15 bytes), with all signals blocked: the
// program's handlers run on the program's threads.
void StartThread(const std::string& name, std::function<void()> body);

}  // namespace turnout::base

#endif  // TURNOUT_SRC_BASE_THREAD_H_
