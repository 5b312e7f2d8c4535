// What a figure must be read with: where it was measured, and with what.
#ifndef TURNOUT_BENCH_SUPPORT_MACHINE_H_
#define TURNOUT_BENCH_SUPPORT_MACHINE_H_

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace turnout::bench {

nlohmann::json DescribeMachine();

// CPU time that a process has used so far, in all its threads, and in those that ended.
std::chrono::nanoseconds CpuTime();
std::chrono::nanoseconds CpuTimeOf(pid_t process);

// Memory of this process that is in RAM.
std::int64_t ResidentBytes();

// Allows as many open files as the system lets us; false if those are fewer than `needed`.
bool AllowOpenFiles(std::uint64_t needed);

}  // namespace turnout::bench

#endif  // TURNOUT_BENCH_SUPPORT_MACHINE_H_
