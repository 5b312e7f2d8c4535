#include "src/grpc/v1_51/addresses.h"

#include <grpc/support/port_platform.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "src/core/lib/address_utils/parse_address.h"
#include "src/core/lib/uri/uri_parser.h"

namespace turnout::adapter {

std::optional<grpc_resolved_address> ParseAddress(const std::string& address) {
  if (absl::StartsWith(address, "unix:")) {
    const auto uri = grpc_core::URI::Parse(address);
    grpc_resolved_address resolved;
    if (!uri.ok() || !grpc_parse_uri(*uri, &resolved)) return std::nullopt;
    return resolved;
  }
  const auto resolved = grpc_core::StringToSockaddr(address);
  if (!resolved.ok()) return std::nullopt;
  return *resolved;
}

// The last label of a name has more than digits (model/host_port.cc).
bool HasHostName(std::string_view address) {
  const auto numeric = [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == ':'; };
  return !address.starts_with('[') && !address.starts_with("unix:") &&
         !std::all_of(address.begin(), address.end(), numeric);
}

}  // namespace turnout::adapter
