#include "src/grpc/v1_51/resolver.h"

#include <grpc/event_engine/event_engine.h>
#include <grpc/grpc.h>
#include <grpc/support/port_platform.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/base/log.h"
#include "src/base/serial_thread.h"
#include "src/core/lib/gprpp/orphanable.h"
#include "src/core/lib/gprpp/work_serializer.h"
#include "src/core/lib/iomgr/exec_ctx.h"
#include "src/core/lib/resolver/resolver.h"
#include "src/discovery/service_watch.h"
#include "src/grpc/adapter.h"
#include "src/grpc/v1_51/addresses.h"
#include "src/grpc/v1_51/convert.h"
#include "src/grpc/v1_51/host_lookup.h"
#include "src/grpc/v1_51/selector.h"
#include "src/grpc/v1_51/service_config.h"
#include "src/grpc/v1_51/snapshot_source.h"
#include "src/registry/clusters.h"
#include "src/route/caller.h"

namespace turnout::adapter {
namespace {

using grpc_core::ApplicationCallbackExecCtx;
using grpc_core::ExecCtx;
using grpc_core::RefCountedPtr;
using grpc_core::Resolver;
using grpc_core::ResolverArgs;
using grpc_event_engine::experimental::EventEngine;

class EtcdResolver final : public Resolver {
 public:
  EtcdResolver(ResolverArgs args, absl::StatusOr<registry::Target> target)
      : serializer_(std::move(args.work_serializer)),
        handler_(std::move(args.result_handler)),
        service_config_(EffectiveServiceConfig::Of(args.args)),
        args_(WithoutKeptServiceConfig(args.args)),
        target_(std::move(target)),
        engine_(args_.GetObjectRef<EventEngine>()),
        source_(grpc_core::MakeRefCounted<SnapshotSource>()),
        hosts_(args.pollset_set) {}

  void StartLocked() override;
  void RequestReresolutionLocked() override;
  void ShutdownLocked() override;

 private:
  void OnSnapshotLocked(std::shared_ptr<const Snapshot> snapshot);
  void OnTimeoutLocked();
  void ReportLocked();
  void ReportErrorLocked(const absl::Status& error);
  void FollowRulesLocked();
  void WarnIfNotObeyedLocked();
  void CollectNamesLocked(const Snapshot* before);
  void LookUpHostsLocked(bool again);
  grpc_core::ServerAddressList AddressesLocked() const;

  // Runs `task` in the work serializer from one of our own threads, unless we have been shut down.
  void Run(std::function<void(EtcdResolver&)> task);
  RefCountedPtr<EtcdResolver> Self() {
    return RefCountedPtr<EtcdResolver>(static_cast<EtcdResolver*>(Ref().release()));
  }

