// One instance as a channel sees it: what it says of itself, and whether it can be reached.
//
// Immutable; a picker's endpoints live at least as long as the picker.
#ifndef TURNOUT_ENDPOINT_H_
#define TURNOUT_ENDPOINT_H_

#include <string_view>

#include "absl/status/status.h"
#include "turnout/snapshot.h"

namespace turnout {

enum class ConnectionState {
  kIdle,        // not connected, and nobody tries
  kConnecting,  // for less than connectTimeout
  kReady,       // connected, and healthy if it is health-checked
  kFailing,     // the last attempt failed; stays so until READY
};

std::string_view ToString(ConnectionState state);  // "idle", "connecting", "ready", "failing"

struct Endpoint {
  Member member;  // instance, status, statistics
  ConnectionState state = ConnectionState::kIdle;
  absl::Status last_error;  // why it is failing

  const Instance& instance() const { return *member.instance; }
  InstanceStats& stats() const { return *member.stats; }
};

}  // namespace turnout

#endif  // TURNOUT_ENDPOINT_H_
