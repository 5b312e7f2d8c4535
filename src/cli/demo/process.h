// A program that runs as a process of its own, and never longer than we do.
#ifndef TURNOUT_SRC_CLI_DEMO_PROCESS_H_
#define TURNOUT_SRC_CLI_DEMO_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"

namespace turnout::cli {

// Thread-safe. Each line that it prints and its end wake up those who wait (see WaitFor).
class Process {
 public:
  using Clock = std::chrono::steady_clock;

  struct Line {
    std::string text;  // of stdout and stderr alike, without the newline
    Clock::time_point at;
  };

  // `command[0]` is a path. It gets SIGKILL when the calling thread ends, stands in a process group
  // of its own, so that Ctrl-C reaches us alone, and sees neither of our HTTP proxies nor settings
  // for etcd.
  static absl::StatusOr<std::unique_ptr<Process>> Start(std::string name,
                                                        std::vector<std::string> command);

  // Kills it if it still runs. Nothing of it is left after that.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void Signal(int signal);  // nothing if it has ended

  // The first line that has `text` there.
  enum class Where { kAnywhere, kAtStart };
  std::optional<Line> FindLine(std::string_view text, Where where) const;

  // Waits for such a line. The error says what it printed last, if it ended or took too long.
  absl::StatusOr<Line> AwaitLine(std::string_view text, Where where,
                                 std::chrono::milliseconds limit);

  // Waits until it has ended with status 0; an error if it ends in another way or takes too long.
  absl::Status AwaitSuccess(std::chrono::milliseconds limit);

  bool ended() const;
  const std::string& name() const { return name_; }
  pid_t pid() const { return pid_; }

 private:
  Process(std::string name, pid_t pid, int output);
  void Read(int output);
  void Reap();
  absl::Status Problem(std::string_view what) const;

  const std::string name_;
  const pid_t pid_;
  mutable std::mutex mutex_;
  std::deque<Line> lines_;          // the last ones
  std::optional<int> wait_status_;  // once it has ended and is reaped
  std::thread reader_;
};

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_DEMO_PROCESS_H_
