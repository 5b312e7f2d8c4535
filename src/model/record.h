// The JSON record of an instance, as the Go system writes and reads it. Pure.
#ifndef TURNOUT_SRC_MODEL_RECORD_H_
#define TURNOUT_SRC_MODEL_RECORD_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "turnout/instance.h"

namespace turnout::model {

struct RecordLimits {
  std::size_t size_bytes = 64 * 1024;
  int depth = 32;
  bool allow_unix_addresses = false;
};

// The instance that `value` states, under the key's `service` and `id`. Unknown fields are ignored;
// whatever else is not as it should be gives InvalidArgument: the path, what is allowed, what was
// found. Strings are UTF-8. Revisions are left 0.
//
// The key decides who an instance is: `node.name`, `path` and `id` are not read. Our own metadata
// fields count as missing when they are not as they should be. `node.address` may not be a wildcard
// (`0.0.0.0:8089`): it would send every client to itself.
absl::StatusOr<Instance> ParseRecord(std::string_view service, std::string_view id,
                                     std::string_view value, const RecordLimits& limits = {});

// Byte for byte what Go's encoding/json makes of the same record: field order, sorted maps,
// escapes, base64. Our own fields are written from Instance's members into `metadata`; of several
// addresses, the first is written.
std::string FormatRecord(const Instance& instance);

// `value` with one metadata field set, or without it if `new_value` is empty; everything else in
// it, unknown fields and the order too, stays as it was. InvalidArgument if it is no record to
// write to.
absl::StatusOr<std::string> WithMetadata(std::string_view value, std::string_view key,
                                         std::string_view new_value);

// What operators write at Keys::State: the word `draining` or `removed`, under a lease if it is to
// expire.
enum class OperatorState { kNone, kDraining, kRemoved };
absl::StatusOr<OperatorState> ParseOperatorState(std::string_view value);

}  // namespace turnout::model

#endif  // TURNOUT_SRC_MODEL_RECORD_H_
