// Are the options of a registration within their limits?
#ifndef TURNOUT_SRC_REGISTRY_CHECK_OPTIONS_H_
#define TURNOUT_SRC_REGISTRY_CHECK_OPTIONS_H_

#include "absl/status/status.h"
#include "turnout/instance.h"
#include "turnout/registrar.h"
#include "turnout/registry.h"

namespace turnout::registry {

// InvalidArgument names the first option that is wrong, what is allowed, and what was found.
// `advertise`, `listen`, `methods_of` and `registry` are checked by those who read them.
absl::Status CheckOptions(const RegistrarOptions& options, int port);

// What would be written for `instance` must be readable: this finds text that is not UTF-8, and too
// much of it.
absl::Status CheckRecord(const Instance& instance, const RegistryOptions& registry);

}  // namespace turnout::registry

#endif  // TURNOUT_SRC_REGISTRY_CHECK_OPTIONS_H_
