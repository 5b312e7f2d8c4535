// Callers in our own process that call all the time, over one channel.
#ifndef TURNOUT_SRC_CLI_DEMO_TRAFFIC_H_
#define TURNOUT_SRC_CLI_DEMO_TRAFFIC_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "proto/api.grpc.pb.h"

namespace turnout::cli {

using CallClock = std::chrono::steady_clock;

// What became of the calls since someone last asked.
struct Calls {
  struct Answers {
    std::size_t count = 0;
    CallClock::time_point last;
  };
  struct Failure {
    std::size_t caller;
    CallClock::time_point at;
    std::string server;  // "ipv4:127.0.0.1:40001": where the call was; empty: nowhere yet
    std::string error;   // "UNAVAILABLE: …"
  };
  std::map<std::string, Answers, std::less<>> answers;  // by the answer's text
  std::vector<Failure> failures;
  std::size_t wrong_version = 0;  // answered by another version than was asked for

  std::size_t total() const;
  std::size_t CountOf(std::string_view answer) const;
};

class Traffic {
 public:
  // One caller for each of `versions`; an empty one takes any.
  Traffic(const std::shared_ptr<grpc::Channel>& channel, const std::vector<std::string>& versions);
  ~Traffic();  // waits for the calls that are under way
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  Calls Take();
  // How many calls there were since the last Take. Those who wait are woken up by each call that
  // fails, and each whose answer is the first of its text.
  bool HasAnswer(std::string_view answer) const;

 private:
  void CallForEver(std::size_t caller, const std::string& version);

  const std::unique_ptr<proto::Api::Stub> stub_;
  std::atomic<bool> ending_{false};
  mutable std::mutex mutex_;
  Calls calls_;
  std::vector<std::thread> callers_;
};

// One call that waits until there is an instance for it.
class WaitingCall {
 public:
  WaitingCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& version);
  ~WaitingCall();  // cancels it
  WaitingCall(const WaitingCall&) = delete;
  WaitingCall& operator=(const WaitingCall&) = delete;

  bool ended() const { return ended_; }
  // Once it has ended:
  const grpc::Status& status() const { return status_; }
  const std::string& answer() const { return response_.output(); }
  CallClock::time_point ended_at() const { return ended_at_; }

 private:
  const std::unique_ptr<proto::Api::Stub> stub_;
  grpc::ClientContext context_;
  proto::Response response_;
  grpc::Status status_;
  CallClock::time_point ended_at_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_DEMO_TRAFFIC_H_
