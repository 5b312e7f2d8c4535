// How a snapshot travels from resolver to policy: as a channel argument that stays the same object
// for the life of the channel, so that neither argument lists nor address lists are made anew for
// each change.
#ifndef TURNOUT_SRC_GRPC_V1_51_SNAPSHOT_SOURCE_H_
#define TURNOUT_SRC_GRPC_V1_51_SNAPSHOT_SOURCE_H_

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "src/core/lib/gprpp/ref_counted.h"
#include "src/core/lib/iomgr/resolved_address.h"
#include "src/route/router.h"
#include "turnout/snapshot.h"

namespace turnout::adapter {

// Used in the channel's work serializer only.
class SnapshotSource final : public grpc_core::RefCounted<SnapshotSource> {
 public:
  static absl::string_view ChannelArgName() { return "turnout.internal.snapshot_source"; }
  // All are equal: it must not keep channels from sharing connections.
  static int ChannelArgsCompare(const SnapshotSource*, const SnapshotSource*) { return 0; }

  std::shared_ptr<const Snapshot> snapshot;  // null until the first

  // By which calls are decided from this snapshot on; null: it has no rules.
  std::shared_ptr<const route::Router> router;

  // Addresses of host names, by `host:port` as the record has it. Missing: not looked up yet.
  std::map<std::string, grpc_resolved_address, std::less<>> hosts;
};

}  // namespace turnout::adapter

#endif  // TURNOUT_SRC_GRPC_V1_51_SNAPSHOT_SOURCE_H_
