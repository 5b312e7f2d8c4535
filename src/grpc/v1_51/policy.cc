#include "src/grpc/v1_51/policy.h"

#include <grpc/event_engine/event_engine.h>
#include <grpc/grpc.h>
#include <grpc/support/port_platform.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/observe.h"
#include "src/base/random.h"
#include "src/core/lib/address_utils/sockaddr_utils.h"
#include "src/core/lib/gprpp/orphanable.h"
#include "src/core/lib/iomgr/exec_ctx.h"
#include "src/grpc/v1_51/addresses.h"
#include "src/grpc/v1_51/convert.h"
#include "src/grpc/v1_51/data_plane.h"

namespace turnout::adapter {
namespace {

using grpc_core::ApplicationCallbackExecCtx;
using grpc_core::ChannelArgs;
using grpc_core::ExecCtx;
using grpc_core::LoadBalancingPolicy;
using grpc_core::RefCountedPtr;

// About 6 ms of work, after which connections that came up meanwhile get their turn.
constexpr std::size_t kSliceSize = 256;
// Below this a publication is not worth a timer, whose grain is a millisecond.
constexpr std::chrono::milliseconds kLeastPublishInterval{1};
constexpr std::chrono::milliseconds kMostPublishInterval{100};
constexpr int kPublishShare = 10;  // at most a tenth of the time is spent publishing

// Servers that permit pings accept one every 10 s (Registrar::PrepareServer).
constexpr int kPingIntervalMs = 15000;
constexpr int kPingTimeoutMs = 5000;

// gRPC's own name for it; the macro is private to client_channel.cc.
constexpr char kHealthCheckServiceName[] = "grpc.internal.health_check_service_name";

class ParsedConfig final : public LoadBalancingPolicy::Config {
 public:
  ParsedConfig(const char* name,
               absl::StatusOr<std::shared_ptr<const balance::PolicyConfig>> parsed)
      : name_(name), parsed_(std::move(parsed)) {}
  absl::string_view name() const override { return name_; }
  const absl::StatusOr<std::shared_ptr<const balance::PolicyConfig>>& parsed() const {
    return parsed_;
  }

 private:
  const char* const name_;
  const absl::StatusOr<std::shared_ptr<const balance::PolicyConfig>> parsed_;
};

class Factory final : public grpc_core::LoadBalancingPolicyFactory {
 public:
  explicit Factory(const char* name) : name_(name) {}
  grpc_core::OrphanablePtr<LoadBalancingPolicy> CreateLoadBalancingPolicy(
      LoadBalancingPolicy::Args args) const override {
    return grpc_core::MakeOrphanable<Policy>(std::move(args), name_);
  }
  absl::string_view name() const override { return name_; }

  // A configuration that a factory refuses makes the whole channel useless, with a message that
  // names nothing. So it is accepted here, and the policy fails the calls with the errors.
  absl::StatusOr<RefCountedPtr<LoadBalancingPolicy::Config>> ParseLoadBalancingConfig(
      const grpc_core::Json& json) const override {
    return grpc_core::MakeRefCounted<ParsedConfig>(name_,
                                                   balance::ParsePolicyConfig(name_, json.Dump()));
  }

 private:
  const char* const name_;
};

std::string NextConnectionScope() {
  static std::atomic<std::uint64_t> count{0};
  return absl::StrCat(count.fetch_add(1), "/");
}

// For targets that are not ours (`ipv4:1.2.3.4:80,…`): each address is an instance without a
// record.
std::shared_ptr<const Snapshot> SnapshotOf(const grpc_core::ServerAddressList& addresses,
                                           absl::string_view service, const Snapshot* before) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->service = std::string(ToStd(service));
  for (const grpc_core::ServerAddress& address : addresses) {
    const auto text = grpc_sockaddr_to_string(&address.address(), /*normalize=*/false);
    if (!text.ok()) continue;
    auto instance = std::make_shared<Instance>();
    instance->service = snapshot->service;
    instance->id = *text;
    instance->addresses = {*text};
    snapshot->members.push_back({.instance = std::move(instance)});
  }
  auto& members = snapshot->members;
  const auto by_id = [](const Member& a, const Member& b) {
    return a.instance->id < b.instance->id;
  };
  const auto same_id = [](const Member& a, const Member& b) {
    return a.instance->id == b.instance->id;
  };
  std::sort(members.begin(), members.end(), by_id);
  members.erase(std::unique(members.begin(), members.end(), same_id), members.end());
  for (Member& member : members) {
    if (before != nullptr) {
      const auto known =
          std::lower_bound(before->members.begin(), before->members.end(), member, by_id);
      if (known != before->members.end() && same_id(*known, member)) member = *known;
    }
    if (member.stats == nullptr) member.stats = std::make_shared<InstanceStats>();
  }
  return snapshot;
}

}  // namespace

