#include "src/grpc/v1_51/pick_timer.h"

#include <grpc/support/port_platform.h>

#include <memory>
#include <string>
#include <utility>

#include "src/base/mutex.h"
#include "src/core/lib/config/core_configuration.h"
#include "src/core/lib/gprpp/orphanable.h"
#include "src/core/lib/gprpp/ref_counted_ptr.h"
#include "src/core/lib/iomgr/pollset_set.h"
#include "src/core/lib/load_balancing/lb_policy.h"
#include "src/core/lib/load_balancing/lb_policy_factory.h"

namespace turnout::adapter {
namespace {

using Clock = std::chrono::steady_clock;
using grpc_core::CoreConfiguration;
using grpc_core::LoadBalancingPolicy;
using grpc_core::RefCountedPtr;

constexpr const char* kName = "pick_timer";

struct Times {
  base::Mutex mutex;
  std::vector<std::chrono::nanoseconds> taken ABSL_GUARDED_BY(mutex);
};
Times& AllTimes() {
  static Times& times = *new Times;
  return times;
}

class TimedPicker final : public LoadBalancingPolicy::SubchannelPicker {
 public:
  explicit TimedPicker(std::unique_ptr<SubchannelPicker> child) : child_(std::move(child)) {}

  LoadBalancingPolicy::PickResult Pick(LoadBalancingPolicy::PickArgs args) override {
    const Clock::time_point begin = Clock::now();
    LoadBalancingPolicy::PickResult result = child_->Pick(args);
    const Clock::time_point end = Clock::now();
    if (absl::holds_alternative<LoadBalancingPolicy::PickResult::Complete>(result.result)) {
      Times& times = AllTimes();
      const base::MutexLock lock(times.mutex);
      times.taken.push_back(end - begin);
    }
    return result;
  }

 private:
  const std::unique_ptr<SubchannelPicker> child_;
};

class TimerConfig final : public LoadBalancingPolicy::Config {
 public:
  explicit TimerConfig(RefCountedPtr<LoadBalancingPolicy::Config> child)
      : child_(std::move(child)) {}
  absl::string_view name() const override { return kName; }
  const RefCountedPtr<LoadBalancingPolicy::Config>& child() const { return child_; }

 private:
  const RefCountedPtr<LoadBalancingPolicy::Config> child_;
};

class TimerPolicy final : public LoadBalancingPolicy {
 public:
  explicit TimerPolicy(Args args) : LoadBalancingPolicy(std::move(args)) {}

  absl::string_view name() const override { return kName; }
  void ExitIdleLocked() override { child_->ExitIdleLocked(); }
  void ResetBackoffLocked() override { child_->ResetBackoffLocked(); }

  absl::Status UpdateLocked(UpdateArgs args) override {
    args.config = static_cast<const TimerConfig&>(*args.config).child();
    if (child_ == nullptr) {
      Args child_args;
      child_args.work_serializer = work_serializer();
      child_args.args = args.args;
      child_args.channel_control_helper = std::make_unique<Helper>(
          RefCountedPtr<TimerPolicy>(static_cast<TimerPolicy*>(Ref().release())));
      child_ = CoreConfiguration::Get().lb_policy_registry().CreateLoadBalancingPolicy(
          args.config->name(), std::move(child_args));
      grpc_pollset_set_add_pollset_set(child_->interested_parties(), interested_parties());
    }
    return child_->UpdateLocked(std::move(args));
  }

 private:
  class Helper final : public ChannelControlHelper {
   public:
    explicit Helper(RefCountedPtr<TimerPolicy> policy) : policy_(std::move(policy)) {}

    RefCountedPtr<grpc_core::SubchannelInterface> CreateSubchannel(
        grpc_core::ServerAddress address, const grpc_core::ChannelArgs& args) override {
      return outer().CreateSubchannel(std::move(address), args);
    }
    void UpdateState(grpc_connectivity_state state, const absl::Status& status,
                     std::unique_ptr<SubchannelPicker> picker) override {
      outer().UpdateState(state, status, std::make_unique<TimedPicker>(std::move(picker)));
    }
    void RequestReresolution() override { outer().RequestReresolution(); }
    absl::string_view GetAuthority() override { return outer().GetAuthority(); }
    grpc_event_engine::experimental::EventEngine* GetEventEngine() override {
      return outer().GetEventEngine();
    }
    void AddTraceEvent(TraceSeverity severity, absl::string_view message) override {
      outer().AddTraceEvent(severity, message);
    }

   private:
    ChannelControlHelper& outer() { return *policy_->channel_control_helper(); }
    const RefCountedPtr<TimerPolicy> policy_;
  };

  void ShutdownLocked() override { child_.reset(); }

  grpc_core::OrphanablePtr<LoadBalancingPolicy> child_;
};

class Factory final : public grpc_core::LoadBalancingPolicyFactory {
 public:
  grpc_core::OrphanablePtr<LoadBalancingPolicy> CreateLoadBalancingPolicy(
      LoadBalancingPolicy::Args args) const override {
    return grpc_core::MakeOrphanable<TimerPolicy>(std::move(args));
  }
  absl::string_view name() const override { return kName; }

  absl::StatusOr<RefCountedPtr<LoadBalancingPolicy::Config>> ParseLoadBalancingConfig(
      const grpc_core::Json& json) const override {
    const auto child = json.object_value().find("child");
    if (child == json.object_value().end()) {
      return absl::InvalidArgumentError("pick_timer.child: missing");
    }
    auto parsed =
        CoreConfiguration::Get().lb_policy_registry().ParseLoadBalancingConfig(child->second);
    if (!parsed.ok()) return parsed.status();
    return grpc_core::MakeRefCounted<TimerConfig>(*std::move(parsed));
  }
};

}  // namespace

void RegisterPickTimer() {
  CoreConfiguration::RegisterBuilder([](CoreConfiguration::Builder* builder) {
    builder->lb_policy_registry()->RegisterLoadBalancingPolicyFactory(std::make_unique<Factory>());
  });
}

std::vector<std::chrono::nanoseconds> TakePickTimes() {
  Times& times = AllTimes();
  const base::MutexLock lock(times.mutex);
  return std::exchange(times.taken, {});
}

}  // namespace turnout::adapter
