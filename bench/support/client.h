// Channels and calls as benchmarks need them.
#ifndef TURNOUT_BENCH_SUPPORT_CLIENT_H_
#define TURNOUT_BENCH_SUPPORT_CLIENT_H_

#include <grpcpp/channel.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/api.grpc.pb.h"

namespace turnout::bench {

// `loadBalancingConfig`s, JSON lists. The first of ours is what channels have by default.
inline constexpr char kStockRoundRobin[] = R"([{"round_robin":{}}])";
inline constexpr char kVersionThenRandom[] = R"([{"turnout":{}}])";
inline constexpr char kVersionThenRoundRobin[] =
    R"([{"turnout":{"picker":[{"version":{"child":[{"round_robin":{}}]}}]}}])";

// gRPC's own policy over a fixed list, and ours over what etcd has. Connections are the channel's
// own.
std::shared_ptr<grpc::Channel> StockChannel(
    const std::vector<std::string>& addresses,
    const std::string& load_balancing_config = kStockRoundRobin);
std::shared_ptr<grpc::Channel> EtcdChannel(const std::string& target,
                                           const std::string& load_balancing_config);

struct Answer {
  absl::Status status;
  std::string address;                            // of the instance, `127.1.0.1:40001`
  std::chrono::steady_clock::time_point arrived;  // there
};

// One call; waits for an instance for up to 60 s. `version`: empty for none.
Answer Call(proto::Api::Stub& stub, const std::string& version);

// Calls until `count` instances have answered.
struct Reached {
  std::chrono::steady_clock::time_point first, all;
  std::size_t calls = 0;
};
absl::StatusOr<Reached> ReachAll(proto::Api::Stub& stub, const std::string& version,
                                 std::size_t count);

}  // namespace turnout::bench

#endif  // TURNOUT_BENCH_SUPPORT_CLIENT_H_