std::unique_ptr<grpc_core::LoadBalancingPolicyFactory> MakePolicyFactory(const char* name) {
  return std::make_unique<Factory>(name);
}

Policy::Policy(Args args, const char* name)
    : LoadBalancingPolicy(std::move(args)), name_(name), connection_scope_(NextConnectionScope()) {}

absl::Status Policy::UpdateLocked(UpdateArgs args) {
  const auto& parsed = static_cast<const ParsedConfig*>(args.config.get())->parsed();
  if (!parsed.ok()) {
    FailCallsLocked(absl::UnavailableError(parsed.status().message()));
    return parsed.status();
  }
  const bool new_config = config_ != *parsed;
  config_ = *parsed;
  source_ = args.args.GetObjectRef<SnapshotSource>();
  subchannel_args_ = args.args.Remove(SnapshotSource::ChannelArgName());
  std::shared_ptr<const Snapshot> snapshot;
  if (source_ != nullptr) {
    snapshot = source_->snapshot;
  } else if (args.addresses.ok()) {
    snapshot =
        SnapshotOf(*args.addresses, channel_control_helper()->GetAuthority(), snapshot_.get());
  }
  if (snapshot == nullptr) {
    if (snapshot_ != nullptr) return absl::OkStatus();  // better the last than none
    absl::Status why =
        args.addresses.ok() ? absl::UnavailableError("no snapshot yet") : args.addresses.status();
    FailCallsLocked(why);
    return why;
  }
  const bool changed = ApplySnapshotLocked(std::move(snapshot));
  if (changed || new_config) PublishLocked();
  FollowHostsLocked();
  StartSliceLocked();
  return absl::OkStatus();
}

// Both lists are sorted by id: one walk finds what stays, what comes and what has gone.
bool Policy::ApplySnapshotLocked(std::shared_ptr<const Snapshot> snapshot) {
  if (snapshot == snapshot_) return false;
  std::vector<std::unique_ptr<Connection>> next;
  next.reserve(snapshot->members.size());
  auto known = connections_.begin();
  for (const Member& member : snapshot->members) {
    while (known != connections_.end() && (*known)->id() < member.instance->id) ++known;
    if (known != connections_.end() && (*known)->id() == member.instance->id) {
      next.push_back(std::move(*known++));
      next.back()->UpdateLocked(member);
    } else {
      next.push_back(std::make_unique<Connection>(*this, member));
    }
  }
  connections_ = std::move(next);
  snapshot_ = std::move(snapshot);
  // Every process begins elsewhere, or all would connect to the same servers first.
  slice_start_ = connections_.empty() ? 0 : base::ThreadRandom().Below(connections_.size());
  return true;
}

// An IP address stays under its record; a name may lead elsewhere after a new look-up.
void Policy::FollowHostsLocked() {
  if (source_ == nullptr || source_->hosts.empty()) return;
  for (const auto& connection : connections_) {
    if (connection->started() &&
        source_->hosts.contains(connection->member().instance->address())) {
      StartLocked(*connection);
    }
  }
}

void Policy::StartSliceLocked() {
  slice_scheduled_ = false;
  const std::size_t count = connections_.size();
  std::size_t started = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Connection& connection = *connections_[(slice_start_ + i) % count];
    if (connection.has_subchannel()) continue;
    if (started++ == kSliceSize) {
      if (std::exchange(slice_scheduled_, true)) break;
      RunLater(std::chrono::milliseconds(0), &Policy::StartSliceLocked);
      break;
    }
    StartLocked(connection);
  }
  if (started > 0) ArmConnectTimerLocked(Clock::now());
}

