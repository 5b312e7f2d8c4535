#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <utility>

extern "C" {  // which this header of Debian 12 lacks
}

namespace turnout::testing {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::abort();
}

// In the child of a process with threads: only what is async-signal-safe.
[[noreturn]] void Become(char* const* arguments, int output, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(output, STDOUT_FILENO);
  execv(arguments[0], arguments);
  _exit(127);
}

// Is `fd` readable before the deadline?
bool WaitReadable(int fd, Clock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd waited{fd, POLLIN, 0};
    const int ready = poll(&waited, 1, left.count() > 0 ? static_cast<int>(left.count()) : 0);
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) Die("poll");
  }
}

}  // namespace

Process::Process(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) Die("pipe2");
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) Die("fork");
  if (pid_ == 0) Become(arguments.data(), pipe_ends[1], parent);
  close(pipe_ends[1]);
  output_ = pipe_ends[0];
  pid_fd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (pid_fd_ < 0) Die("pidfd_open");
}

Process::~Process() {
  if (!status_.has_value()) {
    Signal(SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(pid_fd_);
  close(output_);
}

bool Process::Fill(Clock::time_point deadline) {
  if (at_end_ || !WaitReadable(output_, deadline)) return false;
  std::array<char, 4096> chunk{};
  const ssize_t count = read(output_, chunk.data(), chunk.size());
  if (count < 0 && errno != EINTR) Die("read");
  if (count == 0) at_end_ = true;
  if (count > 0) buffer_.append(chunk.data(), static_cast<std::size_t>(count));
  return !at_end_;
}

std::optional<std::string> Process::ReadLine(std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (buffer_.find('\n') == std::string::npos && Fill(deadline)) {
  }
  const std::size_t end = buffer_.find('\n');
  if (end == std::string::npos && (!at_end_ || buffer_.empty())) return std::nullopt;
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end == std::string::npos ? end : end + 1);
  return line;
}

std::string Process::ReadAll(std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (Fill(deadline)) {
  }
  return std::exchange(buffer_, std::string());
}

void Process::Signal(int signal) const {
  if (!status_.has_value()) kill(pid_, signal);
}

std::optional<int> Process::Wait(std::chrono::milliseconds timeout) {
  if (status_.has_value()) return status_;
  if (!WaitReadable(pid_fd_, Clock::now() + timeout)) return std::nullopt;
  int status = 0;
  if (waitpid(pid_, &status, 0) != pid_) Die("waitpid");
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return status_;
}

std::string Program(const std::string& name) {
  const char* folder = std::getenv("TURNOUT_TEST_BIN_DIR");
  return folder == nullptr ? name : std::string(folder) + "/" + name;
}

}  // namespace turnout::testing
