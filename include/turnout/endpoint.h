// One instance as a channel sees it: what it says of itself, and whether it can be reached.
//
// Immutable; a picker's endpoints live at least as long as the picker.
#ifndef TURNOUT_ENDPOINT_H_
#define TURNOUT_ENDPOINT_H_

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "turnout/snapshot.h"

namespace turnout {

enum class ConnectionState {
  kIdle,        // not connected, and nobody tries
  kConnecting,  // for less than connectTimeout
  kReady,       // connected, and healthy if it is health-checked
  kFailing,     // the last attempt failed; stays so until READY
  kUnhealthy,   // connected and was READY, but fails its health check or has been ejected
};

std::string_view ToString(
    ConnectionState state);  // "idle", "connecting", "ready", "failing", "unhealthy"

struct Endpoint {
  Member member;  // instance, status, statistics
  ConnectionState state = ConnectionState::kIdle;
  absl::Status last_error;  // why it is failing or unhealthy

  // Since when calls have been able to reach it; again after each failure. The clock's beginning
  // for one that was there when the channel knew no other. Unset: not yet.
  std::optional<InstanceStats::Clock::time_point> serving_since = {};

  const Instance& instance() const { return *member.instance; }
  InstanceStats& stats() const { return *member.stats; }
};

}  // namespace turnout

#endif  // TURNOUT_ENDPOINT_H_
