// Calls all the time from a thread of its own, and remembers when each address was last reached.
#ifndef TURNOUT_BENCH_SUPPORT_SPINNER_H_
#define TURNOUT_BENCH_SUPPORT_SPINNER_H_

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "proto/api.grpc.pb.h"

namespace turnout::bench {

class Spinner {
 public:
  using Clock = std::chrono::steady_clock;

  // `version`: empty for none.
  Spinner(const std::shared_ptr<grpc::Channel>& channel, std::string version);
  ~Spinner();
  Spinner(const Spinner&) = delete;
  Spinner& operator=(const Spinner&) = delete;

  // Epoch if never.
  Clock::time_point LastArrivalAt(const std::string& address);
  absl::Status status();  // of the call that failed; no other follows it

 private:
  void Run();

  proto::Api::Stub stub_;
  const std::string version_;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::map<std::string, Clock::time_point> last_;
  absl::Status status_;
  std::thread thread_;
};

}  // namespace turnout::bench

#endif  // TURNOUT_BENCH_SUPPORT_SPINNER_H_
