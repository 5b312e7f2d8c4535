// What a call remembers from one attempt to the next: which instances it has tried; and who is to
// hear of the attempt's first response.
//
// gRPC offers a policy no memory that outlives an attempt. A ConfigSelector runs once for each call
// and can attach attributes that every attempt's pick sees; ours attaches this. It lives in the
// call's arena. Attempts of a call do not overlap, and picks run under the channel's data-plane
// mutex, so it needs no lock.
#ifndef TURNOUT_SRC_GRPC_V1_51_CALL_MEMORY_H_
#define TURNOUT_SRC_GRPC_V1_51_CALL_MEMORY_H_

#include <algorithm>
#include <array>
#include <cstddef>

#include "src/core/ext/filters/client_channel/config_selector.h"
#include "src/core/lib/channel/context.h"
#include "src/core/lib/load_balancing/lb_policy.h"
#include "turnout/stats.h"

namespace turnout::adapter {

// Follows the attempt that is under way.
class Attempt {
 public:
  // Headers have come, not just an error.
  virtual void OnFirstResponse() = 0;

 protected:
  ~Attempt() = default;
};

class CallMemory {
 public:
  // The memory of the call that is being picked for; null on channels with another resolver.
  static CallMemory* Of(grpc_core::LoadBalancingPolicy::CallState* call_state);
  // For filters: of the call with this context.
  static CallMemory* Of(const grpc_call_context_element* context);

  // Instances are known by their statistics, of which each has one for the life of the process.
  void Remember(const InstanceStats* instance) {
    if (count_ < tried_.size()) tried_[count_++] = instance;
  }
  bool Tried(const InstanceStats* instance) const {
    return std::find(tried_.begin(), tried_.begin() + count_, instance) != tried_.begin() + count_;
  }
  bool empty() const { return count_ == 0; }

  // Null between attempts.
  Attempt* attempt() const { return attempt_; }
  void SetAttempt(Attempt* attempt) { attempt_ = attempt; }

 private:
  // gRPC allows at most 5 attempts; transparent retries add a few.
  std::array<const InstanceStats*, 8> tried_{};
  std::size_t count_ = 0;
  Attempt* attempt_ = nullptr;
};

// Applies `service_config` as gRPC itself would, and gives each call its memory.
grpc_core::RefCountedPtr<grpc_core::ConfigSelector> MakeConfigSelector(
    grpc_core::RefCountedPtr<grpc_core::ServiceConfig> service_config);

}  // namespace turnout::adapter

#endif  // TURNOUT_SRC_GRPC_V1_51_CALL_MEMORY_H_
