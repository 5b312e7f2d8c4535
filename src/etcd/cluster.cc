#include "src/etcd/cluster.h"

#include <grpcpp/channel.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/base/log.h"

namespace turnout::etcd {
namespace {

// A thousand requests that fail together make no thousand attempts to connect.
constexpr std::chrono::milliseconds kBetweenResets{500};

}  // namespace

Cluster::Cluster(const std::vector<std::string>& endpoints, base::RandomSource& random,
                 std::optional<TlsOptions> tls)
    : transport_(std::make_unique<Transport>(std::move(tls))),
      current_(random.Below(endpoints.size())),
      endpoints_(absl::StrJoin(endpoints, ", ")) {
  for (const std::string& endpoint : endpoints) {
    members_.push_back(std::make_unique<Known>(endpoint, *transport_));
  }
}

const Member& Cluster::current() {
  transport_->LookAtFiles();
  Known& member = *members_[current_];
  if (member.generation != transport_->generation()) {
    member.generation = transport_->generation();
    member.channel = nullptr;
    member.diagnosis.Forget();
  }
  if (member.channel == nullptr && Refusal(member).ok()) {
    member.channel = transport_->NewChannel(member.endpoint);
  }
  return member;
}

absl::Status Cluster::Refusal(const Member& member) const {
  if (!transport_->unusable().ok()) return transport_->unusable();
  return Find(member).diagnosis.Standing();
}

void Cluster::Failed(const Member& member, const absl::Status& why) {
  Known& known = Find(member);
  const auto now = Clock::now();
  if (known.channel != nullptr && now >= known.reset_at + kBetweenResets) {
    // Else a name that could not be resolved for long is asked for every two minutes only.
    grpc::experimental::ChannelResetConnectionBackoff(known.channel.get());
    known.reset_at = now;
  }
  if (&known != members_[current_].get() || members_.size() == 1) return;
  current_ = (current_ + 1) % members_.size();
  base::Log(LogSeverity::kDebug, "etcd",
            absl::StrCat("asking ", members_[current_]->endpoint, " now: ", why.message()));
}

void Cluster::Explain(const Member& member, std::function<void(const absl::Status&)> then) {
  Known& known = Find(member);
  // Who is connected has failed for another reason; who has answered in plain text speaks it.
  const bool connected =
      known.channel != nullptr && known.channel->GetState(false) == GRPC_CHANNEL_READY;
  if (connected || (known.has_worked && !transport_->uses_tls())) return then(absl::OkStatus());
  known.diagnosis.Explain([&known, then = std::move(then)](const absl::Status& cause) {
    // Else gRPC would go on trying by itself.
    if (!known.diagnosis.Standing().ok()) known.channel = nullptr;
    then(cause);
  });
}

Cluster::Known& Cluster::Find(const Member& member) const {
  for (const auto& known : members_) {
    if (known.get() == &member) return *known;
  }
  // Members come from current() alone.
  return *members_[current_];
}

}  // namespace turnout::etcd
