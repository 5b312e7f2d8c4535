#include "src/grpc/v1_51/call_memory.h"

#include <grpc/support/port_platform.h>

#include <utility>

#include "src/core/ext/filters/client_channel/client_channel.h"
#include "src/core/lib/gprpp/unique_type_name.h"

namespace turnout::adapter {
namespace {

grpc_core::UniqueTypeName MemoryAttribute() {
  static auto& factory = *new grpc_core::UniqueTypeName::Factory("turnout_call_memory");
  return factory.Create();
}

class Selector final : public grpc_core::ConfigSelector {
 public:
  explicit Selector(grpc_core::RefCountedPtr<grpc_core::ServiceConfig> service_config)
      : service_config_(std::move(service_config)) {}

  const char* name() const override { return "turnout"; }
  // Without this, gRPC would put each resolver result's selector in force anew.
  bool Equals(const ConfigSelector* other) const override {
    return service_config_ == static_cast<const Selector*>(other)->service_config_;
  }

  CallConfig GetCallConfig(GetCallConfigArgs args) override {
    CallConfig config;
    config.method_configs = service_config_->GetMethodParsedConfigVector(*args.path);
    config.service_config = service_config_;
    auto* memory = args.arena->New<CallMemory>();
    config.call_attributes[MemoryAttribute()] =
        absl::string_view(reinterpret_cast<const char*>(memory), sizeof(*memory));
    return config;
  }

 private:
  const grpc_core::RefCountedPtr<grpc_core::ServiceConfig> service_config_;
};

}  // namespace

CallMemory* CallMemory::Of(grpc_core::LoadBalancingPolicy::CallState* call_state) {
  using LbCallState = grpc_core::ClientChannel::LoadBalancedCall::LbCallState;
  const absl::string_view bytes =
      static_cast<LbCallState*>(call_state)->GetCallAttribute(MemoryAttribute());
  // The attribute's type is a string; the object behind it is ours, and mutable.
  return const_cast<CallMemory*>(reinterpret_cast<const CallMemory*>(bytes.data()));
}

grpc_core::RefCountedPtr<grpc_core::ConfigSelector> MakeConfigSelector(
    grpc_core::RefCountedPtr<grpc_core::ServiceConfig> service_config) {
  return grpc_core::MakeRefCounted<Selector>(std::move(service_config));
}

}  // namespace turnout::adapter
