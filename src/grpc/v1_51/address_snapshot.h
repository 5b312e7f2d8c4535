// Snapshots of targets that are not ours (`ipv4:1.2.3.4:80,…`): each address is an instance without
// a record.
#ifndef TURNOUT_SRC_GRPC_V1_51_ADDRESS_SNAPSHOT_H_
#define TURNOUT_SRC_GRPC_V1_51_ADDRESS_SNAPSHOT_H_

#include <memory>

#include "absl/strings/string_view.h"
#include "src/core/lib/resolver/server_address.h"
#include "turnout/snapshot.h"

namespace turnout::adapter {

// What `before` knows of the same addresses is kept; it may be null.
std::shared_ptr<const Snapshot> SnapshotOf(const grpc_core::ServerAddressList& addresses,
                                           absl::string_view service, const Snapshot* before);

}  // namespace turnout::adapter

#endif  // TURNOUT_SRC_GRPC_V1_51_ADDRESS_SNAPSHOT_H_
