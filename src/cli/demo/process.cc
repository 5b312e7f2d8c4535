#include "src/cli/demo/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "fmt/format.h"
#include "src/cli/waiting.h"

namespace turnout::cli {
namespace {

constexpr std::size_t kMostLines = 1000;

// What would change how programs talk to each other on this machine.
bool IsPassedOn(std::string_view variable) {
  if (variable.starts_with("ETCD_")) return variable.starts_with("ETCD_UNSUPPORTED_ARCH=");
  return !variable.starts_with("http_proxy=") && !variable.starts_with("https_proxy=") &&
         !variable.starts_with("grpc_proxy=") && !variable.starts_with("TURNOUT_");
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (std::string& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

// In the child, between fork and exec: only what is safe there.
[[noreturn]] void BecomeProgram(pid_t parent, int output, char* const* command,
                                char* const* environment) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it was gone before prctl
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  const int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (input >= 0) dup2(input, STDIN_FILENO);
  execve(command[0], command, environment);
  constexpr std::string_view kMessage = "cannot be run\n";
  if (write(STDERR_FILENO, kMessage.data(), kMessage.size()) < 0) _exit(126);
  _exit(127);
}

std::string DescribeEnd(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    return fmt::format("was ended by signal {}", WTERMSIG(wait_status));
  }
  return fmt::format("ended with status {}", WEXITSTATUS(wait_status));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Process>> Process::Start(std::string name,
                                                        std::vector<std::string> command) {
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) {
    return absl::InternalError(fmt::format("pipe: {}", std::strerror(errno)));
  }
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (IsPassedOn(*variable)) variables.emplace_back(*variable);
  }
  const std::vector<char*> arguments = Pointers(command);
  const std::vector<char*> environment = Pointers(variables);

  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) BecomeProgram(parent, pipe_ends[1], arguments.data(), environment.data());
  close(pipe_ends[1]);
  if (pid < 0) {
    close(pipe_ends[0]);
    return absl::InternalError(fmt::format("fork: {}", std::strerror(errno)));
  }
  return std::unique_ptr<Process>(new Process(std::move(name), pid, pipe_ends[0]));
}

Process::Process(std::string name, pid_t pid, int output)
    : name_(std::move(name)), pid_(pid), reader_([this, output] { Read(output); }) {}

Process::~Process() {
  Signal(SIGKILL);
  reader_.join();
}

void Process::Signal(int signal) {
  const std::lock_guard lock(mutex_);
  if (!wait_status_.has_value()) kill(pid_, signal);
}

void Process::Read(int output) {
  std::string pending;
  std::array<char, 4096> chunk{};
  for (;;) {
    const ssize_t size = read(output, chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    const Clock::time_point now = Clock::now();
    pending.append(chunk.data(), static_cast<std::size_t>(size));
    const std::lock_guard lock(mutex_);
    std::size_t start = 0;
    for (std::size_t end; (end = pending.find('\n', start)) != std::string::npos; start = end + 1) {
      lines_.push_back({pending.substr(start, end - start), now});
      if (lines_.size() > kMostLines) lines_.pop_front();
    }
    pending.erase(0, start);
    WakeUp();
  }
  close(output);
  Reap();
  WakeUp();
}

void Process::Reap() {
  // It is left as a zombie until we hold the lock: while its number may be used again, nobody
  // signals it.
  siginfo_t info;
  while (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  const std::lock_guard lock(mutex_);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  wait_status_ = status;
}

bool Process::ended() const {
  const std::lock_guard lock(mutex_);
  return wait_status_.has_value();
}

std::optional<Process::Line> Process::FindLine(std::string_view text, Where where) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(lines_.begin(), lines_.end(), [&](const Line& line) {
    const std::size_t position = line.text.find(text);
    return where == Where::kAtStart ? position == 0 : position != std::string::npos;
  });
  if (found == lines_.end()) return std::nullopt;
  return *found;
}

absl::StatusOr<Process::Line> Process::AwaitLine(std::string_view text, Where where,
                                                 std::chrono::milliseconds limit) {
  WaitFor(limit, [&] { return ended() || FindLine(text, where).has_value(); });
  if (auto line = FindLine(text, where)) return *std::move(line);
  return Problem(fmt::format("has not printed \"{}\"", text));
}

absl::Status Process::AwaitSuccess(std::chrono::milliseconds limit) {
  WaitFor(limit, [&] { return ended(); });
  {
    const std::lock_guard lock(mutex_);
    if (wait_status_ == 0) return absl::OkStatus();
  }
  return Problem("has not ended well");
}

absl::Status Process::Problem(std::string_view what) const {
  const std::lock_guard lock(mutex_);
  std::string message = fmt::format("{} {}", name_, what);
  if (wait_status_.has_value()) message += fmt::format("; it {}", DescribeEnd(*wait_status_));
  if (!lines_.empty()) message += fmt::format("; its last words: {}", lines_.back().text);
  return absl::InternalError(message);
}

}  // namespace turnout::cli
