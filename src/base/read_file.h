// Small files that users name: certificates, passwords.
#ifndef TURNOUT_SRC_BASE_READ_FILE_H_
#define TURNOUT_SRC_BASE_READ_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace turnout::base {

// The whole of a regular file, or of what a link to one leads to. Errors begin with its path and
// say why: it cannot be read, is no file, or is larger than `most_bytes`.
absl::StatusOr<std::string> ReadFile(const std::string& path, std::size_t most_bytes = 1 << 20);

}  // namespace turnout::base

#endif  // TURNOUT_SRC_BASE_READ_FILE_H_
