// Looks up the host names that records have as addresses. Go programs write such records.
#ifndef TURNOUT_SRC_GRPC_V1_51_HOST_LOOKUP_H_
#define TURNOUT_SRC_GRPC_V1_51_HOST_LOOKUP_H_

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "src/core/lib/iomgr/iomgr_fwd.h"
#include "src/core/lib/iomgr/resolved_address.h"

namespace turnout::adapter {

// Used in a work serializer.
class HostLookup {
 public:
  explicit HostLookup(grpc_pollset_set* pollsets) : pollsets_(pollsets) {}

  // Looks `address` (`name:port`) up, unless that is under way or was begun less than a second ago.
  // `found` is called from a thread of gRPC's with one of its addresses, after each look-up the
  // next one in turn, so that a host with several is reached through those that work. It is not
  // called when the look-up fails: what was found before stays good.
  using Found = std::function<void(const grpc_resolved_address&)>;
  void Start(const std::string& address, Found found);

  void Cancel();

 private:
  struct Attempt;
  grpc_pollset_set* const pollsets_;
  std::map<std::string, std::shared_ptr<Attempt>> attempts_;
};

}  // namespace turnout::adapter

#endif  // TURNOUT_SRC_GRPC_V1_51_HOST_LOOKUP_H_
