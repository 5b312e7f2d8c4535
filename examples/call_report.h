// What became of the calls of app_client.
#ifndef TURNOUT_EXAMPLES_CALL_REPORT_H_
#define TURNOUT_EXAMPLES_CALL_REPORT_H_

#include <grpcpp/support/status.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace app {

class CallReport {
 public:
  void Add(const grpc::Status& status, const std::string& output, std::chrono::nanoseconds latency);
  void Merge(const CallReport& other);

  bool all_answered(std::uint64_t calls) const { return ok_ == calls; }

  // One object: calls, ok, errors, by_output, latency_us of the answered calls.
  std::string Json() const;
  std::string Table() const;

 private:
  std::int64_t LatencyUs(double quantile) const;

  std::uint64_t calls_ = 0;
  std::uint64_t ok_ = 0;
  std::map<std::string, std::uint64_t> errors_;  // by "UNAVAILABLE: message"
  std::map<std::string, std::uint64_t> by_output_;
  std::vector<std::int64_t> latencies_us_;
};

}  // namespace app

#endif  // TURNOUT_EXAMPLES_CALL_REPORT_H_
