// A program that a test runs: its output line by line, its end, and never more of it than the test.
//
// One thread at a time. Every wait has a deadline.
#ifndef TURNOUT_TESTS_SUPPORT_PROCESS_H_
#define TURNOUT_TESTS_SUPPORT_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace turnout::testing {

inline constexpr std::chrono::seconds kPatience{20};  // far above what any single step takes

class Process {
 public:
  // Starts `command[0]`. Its standard output comes to us, its standard error goes where ours goes.
  // A program that cannot be started ends with status 127.
  explicit Process(const std::vector<std::string>& command);

  // SIGKILL, unless it has ended. It is also killed when the thread that made it ends.
  ~Process();

  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // The next line without its end; what is left at the end of the output counts as one. Nothing at
  // the end of the output, or when the time is over.
  std::optional<std::string> ReadLine(std::chrono::milliseconds timeout = kPatience);
  // Everything up to the end of the output.
  std::string ReadAll(std::chrono::milliseconds timeout = kPatience);

  void Signal(int signal) const;

  // Its exit status, or minus the signal that ended it. Nothing when the time is over.
  std::optional<int> Wait(std::chrono::milliseconds timeout = kPatience);

  pid_t pid() const { return pid_; }

 private:
  bool Fill(std::chrono::steady_clock::time_point deadline);

  pid_t pid_ = -1;
  int pid_fd_ = -1;
  int output_ = -1;
  std::string buffer_;
  bool at_end_ = false;
  std::optional<int> status_;
};

// One of the build's programs, `app_server`: TURNOUT_TEST_BIN_DIR names their folder.
std::string Program(const std::string& name);

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_PROCESS_H_
