// Times picks as gRPC makes them, under a real channel's real calls. For benchmarks: not part of
// the library.
#ifndef TURNOUT_SRC_GRPC_V1_51_PICK_TIMER_H_
#define TURNOUT_SRC_GRPC_V1_51_PICK_TIMER_H_

#include <chrono>
#include <vector>

namespace turnout::adapter {

// Makes the policy `{"pick_timer":{"child":[{"<policy>":{…}}]}}` known, which does what its child
// does and times the child's picks. Call it before the first gRPC object of the process.
void RegisterPickTimer();

// What each completed pick has taken since the last call of this, the time for reading the clock
// included. Thread-safe.
std::vector<std::chrono::nanoseconds> TakePickTimes();

}  // namespace turnout::adapter

#endif  // TURNOUT_SRC_GRPC_V1_51_PICK_TIMER_H_