  const std::shared_ptr<grpc_core::WorkSerializer> serializer_;
  const std::unique_ptr<ResultHandler> handler_;
  const EffectiveServiceConfig service_config_;
  const grpc_core::ChannelArgs args_;
  const absl::StatusOr<registry::Target> target_;
  const std::shared_ptr<EventEngine> engine_;
  const RefCountedPtr<SnapshotSource> source_;
  RefCountedPtr<grpc_core::ConfigSelector> config_selector_;
  std::set<std::string> names_;  // among the addresses
  HostLookup hosts_;
  std::unique_ptr<Subscription> subscription_;
  std::unique_ptr<route::CallerSubscription> caller_subscription_;
  bool warned_ = false;
  EventEngine::TaskHandle timeout_{};
  bool timed_out_ = false;
  absl::Status last_error_;
  bool shutdown_ = false;
};

void EtcdResolver::StartLocked() {
  if (!target_.ok()) {
    return ReportErrorLocked(absl::UnavailableError(target_.status().message()));
  }
  if (!service_config_.status.ok()) {
    return ReportErrorLocked(absl::UnavailableError(service_config_.status.message()));
  }
  if (service_config_.config != nullptr) {
    config_selector_ = MakeConfigSelector(target_->service, service_config_.config, nullptr, args_);
  }
  caller_subscription_ = route::OnCallerChange([self = Self()] {
    base::DeliveryThread().Run([self] {
      self->Run([](EtcdResolver& resolver) {
        if (resolver.source_->snapshot == nullptr) return;
        resolver.FollowRulesLocked();
        resolver.ReportLocked();
      });
    });
  });
  const auto timeout = std::chrono::milliseconds(
      std::max(1, args_.GetInt(kResolveTimeoutArg).value_or(kDefaultResolveTimeoutMs)));
  timeout_ = engine_->RunAfter(timeout, [self = Self()]() mutable {
    ApplicationCallbackExecCtx callback_exec_ctx;
    ExecCtx exec_ctx;
    self->Run([](EtcdResolver& resolver) { resolver.OnTimeoutLocked(); });
    self.reset();
  });
  WatchCallbacks callbacks;
  callbacks.on_snapshot = [self = Self()](std::shared_ptr<const Snapshot> snapshot) {
    self->Run([snapshot = std::move(snapshot)](EtcdResolver& resolver) mutable {
      resolver.OnSnapshotLocked(std::move(snapshot));
    });
  };
  callbacks.on_error = [self = Self()](const absl::Status& error) {
    self->Run([error](EtcdResolver& resolver) {
      resolver.last_error_ = error;
      if (resolver.timed_out_) resolver.OnTimeoutLocked();
    });
  };
  subscription_ = discovery::Subscribe(target_->service, target_->options, std::move(callbacks));
}

void EtcdResolver::Run(std::function<void(EtcdResolver&)> task) {
  ApplicationCallbackExecCtx callback_exec_ctx;
  ExecCtx exec_ctx;
  serializer_->Run(
      [self = Self(), task = std::move(task)] {
        if (!self->shutdown_) task(*self);
      },
      DEBUG_LOCATION);
}

void EtcdResolver::OnSnapshotLocked(std::shared_ptr<const Snapshot> snapshot) {
  const auto before = std::exchange(source_->snapshot, std::move(snapshot));
  CollectNamesLocked(before.get());
  LookUpHostsLocked(/*again=*/false);
  FollowRulesLocked();
  ReportLocked();
}

// Rules, or who is asking, have changed: calls are decided anew from now on, those under way are
// not.
void EtcdResolver::FollowRulesLocked() {
  const auto& rules = source_->snapshot->rules;
  const route::Router* const before = source_->router.get();
  if (rules == nullptr && before == nullptr) return;
  if (rules == nullptr) {
    source_->router = nullptr;
  } else {
    Caller caller = GetCaller();
    if (before != nullptr && before->rules() == rules && before->caller() == caller) return;
    source_->router = std::make_shared<const route::Router>(rules, std::move(caller));
    WarnIfNotObeyedLocked();
  }
  if (service_config_.config == nullptr) return;
  config_selector_ =
      MakeConfigSelector(target_->service, service_config_.config, source_->router, args_);
}

void EtcdResolver::WarnIfNotObeyedLocked() {
  if (service_config_.addresses != EffectiveServiceConfig::Addresses::kCallees || warned_) return;
  warned_ = true;
  base::Log(LogSeverity::kWarning, "rules",
            absl::StrCat("a channel to ", target_->service,
                         " has a balancing policy of gRPC's, which knows no versions: of the "
                         "service's traffic rules it obeys denials, time-outs and retries, but no "
                         "destinations"));
}

void EtcdResolver::OnTimeoutLocked() {
  if (source_->snapshot != nullptr) return;
  timed_out_ = true;
  const std::string endpoints = absl::StrJoin(target_->options.endpoints, ", ");
  ReportErrorLocked(absl::UnavailableError(
      last_error_.ok() ? absl::StrCat("cannot read the registrations of ", target_->service,
                                      " from etcd at ", endpoints, ": no answer yet")
                       : last_error_.message()));
}

void EtcdResolver::ReportErrorLocked(const absl::Status& error) {
  Result result;
  result.addresses = error;
  // Its policy section says who fails the calls; it does not matter here that it may be in error.
  if (service_config_.config != nullptr) result.service_config = service_config_.config;
  result.args = args_;
  if (config_selector_ != nullptr) result.args = result.args.SetObject(config_selector_);
  handler_->ReportResult(std::move(result));
}

void EtcdResolver::ReportLocked() {
  Result result;
  result.addresses = AddressesLocked();
  result.service_config = service_config_.config;
  result.args = args_.SetObject(source_);
  if (config_selector_ != nullptr) result.args = result.args.SetObject(config_selector_);
  if (source_->snapshot->members.empty()) {
    result.resolution_note =
        absl::StrCat("no instance of ", target_->service, " is registered in etcd");
  }
  handler_->ReportResult(std::move(result));
}

// For gRPC's own policies. Those who take calls are all while nobody is registered.
grpc_core::ServerAddressList EtcdResolver::AddressesLocked() const {
  using Addresses = EffectiveServiceConfig::Addresses;
  if (service_config_.addresses == Addresses::kNobodys) return {};
  const bool everybodys = service_config_.addresses == Addresses::kEverybodys;
  grpc_core::ServerAddressList callees;
  grpc_core::ServerAddressList others;
  for (const Member& member : source_->snapshot->members) {
    const std::string& address = member.instance->address();
    auto resolved = ParseAddress(address);
    if (!resolved.has_value()) {
      const auto host = source_->hosts.find(address);
      if (host == source_->hosts.end()) continue;
      resolved = host->second;
    }
    const bool callee = everybodys || member.status == InstanceStatus::kRegistered;
    auto& list = callee ? callees : others;
    list.emplace_back(*resolved, grpc_core::ChannelArgs());
  }
  return callees.empty() ? others : callees;
}

// Finds the host names among the addresses. Those of instances that `before` has too are known;
// passing over them unread is most of the time saved when one of thousands changes.
void EtcdResolver::CollectNamesLocked(const Snapshot* before) {
  if (before == nullptr) names_.clear();
  const std::vector<Member> none;
  const auto& known = before == nullptr ? none : before->members;
  auto next = known.begin();  // both are sorted by id
  for (const Member& member : source_->snapshot->members) {
    if (next != known.end() && next->instance == member.instance) {
      ++next;
      continue;
    }
    while (next != known.end() && next->instance->id <= member.instance->id) ++next;
    const std::string& address = member.instance->address();
    if (HasHostName(address)) names_.insert(address);
  }
}

void EtcdResolver::LookUpHostsLocked(bool again) {
  for (const std::string& name : names_) {
    if (!again && source_->hosts.contains(name)) continue;
    hosts_.Start(name, [self = Self(), name](const grpc_resolved_address& resolved) {
      self->Run([name, resolved](EtcdResolver& resolver) {
        resolver.source_->hosts[name] = resolved;
        resolver.ReportLocked();
      });
    });
  }
}

void EtcdResolver::RequestReresolutionLocked() {
  if (source_->snapshot == nullptr) return;
  CollectNamesLocked(nullptr);  // without those that have left meanwhile
  LookUpHostsLocked(/*again=*/true);
}

void EtcdResolver::ShutdownLocked() {
  shutdown_ = true;
  caller_subscription_.reset();
  if (engine_->Cancel(timeout_)) timeout_ = {};
  hosts_.Cancel();
  // On the thread that calls it back, so that ending it never has to wait for a callback that may
  // be waiting for this work serializer.
  if (subscription_ != nullptr) {
    base::DeliveryThread().Run(
        [subscription = std::shared_ptr<Subscription>(std::move(subscription_))]() mutable {
          ApplicationCallbackExecCtx callback_exec_ctx;
          ExecCtx exec_ctx;
          subscription.reset();
        });
  }
}

class Factory final : public grpc_core::ResolverFactory {
 public:
  absl::string_view scheme() const override { return "etcd"; }

  // A target that is refused here would be taken for a DNS name. So it is accepted, and the
  // resolver reports what is wrong with it.
  bool IsValidUri(const grpc_core::URI&) const override { return true; }

  grpc_core::OrphanablePtr<Resolver> CreateResolver(ResolverArgs args) const override {
    auto target = Resolve(args.uri);
    return grpc_core::MakeOrphanable<EtcdResolver>(std::move(args), std::move(target));
  }

 private:
  static absl::StatusOr<registry::Target> Resolve(const grpc_core::URI& uri) {
    if (!uri.query_parameter_map().empty() || !uri.fragment().empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("target: etcd://[authority]/service takes no query and no fragment, got ",
                       uri.ToString()));
    }
    return registry::ResolveTarget(uri.authority(), uri.path());
  }
};

}  // namespace

std::unique_ptr<grpc_core::ResolverFactory> MakeResolverFactory() {
  return std::make_unique<Factory>();
}

}  // namespace turnout::adapter
