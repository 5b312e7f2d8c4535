#include "src/grpc/v1_51/policy.h"

#include <grpc/event_engine/event_engine.h>
#include <grpc/grpc.h>
#include <grpc/support/port_platform.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/fork.h"
#include "src/base/observe.h"
#include "src/base/random.h"
#include "src/core/lib/gprpp/orphanable.h"
#include "src/core/lib/iomgr/exec_ctx.h"
#include "src/grpc/v1_51/address_snapshot.h"
#include "src/grpc/v1_51/addresses.h"
#include "src/grpc/v1_51/data_plane.h"
#include "src/grpc/v1_51/response_filter.h"
#include "src/route/route_builder.h"

namespace turnout::adapter {
namespace {

using grpc_core::ApplicationCallbackExecCtx;
using grpc_core::ChannelArgs;
using grpc_core::ExecCtx;
using grpc_core::LoadBalancingPolicy;
using grpc_core::RefCountedPtr;

// For so long subchannels are made at a stretch; then connections that came up meanwhile get their
// turn.
constexpr std::chrono::milliseconds kSliceTime{3};
// Below this a publication is not worth a timer, whose grain is a millisecond.
constexpr std::chrono::milliseconds kLeastPublishInterval{1};
constexpr std::chrono::milliseconds kMostPublishInterval{100};
constexpr int kPublishShare = 10;  // at most a tenth of the time is spent publishing

constexpr std::chrono::milliseconds kLeastRebuildPeriod{100};

// Servers that permit pings accept one every 10 s (Registrar::PrepareServer).
constexpr int kPingIntervalMs = 15000;
constexpr int kPingTimeoutMs = 5000;

// gRPC sets TCP_USER_TIMEOUT, to the keepalive's timeout, only on connections with a keepalive. An
// interval of 24 days brings that without ever a ping, which would be a strike with servers that do
// not permit them. So a connection that acknowledges nothing of what was sent ends after this time.
constexpr int kNoPingIntervalMs = std::numeric_limits<int>::max() - 1;
constexpr int kAcknowledgeTimeoutMs = 20000;

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
  const bool new_rules = ApplyRulesLocked();
  if (changed || new_config || new_rules) {
    wishes_may_differ_ = true;
    PublishLocked();
  }
  FollowHostsLocked();
  StartSliceLocked();
  return absl::OkStatus();
}

// Both lists are sorted by id: one walk finds what stays, what comes and what has gone.
bool Policy::ApplySnapshotLocked(std::shared_ptr<const Snapshot> snapshot) {
  if (snapshot == snapshot_) return false;
  const bool founding = connections_.empty();
  std::vector<std::unique_ptr<Connection>> next;
  next.reserve(snapshot->members.size());
  auto known = connections_.begin();
  for (const Member& member : snapshot->members) {
    while (known != connections_.end() && (*known)->id() < member.instance->id) ++known;
    if (known != connections_.end() && (*known)->id() == member.instance->id) {
      next.push_back(std::move(*known++));
      next.back()->UpdateLocked(member);
      if (!next.back()->proven()) next.pop_back();
    } else if (member.status != InstanceStatus::kLapsed) {
      next.push_back(std::make_unique<Connection>(*this, member, founding));
    }
  }
  connections_ = std::move(next);
  snapshot_ = std::move(snapshot);
  // Every process begins elsewhere, or all would connect to the same servers first.
  look_at_ = connections_.empty() ? 0 : base::ThreadRandom().Below(connections_.size());
  return true;
}

bool Policy::ApplyRulesLocked() {
  std::shared_ptr<const route::Router> router = source_ == nullptr ? nullptr : source_->router;
  if (router == router_) return false;
  if (router_ != nullptr) routers_.push_back(router_);
  router_ = std::move(router);
  return true;
}

// A call goes by the rules that it began with, to its last attempt: pickers know those, too.
std::shared_ptr<const PickerBuilder> Policy::BuilderLocked() {
  std::vector<std::shared_ptr<const route::Router>> former;
  std::erase_if(routers_, [&former](const std::weak_ptr<const route::Router>& weak) {
    auto router = weak.lock();
    const bool gone = router == nullptr;
    if (!gone) former.push_back(std::move(router));
    return gone;
  });
  if (router_ == nullptr && former.empty()) return config_->picker;
  return std::make_shared<route::RouteBuilder>(config_->picker, router_, std::move(former));
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

// Eager channels connect whatever a picker may want; lazy ones, of that, what calls have asked for.
void Policy::FollowWishesLocked(const DataPlane& data_plane) {
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    Connection& connection = *connections_[i];
    const bool asked_for = !config_->lazy_connections || connection.wanted();
    connection.SetWanted(asked_for && data_plane.Wants(i));
    if (!connection.wanted() && connection.started()) connection.StopLocked();
  }
  left_to_look_at_ = connections_.size();
}

void Policy::StartSliceLocked() {
  if (slice_scheduled_) return;
  const auto end = Clock::now() + kSliceTime;
  bool started = false;
  while (Connection* connection = NextToStartLocked()) {
    StartLocked(*connection);
    started = true;
    if (Clock::now() < end) continue;
    slice_scheduled_ = true;
    RunLater(std::chrono::milliseconds(0), &Policy::ContinueLocked);
    break;
  }
  if (started) ArmConnectTimerLocked(Clock::now());
}

void Policy::ContinueLocked() {
  slice_scheduled_ = false;
  StartSliceLocked();
}

// Those that calls wait for come first. Null: there is no other.
Connection* Policy::NextToStartLocked() {
  while (!asked_for_.empty()) {
    Connection* connection = FindLocked(asked_for_.front());
    asked_for_.pop_front();
    if (connection != nullptr && !connection->has_subchannel()) return connection;
  }
  while (left_to_look_at_ > 0) {
    --left_to_look_at_;
    look_at_ = (look_at_ + 1) % connections_.size();
    Connection& connection = *connections_[look_at_];
    if (connection.wanted() && !connection.has_subchannel()) return &connection;
  }
  return nullptr;
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
  ChannelArgs args =
      subchannel_args_.Set(kConnectionArg, absl::StrCat(connection_scope_, instance.id));
  // An instance that announces its identity is READY only while it answers to it.
  if (!instance.health_service.empty()) {
    args = args.Set(kHealthCheckServiceName, instance.health_service);
  }
  const bool pings = instance.permits_pings;
  args = args.SetIfUnset(GRPC_ARG_KEEPALIVE_TIME_MS, pings ? kPingIntervalMs : kNoPingIntervalMs)
             .SetIfUnset(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                         pings ? kPingTimeoutMs : kAcknowledgeTimeoutMs);
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
  const bool was_connected =
      before == ConnectionState::kReady || before == ConnectionState::kUnhealthy;
  if (was_connected && now != ConnectionState::kReady) {
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
  if (std::erase_if(connections_, [](const auto& connection) { return !connection->proven(); }) >
      0) {
    left_to_look_at_ = std::min(left_to_look_at_, connections_.size());
  }
  Published published = PublishedLocked();
  const auto rebuild_period = published.picker->rebuild_period();
  auto data_plane = MakeDataPlane(
      std::move(published),
      [self = Self()](std::vector<std::string> ids) { self->ConnectFromPick(std::move(ids)); });
  if (std::exchange(wishes_may_differ_, false)) FollowWishesLocked(*data_plane);
  TellChannelLocked(std::move(data_plane));
  last_published_ = Clock::now();
  publish_cost_ = last_published_ - begin;
  if (std::exchange(reconnect_after_publish_, false)) {
    for (const auto& connection : connections_) connection->ReconnectLocked();
  }
  if (rebuild_period.has_value() && !std::exchange(rebuild_timer_armed_, true)) {
    RunLater(std::max(*rebuild_period, kLeastRebuildPeriod), &Policy::RebuildLocked);
  }
}

Published Policy::PublishedLocked() {
  Published published{.service = snapshot_->service, .config = config_, .picker = BuilderLocked()};
  published.endpoints.reserve(connections_.size());
  published.subchannels.reserve(connections_.size());
  for (const auto& connection : connections_) {
    published.endpoints.push_back({.member = connection->member(),
                                   .state = connection->state(),
                                   .last_error = connection->last_error(),
                                   .serving_since = connection->serving_since()});
    published.subchannels.push_back(connection->connected() ? connection->subchannel() : nullptr);
  }
  return published;
}

// The channel's state is for those who wait for it or look at it; calls go by the picker.
void Policy::TellChannelLocked(std::unique_ptr<DataPlane> data_plane) {
  bool ready = false;
  bool connecting = false;
  const absl::Status* error = nullptr;
  for (const auto& connection : connections_) {
    const ConnectionState state = connection->state();
    ready |= state == ConnectionState::kReady;
    connecting |= state == ConnectionState::kConnecting ||
                  (state == ConnectionState::kIdle && connection->wanted());
    if (!connection->last_error().ok()) error = &connection->last_error();
  }
  grpc_connectivity_state state = GRPC_CHANNEL_TRANSIENT_FAILURE;
  if (ready) {
    state = GRPC_CHANNEL_READY;
  } else if (connecting) {
    state = GRPC_CHANNEL_CONNECTING;
  } else if (config_->lazy_connections && error == nullptr && !connections_.empty()) {
    state = GRPC_CHANNEL_IDLE;
  }
  absl::Status status;
  if (state == GRPC_CHANNEL_TRANSIENT_FAILURE) {
    status = absl::UnavailableError(
        error != nullptr ? error->message()
                         : absl::StrCat("no instance of ", snapshot_->service, " is registered"));
  }
  channel_control_helper()->UpdateState(state, status, std::move(data_plane));
  published_ready_ = ready;
}

void Policy::RebuildLocked() {
  rebuild_timer_armed_ = false;
  PublishLocked();
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

void Policy::ConnectFromPick(std::vector<std::string> ids) {
  struct Request {
    RefCountedPtr<Policy> policy;
    std::vector<std::string> ids;
  };
  auto* request = new Request{Self(), std::move(ids)};
  // Runs when the thread has left the data-plane mutex.
  ExecCtx::Run(DEBUG_LOCATION,
               GRPC_CLOSURE_CREATE(
                   // gRPC's type for closures. NOLINTNEXTLINE(performance-unnecessary-value-param)
                   [](void* arg, grpc_error_handle /*error*/) {
                     std::shared_ptr<Request> owned(static_cast<Request*>(arg));
                     owned->policy->work_serializer()->Run(
                         [owned] { owned->policy->ConnectLocked(std::move(owned->ids)); },
                         DEBUG_LOCATION);
                   },
                   request, nullptr),
               absl::OkStatus());
}

void Policy::ConnectLocked(std::vector<std::string> ids) {
  if (shutdown_ || ids.empty()) return;
  // The clients of a fleet should not all wait for the same instance.
  const auto first = base::ThreadRandom().Below(ids.size());
  std::rotate(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(first), ids.end());
  for (std::string& id : ids) {
    Connection* connection = FindLocked(id);
    if (connection == nullptr || connection->started()) continue;
    connection->SetWanted(true);
    asked_for_.push_back(std::move(id));
  }
  StartSliceLocked();
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
  if (base::InForkedChild()) {
    // To end them takes locks of gRPC's that a thread of the parent's may hold here for ever.
    for (auto& connection : connections_) static_cast<void>(connection.release());
  }
  connections_.clear();
  source_.reset();
}

}  // namespace turnout::adapter
