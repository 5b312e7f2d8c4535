#include "src/grpc/v1_51/host_lookup.h"

#include <grpc/support/port_platform.h>

#include <atomic>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/base/log.h"
#include "src/core/lib/gprpp/time.h"
#include "src/core/lib/iomgr/resolve_address.h"

namespace turnout::adapter {
namespace {

constexpr std::chrono::seconds kLeastInterval{1};

}  // namespace

struct HostLookup::Attempt {
  std::chrono::steady_clock::time_point begun;
  grpc_core::DNSResolver::TaskHandle handle{};
  std::atomic<bool> under_way{false};
  std::atomic<std::size_t> turn{0};
};

void HostLookup::Start(const std::string& address, Found found) {
  std::shared_ptr<Attempt>& attempt = attempts_[address];
  const auto now = std::chrono::steady_clock::now();
  if (attempt == nullptr) {
    attempt = std::make_shared<Attempt>();
  } else if (attempt->under_way || now - attempt->begun < kLeastInterval) {
    return;
  }
  attempt->begun = now;
  attempt->under_way = true;
  attempt->handle = grpc_core::GetDNSResolver()->LookupHostname(
      [attempt, address,
       found = std::move(found)](absl::StatusOr<std::vector<grpc_resolved_address>> result) {
        attempt->under_way = false;
        if (!result.ok() || result->empty()) {
          base::Log(LogSeverity::kWarning, "adapter",
                    absl::StrCat("cannot resolve ", address, ": ", result.status().message()));
          return;
        }
        found((*result)[attempt->turn++ % result->size()]);
      },
      address, /*default_port=*/"", grpc_core::Duration::Seconds(10), pollsets_,
      /*name_server=*/"");
}

void HostLookup::Cancel() {
  for (const auto& [address, attempt] : attempts_) {
    if (attempt->under_way) grpc_core::GetDNSResolver()->Cancel(attempt->handle);
  }
}

}  // namespace turnout::adapter