void Policy::StartLocked(Connection& connection) {
  const std::string& address = connection.member().instance->address();
  std::optional<grpc_resolved_address> resolved = ParseAddress(address);
  if (!resolved.has_value() && source_ != nullptr) {
    if (const auto host = source_->hosts.find(address); host != source_->hosts.end()) {
      resolved = host->second;
    }
  }
  connection.StartLocked(resolved);
}

RefCountedPtr<Policy> Policy::Self() {
  return RefCountedPtr<Policy>(static_cast<Policy*>(Ref().release()));
}

RefCountedPtr<grpc_core::SubchannelInterface> Policy::CreateSubchannelLocked(
    const Instance& instance, const grpc_resolved_address& address) {
  base::Count(base::GlobalCounters().subchannels_created);
  // gRPC would share a connection among all channels and records that lead to an address. Then a
  // channel that has not yet heard that the connection broke could send a call over the next one,
  // which may lead to another process.
  ChannelArgs args = subchannel_args_.Set("turnout.internal.connection",
                                          absl::StrCat(connection_scope_, instance.id));
  // An instance that announces its identity is READY only while it answers to it.
  if (!instance.health_service.empty()) {
    args = args.Set(kHealthCheckServiceName, instance.health_service);
  }
  if (instance.permits_pings) {
    args = args.SetIfUnset(GRPC_ARG_KEEPALIVE_TIME_MS, kPingIntervalMs)
               .SetIfUnset(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingTimeoutMs);
  }
  return channel_control_helper()->CreateSubchannel(
      grpc_core::ServerAddress(address, ChannelArgs()), args);
}

void Policy::OnStateChangeLocked(Connection& connection, ConnectionState before) {
  const ConnectionState now = connection.state();
  if (now == ConnectionState::kFailing && source_ != nullptr &&
      HasHostName(connection.member().instance->address())) {
    channel_control_helper()->RequestReresolution();
  }
  if (now == ConnectionState::kConnecting) ArmConnectTimerLocked(connection.connecting_since());
  if (before == ConnectionState::kReady) {
    reconnect_after_publish_ = true;
    PublishSoonLocked();
  } else if (now == ConnectionState::kReady && !published_ready_) {
    PublishSoonLocked();  // calls are waiting
  } else if (now == ConnectionState::kReady || now == ConnectionState::kFailing) {
    PublishWhenCheapLocked();
  }
}

void Policy::PublishSoonLocked() {
  if (std::exchange(publish_scheduled_, true)) return;
  work_serializer()->Run(
      [self = Self()] {
        if (!self->shutdown_ && self->publish_scheduled_) self->PublishLocked();
      },
      DEBUG_LOCATION);
}

void Policy::PublishWhenCheapLocked() {
  if (publish_scheduled_ || publish_timer_armed_) return;
  const auto interval =
      std::min<Clock::duration>(publish_cost_ * kPublishShare, kMostPublishInterval);
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(last_published_ +
                                                                          interval - Clock::now());
  if (wait < kLeastPublishInterval) return PublishSoonLocked();
  publish_timer_armed_ = true;
  RunLater(wait, &Policy::PublishLocked);
}

void Policy::PublishLocked() {
  publish_scheduled_ = false;
  publish_timer_armed_ = false;
  if (snapshot_ == nullptr) return;
  const auto begin = Clock::now();
  Published published{.service = snapshot_->service, .config = config_};
  published.endpoints.reserve(connections_.size());
  published.subchannels.reserve(connections_.size());
  bool ready = false;
  bool may_become_ready = false;
  const absl::Status* error = nullptr;
  for (const auto& connection : connections_) {
    const ConnectionState state = connection->state();
    published.endpoints.push_back({connection->member(), state, connection->last_error()});
    const bool is_ready = state == ConnectionState::kReady;
    published.subchannels.push_back(is_ready ? connection->subchannel() : nullptr);
    ready |= is_ready;
    may_become_ready |= state == ConnectionState::kConnecting || state == ConnectionState::kIdle;
    if (state == ConnectionState::kFailing) error = &connection->last_error();
  }
  const absl::Status failure = absl::UnavailableError(
      error != nullptr ? error->message()
                       : absl::StrCat("no instance of ", snapshot_->service, " is registered"));
  const auto state = ready              ? GRPC_CHANNEL_READY
                     : may_become_ready ? GRPC_CHANNEL_CONNECTING
                                        : GRPC_CHANNEL_TRANSIENT_FAILURE;
  channel_control_helper()->UpdateState(
      state, state == GRPC_CHANNEL_TRANSIENT_FAILURE ? failure : absl::OkStatus(),
      MakeDataPlane(std::move(published),
                    [self = Self()](const std::string& id) { self->ConnectFromPick(id); }));
  published_ready_ = ready;
  last_published_ = Clock::now();
  publish_cost_ = last_published_ - begin;
  if (std::exchange(reconnect_after_publish_, false)) {
    for (const auto& connection : connections_) connection->ReconnectLocked();
  }
}

