#include "src/grpc/v1_51/addresses.h"

#include <grpc/support/port_platform.h>

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

}  // namespace turnout::adapter
