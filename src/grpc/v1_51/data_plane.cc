#include "src/grpc/v1_51/data_plane.h"

#include <grpc/support/port_platform.h>

#include <atomic>
#include <charconv>
#include <cstring>
#include <forward_list>
#include <utility>

#include "src/base/observe.h"
#include "src/grpc/v1_51/call_memory.h"
#include "src/grpc/v1_51/convert.h"

namespace turnout::adapter {
namespace {

using GrpcPickArgs = grpc_core::LoadBalancingPolicy::PickArgs;
using GrpcPickResult = grpc_core::LoadBalancingPolicy::PickResult;
using CallTracker = grpc_core::LoadBalancingPolicy::SubchannelCallTrackerInterface;

class CallArgs final : public PickArgs {
 public:
  explicit CallArgs(const GrpcPickArgs& args)
      : args_(args), memory_(CallMemory::Of(args.call_state)) {}

  std::string_view path() const override { return ToStd(args_.path); }

  std::optional<std::string_view> Metadata(std::string_view key) const override {
    // gRPC joins the values of a repeated key in a buffer of ours; what an earlier look-up has put
    // there stays valid.
    std::string* buffer = joined_.empty() ? &joined_ : &more_joined_.emplace_front();
    const auto value = args_.initial_metadata->Lookup(ToAbsl(key), buffer);
    if (!value.has_value()) return std::nullopt;
    return ToStd(*value);
  }

  int attempt() const override {
    if (memory_ == nullptr || memory_->empty()) return 0;
    const auto value = Metadata("grpc-previous-rpc-attempts");
    int attempts = 0;
    if (value.has_value()) std::from_chars(value->data(), value->data() + value->size(), attempts);
    return attempts;
  }

  bool Tried(const Endpoint& endpoint) const override {
    return memory_ != nullptr && memory_->Tried(endpoint.member.stats.get());
  }

  CallMemory* memory() const { return memory_; }

 private:
  const GrpcPickArgs& args_;
  CallMemory* const memory_;
  mutable std::string joined_;
  mutable std::forward_list<std::string> more_joined_;
};

// Follows one attempt. gRPC may drop it at any time: Finish comes only if the outcome is known.
class Tracker final : public CallTracker {
 public:
  Tracker(std::shared_ptr<InstanceStats> stats, CallMemory* memory,
          PickResult::FinishCallback on_finish)
      : stats_(std::move(stats)), memory_(memory), on_finish_(std::move(on_finish)) {}

  ~Tracker() override {
    if (started_) stats_->CallEnded();
  }

  void Start() override {
    started_ = true;
    stats_->CallStarted();
    if (memory_ != nullptr) memory_->Remember(stats_.get());
    if (on_finish_) start_time_ = std::chrono::steady_clock::now();
    base::Count(base::GlobalCounters().picks_completed);
  }

  void Finish(FinishArgs args) override {
    const auto now = std::chrono::steady_clock::now();
    stats_->CallFinished(args.status, now);
    if (on_finish_) {
      on_finish_({.status = std::move(args.status), .duration = now - start_time_});
    }
  }

 private:
  const std::shared_ptr<InstanceStats> stats_;
  CallMemory* const memory_;  // in the call's arena, used before the call is under way only
  const PickResult::FinishCallback on_finish_;
  std::chrono::steady_clock::time_point start_time_{};
  bool started_ = false;
};

absl::string_view CopyToCall(const GrpcPickArgs& args, const std::string& text) {
  char* copy = static_cast<char*>(args.call_state->Alloc(text.size()));
  std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

class DataPlane final : public grpc_core::LoadBalancingPolicy::SubchannelPicker {
 public:
  DataPlane(Published published, std::function<void(const std::string&)> connect)
      : published_(std::move(published)),
        connect_(std::move(connect)),
        connect_asked_(published_.endpoints.size()),
        root_(balance::BuildRoot(*published_.config, published_.service, published_.endpoints)) {}

  GrpcPickResult Pick(GrpcPickArgs args) override {
    const CallArgs call(args);
    PickResult result = root_->Pick(call);
    auto& counters = base::GlobalCounters();
    switch (result.kind()) {
      case PickResult::Kind::kEndpoint:
        return ToEndpoint(std::move(result), args, call);
      case PickResult::Kind::kQueue:
        break;
      case PickResult::Kind::kFail:
        base::Count(counters.picks_failed);
        return GrpcPickResult::Fail(result.status());
      case PickResult::Kind::kDrop:
        base::Count(counters.picks_dropped);
        return GrpcPickResult::Drop(result.status());
    }
    base::Count(counters.picks_queued);
    return GrpcPickResult::Queue();
  }

 private:
  GrpcPickResult ToEndpoint(PickResult result, const GrpcPickArgs& args, const CallArgs& call) {
    const auto& endpoints = published_.endpoints;
    const std::less<const Endpoint*> before;  // a total order, also for foreign pointers
    if (before(result.endpoint(), endpoints.data()) ||
        !before(result.endpoint(), endpoints.data() + endpoints.size())) {
      return GrpcPickResult::Fail(absl::UnavailableError(
          "the picker returned an endpoint that is not of the group it was built from"));
    }
    const auto index = static_cast<std::size_t>(result.endpoint() - endpoints.data());
    if (published_.subchannels[index] == nullptr) {
      if (!connect_asked_[index].exchange(true, std::memory_order_relaxed)) {
        connect_(endpoints[index].instance().id);
      }
      base::Count(base::GlobalCounters().picks_queued);
      return GrpcPickResult::Queue();
    }
    for (const auto& [key, value] : result.metadata()) {
      args.initial_metadata->Add(CopyToCall(args, key), CopyToCall(args, value));
    }
    return GrpcPickResult::Complete(
        published_.subchannels[index],
        std::make_unique<Tracker>(endpoints[index].member.stats, call.memory(),
                                  result.TakeFinishCallback()));
  }

  const Published published_;
  const std::function<void(const std::string&)> connect_;
  std::vector<std::atomic<bool>> connect_asked_;
  const std::unique_ptr<const Picker> root_;
};

}  // namespace

std::unique_ptr<grpc_core::LoadBalancingPolicy::SubchannelPicker> MakeDataPlane(
    Published published, std::function<void(const std::string& instance_id)> connect) {
  return std::make_unique<DataPlane>(std::move(published), std::move(connect));
}

}  // namespace turnout::adapter