void Policy::FailCallsLocked(const absl::Status& status) {
  connections_.clear();
  snapshot_ = nullptr;
  published_ready_ = false;
  channel_control_helper()->UpdateState(GRPC_CHANNEL_TRANSIENT_FAILURE, status,
                                        std::make_unique<TransientFailurePicker>(status));
}

void Policy::ArmConnectTimerLocked(Clock::time_point since) {
  if (std::exchange(connect_timer_armed_, true)) return;
  const auto wait =
      std::chrono::ceil<std::chrono::milliseconds>(since + config_->connect_timeout - Clock::now());
  RunLater(std::max(wait, std::chrono::milliseconds(1)), &Policy::ExpireLocked);
}

void Policy::ExpireLocked() {
  connect_timer_armed_ = false;
  const auto limit = Clock::now() - config_->connect_timeout;
  bool expired = false;
  auto next = Clock::time_point::max();
  for (const auto& connection : connections_) {
    expired |= connection->ExpireLocked(limit, config_->connect_timeout);
    if (connection->state() == ConnectionState::kConnecting) {
      next = std::min(next, connection->connecting_since());
    }
  }
  if (next != Clock::time_point::max()) ArmConnectTimerLocked(next);
  if (expired) PublishLocked();
}

void Policy::RunLater(std::chrono::milliseconds delay, void (Policy::*task)()) {
  channel_control_helper()->GetEventEngine()->RunAfter(delay, [self = Self(), task]() mutable {
    ApplicationCallbackExecCtx callback_exec_ctx;
    ExecCtx exec_ctx;
    Policy* policy = self.get();
    policy->work_serializer()->Run(
        [self = std::move(self), task] {
          if (!self->shutdown_) (self.get()->*task)();
        },
        DEBUG_LOCATION);
  });
}

void Policy::ConnectFromPick(const std::string& id) {
  struct Request {
    RefCountedPtr<Policy> policy;
    std::string id;
  };
  auto* request = new Request{Self(), id};
  // Runs when the thread has left the data-plane mutex.
  ExecCtx::Run(DEBUG_LOCATION,
               GRPC_CLOSURE_CREATE(
                   // gRPC's type for closures. NOLINTNEXTLINE(performance-unnecessary-value-param)
                   [](void* arg, grpc_error_handle /*error*/) {
                     std::shared_ptr<Request> owned(static_cast<Request*>(arg));
                     owned->policy->work_serializer()->Run(
                         [owned] {
                           Policy& policy = *owned->policy;
                           if (policy.shutdown_) return;
                           Connection* connection = policy.FindLocked(owned->id);
                           if (connection == nullptr || connection->started()) return;
                           policy.StartLocked(*connection);
                           policy.PublishSoonLocked();
                         },
                         DEBUG_LOCATION);
                   },
                   request, nullptr),
               absl::OkStatus());
}

Connection* Policy::FindLocked(const std::string& id) {
  const auto found = std::lower_bound(
      connections_.begin(), connections_.end(), id,
      [](const auto& connection, const std::string& wanted) { return connection->id() < wanted; });
  if (found == connections_.end() || (*found)->id() != id) return nullptr;
  return found->get();
}

void Policy::ResetBackoffLocked() {
  for (const auto& connection : connections_) connection->ResetBackoffLocked();
}

void Policy::ShutdownLocked() {
  shutdown_ = true;
  connections_.clear();
  source_.reset();
}

}  // namespace turnout::adapter
