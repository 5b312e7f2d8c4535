#include "src/grpc/v1_51/data_plane.h"

#include <grpc/support/port_platform.h>

#include <atomic>
#include <charconv>
#include <cstring>
#include <forward_list>
#include <utility>

#include "src/base/observe.h"
#include "src/core/ext/filters/client_channel/lb_policy/backend_metric_data.h"
#include "src/grpc/streaming_methods.h"
#include "src/grpc/v1_51/call_memory.h"
#include "src/grpc/v1_51/convert.h"

namespace turnout::adapter {
namespace {

using GrpcPickArgs = grpc_core::LoadBalancingPolicy::PickArgs;
using GrpcPickResult = grpc_core::LoadBalancingPolicy::PickResult;
using StreamLatency = balance::PolicyConfig::StreamLatency;
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

  const route::Decision* decision() const override {
    return memory_ == nullptr ? nullptr : memory_->decision();
  }

  CallMemory* memory() const { return memory_; }

 private:
  const GrpcPickArgs& args_;
  CallMemory* const memory_;
  mutable std::string joined_;
  mutable std::forward_list<std::string> more_joined_;
};

LoadReport ToReport(const grpc_core::BackendMetricData& data) {
  LoadReport report;
  if (data.cpu_utilization >= 0) report.cpu_utilization = data.cpu_utilization;
  if (data.mem_utilization >= 0) report.memory_utilization = data.mem_utilization;
  for (const auto& [name, value] : data.utilization) report.utilization.emplace(name, value);
  for (const auto& [name, value] : data.request_cost) report.request_cost.emplace(name, value);
  return report;
}

// Follows one attempt. gRPC may drop it at any time: Finish comes only if the outcome is known.
class Tracker final : public CallTracker, public Attempt {
 public:
  Tracker(std::shared_ptr<InstanceStats> stats, CallMemory* memory, bool counts_latency,
          PickResult::FinishCallback on_finish)
      : stats_(std::move(stats)),
        memory_(memory),
        counts_latency_(counts_latency),
        on_finish_(std::move(on_finish)) {}

  ~Tracker() override {
    if (!started_) return;
    if (memory_ != nullptr && memory_->attempt() == this) memory_->SetAttempt(nullptr);
    stats_->CallEnded();
  }

  void Start() override {
    started_ = true;
    stats_->CallStarted();
    if (memory_ != nullptr) {
      memory_->Remember(stats_.get());
      memory_->SetAttempt(this);
    }
    start_time_ = Clock::now();
    base::Count(base::GlobalCounters().picks_completed);
  }

  void OnFirstResponse() override { Answered(Clock::now()); }

  void Finish(FinishArgs args) override {
    const Clock::time_point now = Clock::now();
    // Whoever ran into a deadline has waited for at least so long.
    const auto code = args.status.code();
    if (code == absl::StatusCode::kOk || code == absl::StatusCode::kDeadlineExceeded) Answered(now);
    stats_->CallFinished(args.status, now);
    std::optional<LoadReport> report;
    if (args.backend_metric_accessor != nullptr) {
      const auto* data = args.backend_metric_accessor->GetBackendMetricData();
      if (data != nullptr) stats_->LoadReported(report.emplace(ToReport(*data)), now);
    }
    if (!on_finish_) return;
    CallOutcome outcome{.status = std::move(args.status), .duration = now - start_time_};
    if (counts_latency_) outcome.latency = latency_.value_or(outcome.duration);
    if (report.has_value()) outcome.load = &*report;
    on_finish_(outcome);
  }

 private:
  using Clock = std::chrono::steady_clock;

  void Answered(Clock::time_point now) {
    if (latency_.has_value() || !counts_latency_) return;
    latency_ = now - start_time_;
    stats_->Answered(*latency_, now);
  }

  const std::shared_ptr<InstanceStats> stats_;
  CallMemory* const memory_;  // in the call's arena, which outlives its attempts
  const bool counts_latency_;
  const PickResult::FinishCallback on_finish_;
  Clock::time_point start_time_{};
  std::optional<std::chrono::nanoseconds> latency_;
  bool started_ = false;
};

absl::string_view CopyToCall(const GrpcPickArgs& args, const std::string& text) {
  char* copy = static_cast<char*>(args.call_state->Alloc(text.size()));
  std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

class PickerDataPlane final : public DataPlane {
 public:
  using Connect = std::function<void(std::vector<std::string>)>;

  PickerDataPlane(Published published, Connect connect)
      : published_(std::move(published)),
        connect_(std::move(connect)),
        connect_asked_(published_.endpoints.size()),
        root_(balance::BuildRoot(*published_.picker, published_.service, published_.endpoints)) {}

  GrpcPickResult Pick(GrpcPickArgs args) override {
    const CallArgs call(args);
    PickResult result = root_->Pick(call);
    if (!result.connect().empty()) [[unlikely]] {
      ConnectThose(result.connect());
    }
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

  bool Wants(std::size_t index) const override { return root_->Wants(published_.endpoints[index]); }

 private:
  // Of those that a picker names, the ones that are idle and not asked for yet.
  void ConnectThose(std::span<const Endpoint* const> endpoints) {
    std::vector<std::string> ids;
    for (const Endpoint* const endpoint : endpoints) {
      const std::optional<std::size_t> index = IndexOf(endpoint);
      if (!index.has_value() || published_.endpoints[*index].state != ConnectionState::kIdle) {
        continue;
      }
      if (connect_asked_[*index].exchange(true, std::memory_order_relaxed)) continue;
      ids.push_back(endpoint->instance().id);
    }
    if (!ids.empty()) connect_(std::move(ids));
  }

  std::optional<std::size_t> IndexOf(const Endpoint* endpoint) const {
    const auto& endpoints = published_.endpoints;
    const std::less<const Endpoint*> before;  // a total order, also for foreign pointers
    if (before(endpoint, endpoints.data()) ||
        !before(endpoint, endpoints.data() + endpoints.size())) {
      return std::nullopt;
    }
    return static_cast<std::size_t>(endpoint - endpoints.data());
  }

  bool CountsLatency(const CallArgs& call) const {
    return published_.config->stream_latency == StreamLatency::kFirstResponse ||
           !IsStreaming(call.path());
  }

  GrpcPickResult ToEndpoint(PickResult result, const GrpcPickArgs& args, const CallArgs& call) {
    const std::optional<std::size_t> index = IndexOf(result.endpoint());
    if (!index.has_value()) {
      return GrpcPickResult::Fail(absl::UnavailableError(
          "the picker returned an endpoint that is not of the group it was built from"));
    }
    if (published_.subchannels[*index] == nullptr) {
      const Endpoint* const endpoint = result.endpoint();
      ConnectThose({&endpoint, 1});
      base::Count(base::GlobalCounters().picks_queued);
      return GrpcPickResult::Queue();
    }
    for (const auto& [key, value] : result.metadata()) {
      args.initial_metadata->Add(CopyToCall(args, key), CopyToCall(args, value));
    }
    return GrpcPickResult::Complete(
        published_.subchannels[*index],
        std::make_unique<Tracker>(result.endpoint()->member.stats, call.memory(),
                                  CountsLatency(call), result.TakeFinishCallback()));
  }

  const Published published_;
  const Connect connect_;
  std::vector<std::atomic<bool>> connect_asked_;
  const std::unique_ptr<const Picker> root_;
};

}  // namespace

std::unique_ptr<DataPlane> MakeDataPlane(
    Published published, std::function<void(std::vector<std::string> instance_ids)> connect) {
  return std::make_unique<PickerDataPlane>(std::move(published), std::move(connect));
}

}  // namespace turnout::adapter
