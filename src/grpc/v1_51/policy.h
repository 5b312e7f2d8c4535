// The load-balancing policy, control plane: follows snapshots, keeps one Connection per instance
// across them, and publishes a picker whenever what calls may do has changed.
//
//   departures (from READY, drains)   published at once: those that arrive together, together
//   arrivals (a connection is READY)  the first published at once; the others too while that is
//                                     cheap, else coalesced so that publishing takes at most a
//                                     tenth of the time
//   subchannels                       made in slices, between which other events get their turn;
//                                     those that calls have asked for first
//   pickers that depend on time       built anew as often as they ask for
#ifndef TURNOUT_SRC_GRPC_V1_51_POLICY_H_
#define TURNOUT_SRC_GRPC_V1_51_POLICY_H_

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/balance/policy_config.h"
#include "src/core/lib/load_balancing/lb_policy.h"
#include "src/core/lib/load_balancing/lb_policy_factory.h"
#include "src/grpc/v1_51/connection.h"
#include "src/grpc/v1_51/data_plane.h"
#include "src/grpc/v1_51/snapshot_source.h"
#include "turnout/snapshot.h"

namespace turnout::adapter {

// The names under which gRPC knows our policies.
inline constexpr const char* kPolicyNames[] = {"turnout", "version"};

std::unique_ptr<grpc_core::LoadBalancingPolicyFactory> MakePolicyFactory(const char* name);

class Policy final : public grpc_core::LoadBalancingPolicy, public Connection::Owner {
 public:
  Policy(Args args, const char* name);

  absl::string_view name() const override { return name_; }
  absl::Status UpdateLocked(UpdateArgs args) override;
  void ResetBackoffLocked() override;

 private:
  using Clock = Connection::Clock;

  void ShutdownLocked() override;
  grpc_core::RefCountedPtr<Policy> Self();

  // Connection::Owner
  grpc_core::RefCountedPtr<grpc_core::SubchannelInterface> CreateSubchannelLocked(
      const Instance& instance, const grpc_resolved_address& address) override;
  grpc_core::RefCountedPtr<LoadBalancingPolicy> HoldLocked() override { return Ref(); }
  std::shared_ptr<grpc_core::WorkSerializer> SerializerLocked() override {
    return work_serializer();
  }
  void OnStateChangeLocked(Connection& connection, ConnectionState before) override;

  bool ApplySnapshotLocked(std::shared_ptr<const Snapshot> snapshot);
  bool ApplyRulesLocked();
  std::shared_ptr<const PickerBuilder> BuilderLocked();
  void FollowWishesLocked(const DataPlane& data_plane);
  void FollowHostsLocked();
  void StartSliceLocked();
  void ContinueLocked();
  Connection* NextToStartLocked();
  void StartLocked(Connection& connection);
  Connection* FindLocked(const std::string& id);
  void FailCallsLocked(const absl::Status& status);

  void PublishSoonLocked();  // when the events that are already queued have been handled
  void PublishWhenCheapLocked();
  void PublishLocked();
  Published PublishedLocked();
  void TellChannelLocked(std::unique_ptr<DataPlane> data_plane);
  void ArmConnectTimerLocked(Clock::time_point since);
  void ExpireLocked();

  // Runs `task` in the work serializer, from a thread of gRPC's, unless we have been shut down.
  void RunLater(std::chrono::milliseconds delay, void (Policy::*task)());
  void RebuildLocked();
  // For picks, which hold the data-plane mutex.
  void ConnectFromPick(std::vector<std::string> ids);
  void ConnectLocked(std::vector<std::string> ids);

  const char* const name_;
  std::shared_ptr<const balance::PolicyConfig> config_;
  grpc_core::RefCountedPtr<SnapshotSource> source_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::shared_ptr<const route::Router> router_;              // null: there are no rules
  std::vector<std::weak_ptr<const route::Router>> routers_;  // alive while calls go by them
  grpc_core::ChannelArgs subchannel_args_;
  const std::string connection_scope_;  // keeps this channel's connections its own

  std::vector<std::unique_ptr<Connection>> connections_;  // sorted by instance id
  std::deque<std::string> asked_for_;                     // instance ids that calls wait for
  std::size_t look_at_ = 0;                               // an index of connections_
  std::size_t left_to_look_at_ = 0;                       // of them, for one to start
  bool slice_scheduled_ = false;
  bool wishes_may_differ_ = false;
  bool rebuild_timer_armed_ = false;
  bool connect_timer_armed_ = false;
  bool publish_scheduled_ = false;
  bool publish_timer_armed_ = false;
  bool reconnect_after_publish_ = false;
  bool shutdown_ = false;
  bool published_ready_ = false;  // was any connection when calls were last told?
  Clock::time_point last_published_{};
  Clock::duration publish_cost_{};
};

}  // namespace turnout::adapter

#endif  // TURNOUT_SRC_GRPC_V1_51_POLICY_H_
