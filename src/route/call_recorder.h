// Writes calls to a file as they are made, for whoever wants to know what other rules would mean
// for them: see StartRecordingCalls in turnout/rules.h.
#ifndef TURNOUT_SRC_ROUTE_CALL_RECORDER_H_
#define TURNOUT_SRC_ROUTE_CALL_RECORDER_H_

#include <atomic>
#include <string_view>

#include "src/route/call.h"

namespace turnout::route {

namespace internal {
extern std::atomic<bool> recording;
void Record(std::string_view service, const CallFacts& call);
}  // namespace internal

// A call to `service` by this process, on its way to be decided. While nothing is recorded, this
// costs one relaxed load. Thread-safe; does not block.
inline void RecordCall(std::string_view service, const CallFacts& call) {
  if (internal::recording.load(std::memory_order_relaxed)) [[unlikely]] {
    internal::Record(service, call);
  }
}

}  // namespace turnout::route

#endif  // TURNOUT_SRC_ROUTE_CALL_RECORDER_H_
