#include "src/grpc/v1_51/call_memory.h"

#include <grpc/support/port_platform.h>

#include <utility>

#include "src/core/ext/filters/client_channel/client_channel.h"
#include "src/core/lib/gprpp/unique_type_name.h"
#include "src/core/lib/service_config/service_config_call_data.h"

namespace turnout::adapter {
namespace {

grpc_core::UniqueTypeName MemoryAttribute() {
  static auto& factory = *new grpc_core::UniqueTypeName::Factory("turnout_call_memory");
  return factory.Create();
}

// The attribute's type is a string; the object behind it is ours, and mutable.
CallMemory* Behind(absl::string_view attribute) {
  return const_cast<CallMemory*>(reinterpret_cast<const CallMemory*>(attribute.data()));
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
  return Behind(static_cast<LbCallState*>(call_state)->GetCallAttribute(MemoryAttribute()));
}

CallMemory* CallMemory::Of(const grpc_call_context_element* context) {
  const auto* data = static_cast<const grpc_core::ServiceConfigCallData*>(
      context[GRPC_CONTEXT_SERVICE_CONFIG_CALL_DATA].value);
  if (data == nullptr) return nullptr;
  const auto attribute = data->call_attributes().find(MemoryAttribute());
  return attribute == data->call_attributes().end() ? nullptr : Behind(attribute->second);
}

grpc_core::RefCountedPtr<grpc_core::ConfigSelector> MakeConfigSelector(
    grpc_core::RefCountedPtr<grpc_core::ServiceConfig> service_config) {
  return grpc_core::MakeRefCounted<Selector>(std::move(service_config));
}

}  // namespace turnout::adapter
