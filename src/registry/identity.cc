#include "src/registry/identity.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <atomic>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/base/log.h"
#include "src/base/random.h"

namespace turnout::registry {
namespace {

// Half of the 10 s that we announce, so that a ping that comes early is no strike.
constexpr int kLeastPingIntervalMs = 5000;

// A grpc::Server does not tell how it was built, so this is known of the process only.
std::atomic<bool> pings_permitted{false};

}  // namespace

void PrepareServer(grpc::ServerBuilder& builder) {
  grpc::EnableDefaultHealthCheckService(true);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kLeastPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  pings_permitted = true;
}

void AnnounceIdentity(grpc::Server& server, Instance& instance) {
  grpc::HealthCheckServiceInterface* health = server.GetHealthCheckService();
  if (health == nullptr) {
    base::Log(LogSeverity::kWarning, "registrar",
              absl::StrCat(instance.id,
                           " answers no health checks, so clients cannot tell it from another "
                           "server on its address: call Registrar::PrepareServer before "
                           "BuildAndStart"));
    return;
  }
  const auto incarnation = static_cast<std::uint32_t>(base::ThreadRandom().Next());
  instance.health_service = absl::StrFormat("%s@%08x", instance.id, incarnation);
  instance.permits_pings = pings_permitted;
  health->SetServingStatus(instance.health_service, true);
  health->SetServingStatus(instance.id, true);
}

bool WithdrawIdentity(grpc::Server& server) {
  grpc::HealthCheckServiceInterface* health = server.GetHealthCheckService();
  if (health != nullptr) health->Shutdown();
  return health != nullptr;
}

}  // namespace turnout::registry
