#include "src/grpc/v1_51/response_filter.h"

#include <grpc/support/port_platform.h>

#include <new>

#include "src/core/lib/channel/channel_stack.h"
#include "src/core/lib/channel/channel_stack_builder.h"
#include "src/core/lib/iomgr/closure.h"
#include "src/core/lib/surface/channel_init.h"
#include "src/core/lib/transport/transport.h"
#include "src/grpc/v1_51/call_memory.h"

namespace turnout::adapter {
namespace {

// One attempt, in the call's arena. gRPC runs all of it in the call's combiner.
class Interception {
 public:
  explicit Interception(const grpc_call_element_args& args)
      : memory_(CallMemory::Of(args.context)),
        attempt_(memory_ == nullptr ? nullptr : memory_->attempt()) {}

  void Start(grpc_transport_stream_op_batch& batch) {
    if (attempt_ == nullptr || !batch.recv_initial_metadata) return;
    auto& payload = batch.payload->recv_initial_metadata;
    next_ = payload.recv_initial_metadata_ready;
    GRPC_CLOSURE_INIT(&on_headers_, OnHeaders, this, nullptr);
    payload.recv_initial_metadata_ready = &on_headers_;
    if (payload.trailing_metadata_available == nullptr) {
      payload.trailing_metadata_available = &own_trailers_only_;
    }
    trailers_only_ = payload.trailing_metadata_available;
  }

 private:
  // gRPC's type for closures. NOLINTNEXTLINE(performance-unnecessary-value-param)
  static void OnHeaders(void* self, grpc_error_handle error) {
    auto& interception = *static_cast<Interception*>(self);
    // An abandoned attempt may hear late, when the next one is under way.
    const bool current = interception.memory_->attempt() == interception.attempt_;
    if (error.ok() && current && !*interception.trailers_only_) {
      interception.attempt_->OnFirstResponse();
    }
    grpc_core::Closure::Run(DEBUG_LOCATION, interception.next_, error);
  }

  CallMemory* const memory_;
  Attempt* const attempt_;
  grpc_closure on_headers_{};
  grpc_closure* next_ = nullptr;
  bool own_trailers_only_ = false;
  bool* trailers_only_ = nullptr;  // an error at once, or one that gRPC made up
};

void StartBatch(grpc_call_element* element, grpc_transport_stream_op_batch* batch) {
  static_cast<Interception*>(element->call_data)->Start(*batch);
  grpc_call_next_op(element, batch);
}

grpc_error_handle InitCall(grpc_call_element* element, const grpc_call_element_args* args) {
  new (element->call_data) Interception(*args);
  return absl::OkStatus();
}

void DestroyCall(grpc_call_element* element, const grpc_call_final_info*, grpc_closure*) {
  static_cast<Interception*>(element->call_data)->~Interception();
}

grpc_error_handle InitChannel(grpc_channel_element*, grpc_channel_element_args*) {
  return absl::OkStatus();
}

void DestroyChannel(grpc_channel_element*) {}

constexpr grpc_channel_filter kFilter = {
    StartBatch,
    nullptr,  // no promises: a subchannel's stack consists of batches in 1.51
    grpc_channel_next_op,
    sizeof(Interception),
    InitCall,
    grpc_call_stack_ignore_set_pollset_or_pollset_set,
    DestroyCall,
    0,
    InitChannel,
    grpc_channel_stack_no_post_init,
    DestroyChannel,
    grpc_channel_next_get_info,
    "turnout_response"};

}  // namespace

void RegisterResponseFilter(grpc_core::CoreConfiguration::Builder& builder) {
  builder.channel_init()->RegisterStage(GRPC_CLIENT_SUBCHANNEL, GRPC_CHANNEL_INIT_BUILTIN_PRIORITY,
                                        [](grpc_core::ChannelStackBuilder* stack) {
                                          if (stack->channel_args().Contains(kConnectionArg))
                                            stack->PrependFilter(&kFilter);
                                          return true;
                                        });
}

}  // namespace turnout::adapter
