// What a call remembers from one attempt to the next: what the rules decided, which instances it
// has tried; and who is to hear of the attempt's first response.
//
// gRPC offers a policy no memory that outlives an attempt. A ConfigSelector runs once for each call
// and can attach attributes that every attempt's pick sees; ours (selector.h) attaches this. It
// lives in the call's arena. Attempts of a call do not overlap, and picks run under the channel's
// data-plane mutex, so it needs no lock.
#ifndef TURNOUT_SRC_GRPC_V1_51_CALL_MEMORY_H_
#define TURNOUT_SRC_GRPC_V1_51_CALL_MEMORY_H_

#include <algorithm>
#include <array>
#include <cstddef>

#include "src/core/lib/channel/context.h"
#include "src/core/lib/load_balancing/lb_policy.h"
#include "src/core/lib/service_config/service_config_call_data.h"
#include "src/route/router.h"
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
  // Attaches this to the call whose attributes these are; for its selector.
  void AttachTo(grpc_core::ServiceConfigCallData::CallAttributes& attributes);

  // Null: there are no rules. The call's service config keeps the router alive.
  const route::Decision* decision() const {
    return decision_.router == nullptr ? nullptr : &decision_;
  }
  void SetDecision(const route::Decision& decision) { decision_ = decision; }

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
  route::Decision decision_;
  // gRPC allows at most 5 attempts; transparent retries add a few.
  std::array<const InstanceStats*, 8> tried_{};
  std::size_t count_ = 0;
  Attempt* attempt_ = nullptr;
};

}  // namespace turnout::adapter

#endif  // TURNOUT_SRC_GRPC_V1_51_CALL_MEMORY_H_
