#include "bench/support/client.h"

#include <grpcpp/grpcpp.h>

#include <charconv>
#include <unordered_set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "turnout/channel.h"

namespace turnout::bench {
namespace {

constexpr std::chrono::seconds kPatience{60};

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target,
                                           const std::string& load_balancing_config) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // A stock channel's would else be its list of addresses, longer than servers accept.
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "bench.app");
  arguments.SetServiceConfigJSON(
      absl::StrCat(R"({"loadBalancingConfig":)", load_balancing_config, "}"));
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

std::shared_ptr<grpc::Channel> StockChannel(const std::vector<std::string>& addresses,
                                            const std::string& load_balancing_config) {
  return MakeChannel("ipv4:" + absl::StrJoin(addresses, ","), load_balancing_config);
}

std::shared_ptr<grpc::Channel> EtcdChannel(const std::string& target,
                                           const std::string& load_balancing_config) {
  return MakeChannel(target, load_balancing_config);
}

Answer Call(proto::Api::Stub& stub, const std::string& version) {
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  if (!version.empty()) SetVersion(context, version);
  proto::Response response;
  const grpc::Status status = stub.ApiTest(&context, proto::Request(), &response);
  if (!status.ok()) return {.status = absl::UnavailableError(status.error_message())};
  std::int64_t arrived = 0;
  const std::string& output = response.output();
  std::from_chars(output.data(), output.data() + output.size(), arrived);
  std::string peer = context.peer();
  return {.address = peer.substr(peer.find(':') + 1),  // "ipv4:…"
          .arrived = std::chrono::steady_clock::time_point(std::chrono::nanoseconds(arrived))};
}

absl::StatusOr<Reached> ReachAll(proto::Api::Stub& stub, const std::string& version,
                                 std::size_t count) {
  using Clock = std::chrono::steady_clock;
  Reached reached;
  std::unordered_set<std::string> seen;
  const Clock::time_point deadline = Clock::now() + kPatience;
  while (seen.size() < count) {
    Answer answer = Call(stub, version);
    if (!answer.status.ok()) return answer.status;
    if (reached.calls++ == 0) reached.first = Clock::now();
    seen.insert(std::move(answer.address));
    if (Clock::now() > deadline) {
      return absl::DeadlineExceededError(
          absl::StrCat("reached ", seen.size(), " of ", count, " instances in 60 s"));
    }
  }
  reached.all = Clock::now();
  return reached;
}

}  // namespace turnout::bench
