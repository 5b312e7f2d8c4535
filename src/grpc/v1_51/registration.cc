// Makes the resolver and the policies known to gRPC before main, if the gRPC that was loaded is the
// one that this file was compiled for.
#include <dlfcn.h>
#include <elf.h>
#include <grpc/support/port_platform.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/version_info.h>
#include <link.h>

#include <atomic>
#include <memory>

#include "absl/strings/str_cat.h"
#include "src/base/log.h"
#include "src/core/lib/config/core_configuration.h"
#include "src/core/lib/load_balancing/lb_policy.h"
#include "src/core/lib/service_config/service_config_impl.h"
#include "src/grpc/adapter.h"
#include "src/grpc/v1_51/convert.h"
#include "src/grpc/v1_51/policy.h"
#include "src/grpc/v1_51/resolver.h"
#include "src/grpc/v1_51/response_filter.h"
#include "src/grpc/v1_51/service_config.h"

// The pointer is private to CoreConfiguration. It is set as soon as any gRPC object exists; from
// then on RegisterBuilder aborts the process, so we look before we leap.
extern std::atomic<grpc_core::CoreConfiguration*> turnout_grpc_configuration __asm__(
    "_ZN9grpc_core17CoreConfiguration7config_E") __attribute__((weak));

// One flag for all copies of this library in a process (a static one in the program, a shared one
// in a plugin): a scheme that is registered twice aborts too.
extern "C" {
std::atomic<bool> turnout_registered_with_grpc{false};
}

namespace turnout::adapter {
namespace {

// NDEBUG changes the layout of gRPC's internal types. Its trace flags show how the library was
// compiled: with NDEBUG a DebugOnlyTraceFlag is empty.
absl::Status CheckNdebug() {
  const void* flag = &grpc_core::grpc_trace_lb_policy_refcount;
  Dl_info info;
  void* found = nullptr;
  if (dladdr1(flag, &info, &found, RTLD_DL_SYMENT) == 0 || found == nullptr) {
    return absl::OkStatus();  // linked statically: compiled and linked against the same library
  }
  const auto* symbol = static_cast<const ElfW(Sym)*>(found);
  if (symbol->st_size == sizeof(grpc_core::grpc_trace_lb_policy_refcount)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the gRPC library was compiled with another NDEBUG setting than Turnout's adapter: rebuild "
      "Turnout against it");
}

absl::Status Register() {
  if (grpc::Version() != GRPC_CPP_VERSION_STRING) {
    return absl::FailedPreconditionError(
        absl::StrCat("Turnout was built for gRPC ", GRPC_CPP_VERSION_STRING, " and runs with gRPC ",
                     grpc::Version(), ": rebuild it against that version"));
  }
  if (absl::Status status = CheckNdebug(); !status.ok()) return status;
  if (&turnout_grpc_configuration == nullptr || turnout_grpc_configuration.load() != nullptr) {
    return absl::FailedPreconditionError(
        "gRPC was in use before Turnout was loaded, so its resolver and policies cannot be "
        "registered: link Turnout into the program, or load it before the first gRPC object");
  }
  if (turnout_registered_with_grpc.exchange(true)) return absl::OkStatus();
  grpc_core::CoreConfiguration::RegisterBuilder([](grpc_core::CoreConfiguration::Builder* builder) {
    builder->proxy_mapper_registry()->Register(/*at_start=*/true, MakeServiceConfigKeeper());
    RegisterResponseFilter(*builder);
    builder->resolver_registry()->RegisterResolverFactory(MakeResolverFactory());
    for (const char* name : kPolicyNames) {
      builder->lb_policy_registry()->RegisterLoadBalancingPolicyFactory(MakePolicyFactory(name));
    }
  });
  return absl::OkStatus();
}

// Leaked, so that it outlives every static object that may ask.
const absl::Status& Outcome() {
  static const absl::Status& outcome = *new absl::Status([] {
    absl::Status status = Register();
    if (!status.ok()) {
      base::Log(LogSeverity::kError, "adapter", std::string(ToStd(status.message())));
    }
    return status;
  }());
  return outcome;
}

[[maybe_unused]] const bool registered_before_main = Outcome().ok();

}  // namespace

absl::Status Registration() { return Outcome(); }

absl::Status CheckWithGrpc(std::string_view service_config_json) {
  const auto parsed =
      grpc_core::ServiceConfigImpl::Create(grpc_core::ChannelArgs(), ToAbsl(service_config_json));
  if (parsed.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("service config: ", parsed.status().message()));
}

}  // namespace turnout::adapter
