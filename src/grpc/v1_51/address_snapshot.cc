#include "src/grpc/v1_51/address_snapshot.h"

#include <grpc/support/port_platform.h>

#include <algorithm>
#include <string>
#include <utility>

#include "src/core/lib/address_utils/sockaddr_utils.h"
#include "src/grpc/v1_51/convert.h"

namespace turnout::adapter {

std::shared_ptr<const Snapshot> SnapshotOf(const grpc_core::ServerAddressList& addresses,
                                           absl::string_view service, const Snapshot* before) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->service = std::string(ToStd(service));
  for (const grpc_core::ServerAddress& address : addresses) {
    const auto text = grpc_sockaddr_to_string(&address.address(), /*normalize=*/false);
    if (!text.ok()) continue;
    auto instance = std::make_shared<Instance>();
    instance->service = snapshot->service;
    instance->id = *text;
    instance->addresses = {*text};
    snapshot->members.push_back({.instance = std::move(instance)});
  }
  auto& members = snapshot->members;
  const auto by_id = [](const Member& a, const Member& b) {
    return a.instance->id < b.instance->id;
  };
  const auto same_id = [](const Member& a, const Member& b) {
    return a.instance->id == b.instance->id;
  };
  std::sort(members.begin(), members.end(), by_id);
  members.erase(std::unique(members.begin(), members.end(), same_id), members.end());
  for (Member& member : members) {
    if (before != nullptr) {
      const auto known =
          std::lower_bound(before->members.begin(), before->members.end(), member, by_id);
      if (known != before->members.end() && same_id(*known, member)) member = *known;
    }
    if (member.stats == nullptr) member.stats = std::make_shared<InstanceStats>();
  }
  return snapshot;
}

}  // namespace turnout::adapter
