#include "src/grpc/v1_51/connection.h"

#include <grpc/support/port_platform.h>

#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/core/lib/event_engine/default_event_engine.h"
#include "src/core/lib/iomgr/exec_ctx.h"

namespace turnout::adapter {
namespace {

// What gRPC gives an attempt to connect, unless its channel arguments say otherwise.
constexpr std::chrono::seconds kLongestAttempt{20};

bool SameAddress(const grpc_resolved_address& a, const grpc_resolved_address& b) {
  return a.len == b.len && std::memcmp(a.addr, b.addr, a.len) == 0;
}

}  // namespace

class Connection::Watcher final
    : public grpc_core::SubchannelInterface::ConnectivityStateWatcherInterface {
 public:
  explicit Watcher(Connection& connection)
      : connection_(&connection), owner_(connection.owner_.HoldLocked()) {}

  // It has been asked to connect, and has not said yet what came of that.
  bool connecting() const { return connecting_; }
  void SetConnecting() { connecting_ = true; }

  // gRPC still tells a cancelled watcher what was on its way to the work serializer.
  void Detach() { connection_ = nullptr; }

  // gRPC 1.51 forgets about a connection whose subchannel goes while the server's first words are
  // awaited (Subchannel::OnConnectingFinishedLocked): its socket stays open for as long as the
  // server likes. So the subchannel stays until it has connected or failed.
  void Outlast(grpc_core::RefCountedPtr<grpc_core::SubchannelInterface> subchannel,
               const std::shared_ptr<grpc_core::WorkSerializer>& serializer);

  void OnConnectivityStateChange(grpc_connectivity_state state, absl::Status status) override {
    if (state == GRPC_CHANNEL_READY || state == GRPC_CHANNEL_TRANSIENT_FAILURE) {
      connecting_ = false;
      End();
    }
    if (connection_ != nullptr) connection_->OnSubchannelStateLocked(state, std::move(status));
  }
  grpc_pollset_set* interested_parties() override { return owner_->interested_parties(); }

 private:
  using Subchannel = grpc_core::RefCountedPtr<grpc_core::SubchannelInterface>;

  void End() {
    const std::shared_ptr<Subchannel> outlasted = std::exchange(outlasted_, nullptr);
    if (outlasted != nullptr) (*outlasted)->CancelConnectivityStateWatch(this);
  }

  Connection* connection_;  // null once it has dropped the subchannel
  const grpc_core::RefCountedPtr<grpc_core::LoadBalancingPolicy> owner_;
  bool connecting_ = false;
  std::shared_ptr<Subchannel> outlasted_;  // null but after Outlast
};

void Connection::Watcher::Outlast(Subchannel subchannel,
                                  const std::shared_ptr<grpc_core::WorkSerializer>& serializer) {
  outlasted_ = std::make_shared<Subchannel>(std::move(subchannel));
  if (serializer == nullptr) return;
  // A health check, which is part of connecting, may remain unanswered.
  auto end = [this, serializer, weak = std::weak_ptr(outlasted_)] {
    grpc_core::ApplicationCallbackExecCtx callback_exec_ctx;
    grpc_core::ExecCtx exec_ctx;
    // Whoever has the subchannel is not destroyed.
    const auto end_locked = [this, weak] {
      if (!weak.expired()) End();
    };
    serializer->Run(end_locked, DEBUG_LOCATION);
  };
  grpc_event_engine::experimental::GetDefaultEventEngine()->RunAfter(kLongestAttempt,
                                                                     std::move(end));
}

void Connection::StartLocked(const std::optional<grpc_resolved_address>& address) {
  if (subchannel_ != nullptr && address.has_value() && SameAddress(*address_, *address)) return;
  if (subchannel_ != nullptr && !address.has_value()) return;
  Drop();
  if (state_ != ConnectionState::kFailing) Enter(ConnectionState::kConnecting);
  if (!address.has_value()) return;
  address_ = address;
  subchannel_ = owner_.CreateSubchannelLocked(*member_.instance, *address);
  if (subchannel_ == nullptr) return;
  auto watcher = std::make_unique<Watcher>(*this);
  watcher_ = watcher.get();
  subchannel_->WatchConnectivityState(std::move(watcher));
  // gRPC may give back the one that was dropped a moment ago, with its backoff of up to 120 s.
  subchannel_->ResetBackoff();
  RequestConnection();
}

void Connection::StopLocked() {
  Drop();
  state_ = ConnectionState::kIdle;
}

void Connection::ReconnectLocked() {
  if (!std::exchange(awaits_reconnect_, false)) return;
  if (subchannel_ != nullptr) RequestConnection();
}

void Connection::ResetBackoffLocked() {
  if (subchannel_ != nullptr) subchannel_->ResetBackoff();
}

void Connection::UpdateLocked(const Member& member) {
  if (member.instance == member_.instance && member.status == member_.status) return;
  const std::shared_ptr<const Instance> before = std::exchange(member_, member).instance;
  const Instance& now = *member_.instance;
  if (member_.instance == before) return;
  if (now.addresses != before->addresses || now.health_service != before->health_service ||
      now.permits_pings != before->permits_pings) {
    StopLocked();
    serving_since_.reset();
  } else if (now.create_revision != before->create_revision) {
    // It has registered anew, so it is up: what earlier failures have taught does not hold.
    ResetBackoffLocked();
  }
}

bool Connection::ExpireLocked(Clock::time_point limit, std::chrono::milliseconds connect_timeout) {
  if (state_ != ConnectionState::kConnecting || connecting_since_ > limit) return false;
  last_error_ = absl::UnavailableError(
      absl::StrCat("not connected within ", connect_timeout.count(), " ms",
                   subchannel_ == nullptr ? ": its host name is not resolved" : ""));
  state_ = ConnectionState::kFailing;
  return true;
}

void Connection::OnSubchannelStateLocked(grpc_connectivity_state state, absl::Status status) {
  const ConnectionState before = state_;
  switch (state) {
    case GRPC_CHANNEL_READY:
      Enter(ConnectionState::kReady);
      break;
    case GRPC_CHANNEL_TRANSIENT_FAILURE:
      last_error_ = std::move(status);
      // gRPC reports a lost connection as IDLE; a failure right after READY is the health check's,
      // or an ejection.
      Enter(connected() ? ConnectionState::kUnhealthy : ConnectionState::kFailing);
      break;
    case GRPC_CHANNEL_CONNECTING:
      if (state_ == ConnectionState::kUnhealthy) {
        Enter(ConnectionState::kFailing);
      } else if (state_ != ConnectionState::kFailing) {
        Enter(ConnectionState::kConnecting);
      }
      break;
    case GRPC_CHANNEL_IDLE:
      if (connected()) {
        awaits_reconnect_ = true;
        Enter(state_ == ConnectionState::kReady ? ConnectionState::kConnecting
                                                : ConnectionState::kFailing);
      } else {
        RequestConnection();
      }
      break;
    case GRPC_CHANNEL_SHUTDOWN:
      break;
  }
  // A failure that repeats is told too: its error is newer.
  if (state_ != before || state == GRPC_CHANNEL_TRANSIENT_FAILURE) {
    owner_.OnStateChangeLocked(*this, before);
  }
}

void Connection::Enter(ConnectionState state) {
  if (state == ConnectionState::kConnecting && state_ != ConnectionState::kConnecting) {
    connecting_since_ = Clock::now();
  }
  if (state == ConnectionState::kReady) {
    last_error_ = absl::OkStatus();
    const bool was_failing =
        state_ == ConnectionState::kFailing || state_ == ConnectionState::kUnhealthy;
    if (founding_) {
      serving_since_ = Clock::time_point::min();
    } else if (!serving_since_.has_value() || was_failing) {
      serving_since_ = Clock::now();
    }
    founding_ = false;
  }
  state_ = state;
}

void Connection::RequestConnection() {
  watcher_->SetConnecting();
  subchannel_->RequestConnection();
}

void Connection::Drop() {
  if (subchannel_ == nullptr) return;
  awaits_reconnect_ = false;
  Watcher& watcher = *std::exchange(watcher_, nullptr);
  watcher.Detach();
  if (watcher.connecting()) {
    watcher.Outlast(std::move(subchannel_), owner_.SerializerLocked());
  } else {
    subchannel_->CancelConnectivityStateWatch(&watcher);
  }
  subchannel_.reset();
}

}  // namespace turnout::adapter
