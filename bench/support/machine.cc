#include "bench/support/machine.h"

#include <grpcpp/grpcpp.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <thread>

namespace turnout::bench {
namespace {

// The value of the first line "NAME : value" of a file under /proc.
std::string ProcField(const char* file, const std::string& name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(name)) continue;
    const std::size_t value = line.find_first_not_of(" \t", line.find(':') + 1);
    return value == std::string::npos ? "" : line.substr(value);
  }
  return "";
}

std::chrono::nanoseconds Read(clockid_t clock) {
  timespec time{};
  if (clock_gettime(clock, &time) != 0) return {};
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

nlohmann::json DescribeMachine() {
  utsname system{};
  uname(&system);
  std::array<double, 3> load{};
  getloadavg(load.data(), load.size());
  return {
      {"cpu", ProcField("/proc/cpuinfo", "model name")},
      {"cores", std::thread::hardware_concurrency()},
      {"memory", ProcField("/proc/meminfo", "MemTotal")},
      {"kernel", std::string(system.sysname) + " " + system.release + " " + system.machine},
      {"compiler", "g++ " __VERSION__},
      {"build_type", TURNOUT_BUILD_TYPE},
      {"grpc", grpc::Version()},
      {"load_average", load},
  };
}

std::chrono::nanoseconds CpuTime() { return Read(CLOCK_PROCESS_CPUTIME_ID); }

std::chrono::nanoseconds CpuTimeOf(pid_t process) {
  clockid_t clock{};
  if (clock_getcpuclockid(process, &clock) != 0) return {};
  return Read(clock);
}

std::int64_t ResidentBytes() {
  std::ifstream in("/proc/self/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  in >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

bool AllowOpenFiles(std::uint64_t needed) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  if (limit.rlim_max < needed) limit.rlim_max = needed;  // root may
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

}  // namespace turnout::bench
