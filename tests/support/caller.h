// Calls `proto.Api/ApiTest`, checks every single answer, and keeps count of what came back.
//
// Servers answer `VERSION ADDRESS`, with the address that they announce, and gRPC tells the address
// to which a call went. So an answer shows that it comes from the process at the other end of the
// connection that was picked, and that this is of the version that was asked for. If it is not, the
// test has failed. Tests in which a process takes over the address of another give them different
// versions.
#ifndef TURNOUT_TESTS_SUPPORT_CALLER_H_
#define TURNOUT_TESTS_SUPPORT_CALLER_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "turnout/channel.h"

namespace turnout::testing {

struct CallOptions {
  std::optional<std::string> version;
  std::chrono::milliseconds timeout{10000};
  bool wait_for_ready = false;

  // False: any answer will do, as of a server that its record calls something else.
  bool checked = true;
};

struct Answer {
  grpc::Status status;
  std::string output;
  std::string peer;   // "ipv4:127.0.0.1:40001"
  std::string wrong;  // what was wrong with it; empty: nothing

  // "127.0.0.1:40001", to which the call was sent last; empty: to nobody, or not known, as of one
  // that its deadline has ended.
  std::string Address() const;
  // "v1 127.0.0.1:40001", or "UNAVAILABLE: message".
  std::string ToString() const;
};

Answer Call(const std::shared_ptr<grpc::Channel>& channel, const CallOptions& options = {});

// For other calls than these: what the options say of it, and the check.
void Prepare(grpc::ClientContext& context, const CallOptions& options);
std::string WhatIsWrong(const std::string& output, const std::string& peer,
                        const CallOptions& options);

// How often each answer came.
struct Tally {
  int calls = 0;
  int ok = 0;
  std::map<std::string, int> by_output;
  std::map<std::string, int> errors;

  void Add(const Answer& answer);
  bool all_ok() const { return ok == calls; }
};
std::ostream& operator<<(std::ostream& out, const Tally& tally);  // GoogleTest shows it

Tally CallMany(const std::shared_ptr<grpc::Channel>& channel, int count,
               const CallOptions& options = {});

// Calls until `wanted` takes an answer. False if it takes none for kPatience.
bool CallUntil(const std::shared_ptr<grpc::Channel>& channel, const CallOptions& options,
               const std::function<bool(const Answer&)>& wanted);
// Calls until the answer is `output`, so many times in a row.
bool CallUntilAnswered(const std::shared_ptr<grpc::Channel>& channel, const CallOptions& options,
                       const std::string& output, int times = 1);

// Calls all the time, from threads of its own, until it is stopped.
class Load {
 public:
  explicit Load(std::shared_ptr<grpc::Channel> channel, CallOptions options = {}, int threads = 2);
  ~Load() { Stop(); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Until `count` calls that begin from now on have ended.
  void WaitForCalls(int count);

  Tally Stop();

 private:
  void Run();

  const std::shared_ptr<grpc::Channel> channel_;
  const CallOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Tally tally_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

// A channel of turnout::CreateChannel to `etcd://ETCD/SERVICE`; fails the test if there is none.
std::shared_ptr<grpc::Channel> ChannelTo(const std::string& etcd, const std::string& service,
                                         const ChannelOptions& options = {});

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_CALLER_H_
