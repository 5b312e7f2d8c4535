// Between the standard's vocabulary types and Debian's abseil, which has its own.
#ifndef TURNOUT_SRC_GRPC_V1_51_CONVERT_H_
#define TURNOUT_SRC_GRPC_V1_51_CONVERT_H_

#include <string_view>

#include "absl/strings/string_view.h"

namespace turnout::adapter {

inline std::string_view ToStd(absl::string_view text) { return {text.data(), text.size()}; }
inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace turnout::adapter

#endif  // TURNOUT_SRC_GRPC_V1_51_CONVERT_H_
