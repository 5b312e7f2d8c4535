// The configuration of the `turnout` and `version` policies: JSON in, a tree of builders out. Pure.
#ifndef TURNOUT_SRC_BALANCE_POLICY_CONFIG_H_
#define TURNOUT_SRC_BALANCE_POLICY_CONFIG_H_

#include <chrono>
#include <memory>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"
#include "turnout/picker.h"

namespace turnout::balance {

struct PolicyConfig {
  // How long calls wait for a connection that is being made before its endpoint counts as failing.
  std::chrono::milliseconds connect_timeout{3000};

  // Connect to an instance only when a call asks for the part of the service to which it belongs;
  // otherwise to every one that the picker wants.
  bool lazy_connections = false;

  // What counts as the latency of a stream: the time to its first response, or nothing.
  enum class StreamLatency { kFirstResponse, kNone };
  StreamLatency stream_latency = StreamLatency::kFirstResponse;

  std::shared_ptr<const PickerBuilder> picker;  // never null
};

// `json_text`: the object that `policy` ("turnout" or "version") has in `loadBalancingConfig`. All
// errors in one InvalidArgument, each with its path from there: `turnout.picker[0].version.kee:
// unknown…`.
absl::StatusOr<std::shared_ptr<const PolicyConfig>> ParsePolicyConfig(std::string_view policy,
                                                                      std::string_view json_text);

// Checks a whole service config as far as it concerns us: that it is a JSON object, that our
// policies in its `loadBalancingConfig` (also as children of gRPC's) are right, and that gRPC's
// outlier detection there can work.
absl::Status CheckServiceConfig(std::string_view json_text);

// The picker for a channel: endpoints on which the call's method is switched off are left out, then
// a picker by `builder` decides. `endpoints` outlive it.
std::unique_ptr<const Picker> BuildRoot(const PickerBuilder& builder, std::string_view service,
                                        std::span<const Endpoint> endpoints);

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_POLICY_CONFIG_H_
