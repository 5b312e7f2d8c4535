#include "src/grpc/v1_51/call_memory.h"

#include <grpc/support/port_platform.h>

#include "src/core/ext/filters/client_channel/client_channel.h"
#include "src/core/lib/gprpp/unique_type_name.h"

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

void CallMemory::AttachTo(grpc_core::ServiceConfigCallData::CallAttributes& attributes) {
  attributes[MemoryAttribute()] =
      absl::string_view(reinterpret_cast<const char*>(this), sizeof(*this));
}

}  // namespace turnout::adapter
