// What RegistryOptions mean: checked, and completed by the environment.
#ifndef TURNOUT_SRC_REGISTRY_COMPLETE_OPTIONS_H_
#define TURNOUT_SRC_REGISTRY_COMPLETE_OPTIONS_H_

#include "absl/status/statusor.h"
#include "turnout/registry.h"

namespace turnout::registry {

// Endpoints each once, and all that the environment gives. Reads the files that are named, to see
// whether they can be read. InvalidArgument names the field, what was found, what is allowed; never
// a password.
absl::StatusOr<RegistryOptions> Complete(RegistryOptions options);

}  // namespace turnout::registry

#endif  // TURNOUT_SRC_REGISTRY_COMPLETE_OPTIONS_H_
