// Composing messages out of what others sent us. Pure.
#ifndef TURNOUT_SRC_MODEL_TEXT_H_
#define TURNOUT_SRC_MODEL_TEXT_H_

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace turnout::model {

std::string Concat(std::initializer_list<std::string_view> parts);

// The message of `status`, as long as that lives.
std::string_view Message(const absl::Status& status);

// `text` in double quotes, made harmless for logs and statuses: bytes that are not printable ASCII
// are escaped, and after `most_bytes` follows "…" in place of the rest.
std::string Quoted(std::string_view text, std::size_t most_bytes = 64);

// Without blanks and line ends on either side.
std::string_view Trimmed(std::string_view text);

// The parts between separators, empty ones included: "a,,b" → "a", "", "b".
std::vector<std::string_view> Split(std::string_view text, char separator);

}  // namespace turnout::model

#endif  // TURNOUT_SRC_MODEL_TEXT_H_
