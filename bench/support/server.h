// The servers that benchmarks call: processes of their own, so that what a benchmark uses is its
// own.
//
// A server listens on 0.0.0.0: under each address of 127.0.0.0/8 it is another instance. It answers
// with the time at which the call arrived, in nanoseconds of std::chrono::steady_clock, which all
// processes of a machine share.
#ifndef TURNOUT_BENCH_SUPPORT_SERVER_H_
#define TURNOUT_BENCH_SUPPORT_SERVER_H_

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/support/process.h"

namespace turnout::bench {

// In the server's process: prints its port, serves until it is killed.
absl::Status Serve();

class Server {
 public:
  static absl::StatusOr<std::unique_ptr<Server>> Start();

  // The `index`-th address, `127.a.b.c:port`; all differ below 15,000,000.
  static std::string Address(const std::string& port, int index);
  std::string Address(int index) const { return Address(port_, index); }

  const std::string& port() const { return port_; }

 private:
  Server();

  testing::Process process_;
  std::string port_;
};

}  // namespace turnout::bench

#endif  // TURNOUT_BENCH_SUPPORT_SERVER_H_
