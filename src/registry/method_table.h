// The record's method table, from the protobuf descriptors that are linked into the process.
#ifndef TURNOUT_SRC_REGISTRY_METHOD_TABLE_H_
#define TURNOUT_SRC_REGISTRY_METHOD_TABLE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "turnout/instance.h"

namespace turnout::registry {

// One entry for each method of `services` (full names, `proto.Api`), with the settings that the Go
// system gives to a new record. Services that share a method's simple name share its entry.
// InvalidArgument names the service that is not linked, and those that are.
absl::StatusOr<std::map<std::string, MethodSettings>> MethodTable(
    const std::vector<std::string>& services);

}  // namespace turnout::registry

#endif  // TURNOUT_SRC_REGISTRY_METHOD_TABLE_H_
