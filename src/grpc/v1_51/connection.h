// One instance as a channel is connected to it: its subchannel, and a connection state that is
// steadier than gRPC's: failing stays failing until READY. One that was READY and then fails
// without having lost its connection is unhealthy: it still leads to the process that proved to be
// the instance.
//
// All members run in the channel's work serializer.
#ifndef TURNOUT_SRC_GRPC_V1_51_CONNECTION_H_
#define TURNOUT_SRC_GRPC_V1_51_CONNECTION_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "src/core/lib/gprpp/ref_counted_ptr.h"
#include "src/core/lib/gprpp/work_serializer.h"
#include "src/core/lib/iomgr/resolved_address.h"
#include "src/core/lib/load_balancing/lb_policy.h"
#include "turnout/picker.h"

namespace turnout::adapter {

class Connection {
 public:
  using Clock = std::chrono::steady_clock;

  class Owner {
   public:
    virtual ~Owner() = default;
    // Null while the channel shuts down.
    virtual grpc_core::RefCountedPtr<grpc_core::SubchannelInterface> CreateSubchannelLocked(
        const Instance& instance, const grpc_resolved_address& address) = 0;
    // Keeps the owner alive for as long as gRPC may call back.
    virtual grpc_core::RefCountedPtr<grpc_core::LoadBalancingPolicy> HoldLocked() = 0;
    // In which all members run.
    virtual std::shared_ptr<grpc_core::WorkSerializer> SerializerLocked() = 0;
    // The state was `before`. A connection that was connected waits for ReconnectLocked, so that no
    // picker still counts on it when a new connection may lead to another process.
    virtual void OnStateChangeLocked(Connection& connection, ConnectionState before) = 0;
  };

  // `founding`: there was no other instance when this one came.
  Connection(Owner& owner, Member member, bool founding = false)
      : owner_(owner), member_(std::move(member)), founding_(founding) {}
  ~Connection() { Drop(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Makes the subchannel and connects it. Without an address (a host name that is not resolved yet)
  // it only begins to count as connecting. Once connecting, to another address: starts afresh.
  void StartLocked(const std::optional<grpc_resolved_address>& address);
  void StopLocked();  // back to idle
  void ReconnectLocked();
  void ResetBackoffLocked();

  // Takes over what discovery says now. An instance that has moved, or proves its identity
  // otherwise, is to be started again.
  void UpdateLocked(const Member& member);

  // Counts as failing from now on if it has been connecting since before `limit`.
  bool ExpireLocked(Clock::time_point limit, std::chrono::milliseconds connect_timeout);

  const std::string& id() const { return member_.instance->id; }
  const Member& member() const { return member_; }
  ConnectionState state() const { return state_; }
  const absl::Status& last_error() const { return last_error_; }
  Clock::time_point connecting_since() const { return connecting_since_; }
  std::optional<Clock::time_point> serving_since() const { return serving_since_; }
  // Can calls be sent over it, should a picker choose to?
  bool connected() const {
    return state_ == ConnectionState::kReady || state_ == ConnectionState::kUnhealthy;
  }
  // May it stay? A lapsed instance is as good as its connection: one that was READY throughout
  // still leads to the process that was registered; a new one may lead to another.
  bool proven() const {
    return member_.status != InstanceStatus::kLapsed || state_ == ConnectionState::kReady;
  }
  // Is it to be connected? Its owner's mark.
  bool wanted() const { return wanted_; }
  void SetWanted(bool wanted) { wanted_ = wanted; }
  bool started() const { return state_ != ConnectionState::kIdle; }
  bool has_subchannel() const { return subchannel_ != nullptr; }
  const grpc_core::RefCountedPtr<grpc_core::SubchannelInterface>& subchannel() const {
    return subchannel_;
  }

 private:
  class Watcher;
  void OnSubchannelStateLocked(grpc_connectivity_state state, absl::Status status);
  void Enter(ConnectionState state);
  void RequestConnection();
  void Drop();

  Owner& owner_;
  Member member_;
  grpc_core::RefCountedPtr<grpc_core::SubchannelInterface> subchannel_;
  Watcher* watcher_ = nullptr;  // owned by the subchannel
  std::optional<grpc_resolved_address> address_;
  ConnectionState state_ = ConnectionState::kIdle;
  Clock::time_point connecting_since_{};
  std::optional<Clock::time_point> serving_since_;
  bool founding_;
  bool wanted_ = false;
  bool awaits_reconnect_ = false;
  absl::Status last_error_;
};

}  // namespace turnout::adapter

#endif  // TURNOUT_SRC_GRPC_V1_51_CONNECTION_H_
