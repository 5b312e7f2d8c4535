// The token by which etcd knows a client's user.
#ifndef TURNOUT_SRC_ETCD_LOG_IN_H_
#define TURNOUT_SRC_ETCD_LOG_IN_H_

#include <grpcpp/support/status.h>

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/etcd.pb.h"
#include "src/base/backoff.h"
#include "src/etcd/cluster.h"
#include "src/etcd/event_loop.h"
#include "turnout/registry.h"

namespace turnout::etcd {

class Caller;

// Logs in when the first request wants a token, and again when etcd no longer takes the one that
// there is: once for all who wait, and after a failure not before a backoff is over, which is long
// where etcd has refused the password (to check one is costly for it). Used on the event loop's
// thread; lives for ever.
class LogIn {
 public:
  using TokenCallback = std::function<void(const absl::StatusOr<std::string>&)>;

  // `options.username` is not empty.
  LogIn(Cluster& cluster, const RegistryOptions& options);
  ~LogIn();
  LogIn(const LogIn&) = delete;
  LogIn& operator=(const LogIn&) = delete;

  // `done` gets the token, at once if there is one; empty if etcd does not ask who its clients are.
  // Errors come later, not before `done` is given: after `patience`, or when a log-in has failed.
  void GetToken(std::chrono::milliseconds patience, TokenCallback done);

  // Does etcd refuse a request because of its token, not of what it asks for?
  static bool ConcernsToken(const grpc::Status& status);
  // It refuses this one.
  void Reject(const std::string& token);

  // The one there is, empty if none.
  std::string token() const { return token_.value_or(""); }

 private:
  using Clock = std::chrono::steady_clock;

  struct Waiter {
    TokenCallback done;
    std::unique_ptr<EventLoop::Timer> limit;
  };

  void Begin();
  void Authenticate(const absl::StatusOr<std::string>& password);
  void OnAnswer(const absl::StatusOr<etcdpb::AuthenticateResponse>& answer);
  void Succeed(std::string token);
  void Fail(absl::Status why, base::Backoff& backoff);
  void AnswerAll(const absl::StatusOr<std::string>& token);

  Cluster& cluster_;
  const std::unique_ptr<Caller> caller_;  // without a token
  const std::string username_, password_, password_file_;
  std::optional<std::string> token_;
  bool under_way_ = false;
  bool told_unneeded_ = false, told_plain_ = false;
  std::list<Waiter> waiters_;
  absl::Status last_error_;
  Clock::time_point not_before_;
  base::Backoff backoff_{std::chrono::milliseconds(50), std::chrono::milliseconds(2000)};
  base::Backoff refused_backoff_{std::chrono::milliseconds(500), std::chrono::milliseconds(30000)};
};

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_LOG_IN_H_
