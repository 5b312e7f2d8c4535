// The etcd cluster that holds the registrations: where it is and how to talk to it.
#ifndef TURNOUT_REGISTRY_H_
#define TURNOUT_REGISTRY_H_

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace turnout {

struct RegistryOptions {
  // `host:port` or `[v6]:port` of the cluster's members; calls fail over between them. Empty: the
  // environment variable TURNOUT_ETCD, a comma-separated list of the same; then 127.0.0.1:2379.
  std::vector<std::string> endpoints;

  // A namespace: every key stands under it. Empty, or components of [A-Za-z0-9._-] that each follow
  // a slash: `/team-a`, `/eu/prod`.
  std::string prefix;

  // For each single request to etcd. Long enough for a leader election, short enough to try the
  // next member while a caller still waits. 100 ms to 1 min.
  std::chrono::milliseconds request_timeout{3000};

  // Records may name `unix:` socket paths as addresses. Off: whoever can write to etcd could else
  // point clients at local sockets.
  bool allow_unix_addresses = false;

  friend bool operator==(const RegistryOptions&, const RegistryOptions&) = default;
};

// Gives a cluster a name, so that targets can say `etcd://NAME/service`: options (and, later,
// credentials) then never stand in a target, which logs and channelz show.
//
// `name`: [A-Za-z0-9_-]+. Call it before the first channel that uses the name. Thread-safe, does
// not block. InvalidArgument for a bad name or options, AlreadyExists if the name stands for other
// options.
absl::Status RegisterCluster(std::string_view name, const RegistryOptions& options);

}  // namespace turnout

#endif  // TURNOUT_REGISTRY_H_
