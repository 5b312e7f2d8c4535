#include "turnout/registrar.h"

#include <grpcpp/server.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/fork.h"
#include "src/base/log.h"
#include "src/model/names.h"
#include "src/registry/advertise.h"
#include "src/registry/check_options.h"
#include "src/registry/clusters.h"
#include "src/registry/handle.h"
#include "src/registry/identity.h"
#include "src/registry/method_table.h"
#include "src/route/caller.h"

namespace turnout {
namespace {

using std::chrono::milliseconds;

// gRPC waits in the system's clock: a deadline that means "for ever" must not overflow it.
constexpr milliseconds kLongestShutdown = std::chrono::hours(24 * 365);

// gRPC cancels calls that arrive when it has begun to shut down and clients do not know it yet.
// Those that etcd has not told of the drain are told over their connections, this long before.
constexpr milliseconds kTurnAway{100};

absl::StatusOr<registry::Advertised> ChooseAddress(const RegistrarOptions& options, int port) {
  return registry::ChooseAddress({.advertise = options.advertise,
                                  .listen = options.listen,
                                  .port = port,
                                  .endpoints = options.registry.endpoints,
                                  .allow_unix_addresses = options.registry.allow_unix_addresses},
                                 registry::SystemNetwork());
}

// All of the instance but its identity.
absl::StatusOr<Instance> MakeInstance(const RegistrarOptions& options, std::string address) {
  auto methods = registry::MethodTable(options.methods_of);
  if (!methods.ok()) return methods.status();
  Instance instance;
  instance.service = options.service;
  instance.id = options.id.empty() ? model::NewInstanceId(options.service) : options.id;
  instance.version = options.version;
  instance.addresses = {std::move(address)};
  instance.metadata = options.metadata;
  instance.methods = *std::move(methods);
  instance.weight = options.weight;
  instance.lease_ttl = options.lease_ttl;
  instance.locality = options.locality;
  if (auto checked = registry::CheckRecord(instance, options.registry); !checked.ok()) {
    return checked;
  }
  return instance;
}

}  // namespace

std::string_view ToString(RegistrationState state) {
  switch (state) {
    case RegistrationState::kRegistering:
      return "registering";
    case RegistrationState::kRegistered:
      return "registered";
    case RegistrationState::kRemoved:
      return "removed";
    case RegistrationState::kSuperseded:
      return "superseded";
    case RegistrationState::kDraining:
      return "draining";
    case RegistrationState::kEnded:
      return "ended";
  }
  return "unknown";
}

class Registrar::Impl final : public registry::Handle {
 public:
  using Handle::Handle;
};

void Registrar::PrepareServer(grpc::ServerBuilder& builder) { registry::PrepareServer(builder); }

absl::StatusOr<std::unique_ptr<Registrar>> Registrar::Start(RegistrarOptions options,
                                                            grpc::Server& server, int port) {
  if (base::InForkedChild()) {
    return absl::FailedPreconditionError(
        "a process forked off one that uses Turnout cannot register: fork before, or exec after");
  }
  if (auto checked = registry::CheckOptions(options, port); !checked.ok()) return checked;
  auto complete = registry::Complete(options.registry);
  if (!complete.ok()) return complete.status();
  options.registry = *std::move(complete);
  const auto address = ChooseAddress(options, port);
  if (!address.ok()) return address.status();
  auto instance = MakeInstance(options, address->address);
  if (!instance.ok()) return instance.status();

  base::NoteOwningProcess();
  route::SetCallerByRegistration(
      {.service = instance->service, .version = instance->version, .labels = options.metadata});
  registry::AnnounceIdentity(server, *instance);
  base::Log(address->doubtful ? LogSeverity::kWarning : LogSeverity::kInfo, "registrar",
            absl::StrCat(instance->id, " announces ", address->address, ": ", address->reason));
  return std::unique_ptr<Registrar>(
      new Registrar(std::make_unique<Impl>(*std::move(instance), options)));
}

Registrar::Registrar(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

// A forked child owns neither the threads nor the record: what it holds of them is left as it is.
Registrar::~Registrar() {
  if (base::InForkedChild()) static_cast<void>(impl_.release());
}

absl::Status Registrar::WaitUntilRegistered(milliseconds timeout) {
  return base::InForkedChild() ? last_error() : impl_->WaitUntilRegistered(timeout);
}

void Registrar::DrainAndShutdown(grpc::Server& server, milliseconds deadline) {
  if (base::InForkedChild() || !impl_->DrainAndDeregister()) return;
  if (registry::WithdrawIdentity(server)) std::this_thread::sleep_for(kTurnAway);
  server.Shutdown(std::chrono::system_clock::now() + std::min(deadline, kLongestShutdown));
}

RegistrationState Registrar::state() const {
  return base::InForkedChild() ? RegistrationState::kEnded : impl_->state();
}

absl::Status Registrar::last_error() const {
  if (!base::InForkedChild()) return impl_->last_error();
  return absl::FailedPreconditionError("the registration belongs to the parent process");
}

const std::string& Registrar::id() const { return impl_->id(); }
const std::string& Registrar::key() const { return impl_->key(); }
const std::string& Registrar::address() const { return impl_->address(); }

}  // namespace turnout
