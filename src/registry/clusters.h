// Which options a target's authority stands for, perhaps by a cluster's name.
#ifndef TURNOUT_SRC_REGISTRY_CLUSTERS_H_
#define TURNOUT_SRC_REGISTRY_CLUSTERS_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "src/registry/complete_options.h"
#include "turnout/registry.h"

namespace turnout::registry {

struct Target {
  std::string service;
  RegistryOptions options;  // complete
};

// `etcd://[authority]/service.name`. InvalidArgument says which part is wrong.
absl::StatusOr<Target> ParseTarget(std::string_view target);
// The same of a target's parts: authority empty, `h:p[,h:p]`, or a registered name; path with or
// without its leading slash.
absl::StatusOr<Target> ResolveTarget(std::string_view authority, std::string_view path);

}  // namespace turnout::registry

#endif  // TURNOUT_SRC_REGISTRY_CLUSTERS_H_
