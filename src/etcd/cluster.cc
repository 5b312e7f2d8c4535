#include "src/etcd/cluster.h"

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/base/log.h"

namespace turnout::etcd {
namespace {

grpc::ChannelArguments ChannelArgumentsForEtcd() {
  grpc::ChannelArguments args;
  // The way to etcd must not depend on how the program balances its own calls.
  args.SetLoadBalancingPolicyName("pick_first");
  args.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  args.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Events that were pending when a watch begins come in one message of any size.
  args.SetMaxReceiveMessageSize(-1);
  args.SetMaxSendMessageSize(-1);
  // A silent member is found within 9 s. etcd allows a ping every 5 s, and none without a call.
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 6000);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 3000);
  args.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // etcd that comes back is seen soon; the middle one also bounds an attempt to connect.
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 2000);
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  args.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1000);
  return args;
}

}  // namespace

Cluster::Cluster(const std::vector<std::string>& endpoints, base::RandomSource& random)
    : current_(random.Below(endpoints.size())), endpoints_(absl::StrJoin(endpoints, ", ")) {
  for (const std::string& endpoint : endpoints) members_.push_back({endpoint, nullptr});
}

const Member& Cluster::current() {
  Member& member = members_[current_];
  if (member.channel == nullptr) {
    // With its scheme, or gRPC might read a host name as one.
    member.channel =
        grpc::CreateCustomChannel(absl::StrCat("dns:///", member.endpoint),
                                  grpc::InsecureChannelCredentials(), ChannelArgumentsForEtcd());
  }
  return member;
}

void Cluster::Failed(const Member& member, const absl::Status& why) {
  // Else a name that could not be resolved for long is asked for every two minutes only.
  grpc::experimental::ChannelResetConnectionBackoff(member.channel.get());
  if (&member != &members_[current_] || members_.size() == 1) return;
  current_ = (current_ + 1) % members_.size();
  base::Log(LogSeverity::kDebug, "etcd",
            absl::StrCat("asking ", members_[current_].endpoint, " now: ", why.message()));
}

}  // namespace turnout::etcd
