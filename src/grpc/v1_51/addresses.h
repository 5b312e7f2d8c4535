// From the text of a record's address to what gRPC connects to.
#ifndef TURNOUT_SRC_GRPC_V1_51_ADDRESSES_H_
#define TURNOUT_SRC_GRPC_V1_51_ADDRESSES_H_

#include <optional>
#include <string>
#include <string_view>

#include "src/core/lib/iomgr/resolved_address.h"

namespace turnout::adapter {

// `1.2.3.4:80`, `[::1]:80`, `unix:/path`. Nothing for a host name, which needs a look-up.
std::optional<grpc_resolved_address> ParseAddress(const std::string& address);

// Has `address`, as the model lets it through, a host name? Cheaper than to parse it.
bool HasHostName(std::string_view address);

}  // namespace turnout::adapter

#endif  // TURNOUT_SRC_GRPC_V1_51_ADDRESSES_H_
