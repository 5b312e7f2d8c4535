#include "src/grpc/v1_51/selector.h"

#include <grpc/support/port_platform.h>

#include <forward_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "src/base/observe.h"
#include "src/base/random.h"
#include "src/core/lib/slice/slice_internal.h"
#include "src/grpc/v1_51/call_memory.h"
#include "src/grpc/v1_51/convert.h"
#include "src/grpc/v1_51/rule_configs.h"
#include "src/route/call_recorder.h"

namespace turnout::adapter {
namespace {

using grpc_core::ConfigSelector;
using grpc_core::RefCountedPtr;
using grpc_core::ServiceConfig;

class NewCall final : public route::CallFacts {
 public:
  explicit NewCall(const ConfigSelector::GetCallConfigArgs& args) : args_(args) {}

  std::string_view path() const override {
    return ToStd(grpc_core::StringViewFromSlice(*args_.path));
  }
  std::optional<std::string_view> Metadata(const std::string& key) const override {
    // gRPC joins the values of a repeated key in a buffer of ours.
    std::string* buffer = joined_.empty() ? &joined_ : &more_joined_.emplace_front();
    const auto value = args_.initial_metadata->GetStringValue(key, buffer);
    if (!value.has_value()) return std::nullopt;
    return ToStd(*value);
  }

 private:
  const ConfigSelector::GetCallConfigArgs& args_;
  mutable std::string joined_;
  mutable std::forward_list<std::string> more_joined_;
};

class Selector final : public ConfigSelector {
 public:
  Selector(std::string service, RefCountedPtr<ServiceConfig> service_config,
           RefCountedPtr<RuleConfigs> rules)
      : service_(std::move(service)),
        service_config_(std::move(service_config)),
        rules_(std::move(rules)) {}

  const char* name() const override { return "turnout"; }
  // Without this, gRPC would put each resolver result's selector in force anew.
  bool Equals(const ConfigSelector* other) const override {
    const auto* const same = static_cast<const Selector*>(other);
    return service_config_ == same->service_config_ && rules_ == same->rules_;
  }

  CallConfig GetCallConfig(GetCallConfigArgs args) override {
    CallConfig config;
    auto* memory = args.arena->New<CallMemory>();
    const NewCall call(args);
    route::RecordCall(service_, call);
    if (rules_ == nullptr) {
      config.method_configs = service_config_->GetMethodParsedConfigVector(*args.path);
      config.service_config = service_config_;
    } else {
      const route::Decision decision = rules_->router().Decide(call, base::ThreadRandom());
      if (const route::Deny* const deny =
              decision.rule == nullptr ? nullptr : decision.rule->deny();
          deny != nullptr) {
        base::Count(base::GlobalCounters().calls_denied);
        config.status = deny->status;
        return config;
      }
      memory->SetDecision(decision);
      config.method_configs = rules_->For(decision).GetMethodParsedConfigVector(*args.path);
      config.service_config = rules_;
    }
    memory->AttachTo(config.call_attributes);
    return config;
  }

 private:
  const std::string service_;
  const RefCountedPtr<ServiceConfig> service_config_;
  const RefCountedPtr<RuleConfigs> rules_;  // null: there are none
};

}  // namespace

RefCountedPtr<ConfigSelector> MakeConfigSelector(std::string service,
                                                 RefCountedPtr<ServiceConfig> service_config,
                                                 std::shared_ptr<const route::Router> router,
                                                 const grpc_core::ChannelArgs& args) {
  RefCountedPtr<RuleConfigs> rules;
  if (router != nullptr) {
    rules = grpc_core::MakeRefCounted<RuleConfigs>(service_config, std::move(router), args);
  }
  return grpc_core::MakeRefCounted<Selector>(std::move(service), std::move(service_config),
                                             std::move(rules));
}

}  // namespace turnout::adapter
