// Requests to etcd that have one answer.
#ifndef TURNOUT_SRC_ETCD_RPC_H_
#define TURNOUT_SRC_ETCD_RPC_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/async_unary_call.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/etcd/cluster.h"
#include "src/etcd/event_loop.h"
#include "src/etcd/grants.h"
#include "src/etcd/log_in.h"

namespace turnout::etcd {

// "etcd Range on 127.0.0.1:2379: …". `method` is a path, "/etcdserverpb.KV/Range".
absl::Status RpcError(std::string_view method, const Member& member, const grpc::Status& status);

// Is the member at fault, so that another might answer; or the request?
bool IsMembersFault(const absl::Status& status);

// Asks the cluster's current member, which is left for the next one when it is at fault. Used on
// the event loop's thread.
class Caller {
 public:
  // With a `log_in`, requests carry its token, and wait for one. Its user is `username`.
  Caller(Cluster& cluster, std::chrono::milliseconds timeout, LogIn* log_in = nullptr,
         std::string username = {})
      : cluster_(cluster), timeout_(timeout), log_in_(log_in), username_(std::move(username)) {}

  // `done` is called once: within the timeout, or a second later where the cause of a failure is
  // looked for. A request that etcd refuses because of its token is made once more with a new one.
  template <typename Response, typename Request>
  void Call(std::string method, const Request& request,
            std::function<void(absl::StatusOr<Response>)> done);

  // The error of a request that `member` has failed, with its cause where that can be found; the
  // cluster may have moved on by it. `then` is called at once, or a second later at most.
  void Conclude(std::string_view method, const Member& member, const grpc::Status& status,
                const std::vector<Grant>& needed, std::function<void(const absl::Status&)> then);
  // The same of one that was not made, because there is no asking `member`. `then` is called later.
  void Refuse(std::string_view method, const Member& member, const absl::Status& refusal,
              std::function<void(const absl::Status&)> then);

  Cluster& cluster() const { return cluster_; }
  LogIn* log_in() const { return log_in_; }  // null: no token is wanted
  std::chrono::milliseconds timeout() const { return timeout_; }

 private:
  class Attempt;
  template <typename Request, typename Response>
  class Unary;

  std::string Advice(const grpc::Status& status, const std::vector<Grant>& needed) const;

  Cluster& cluster_;
  const std::chrono::milliseconds timeout_;
  LogIn* const log_in_;
  const std::string username_;
};

// What all requests have in common. Deletes itself when it is done.
class Caller::Attempt : public EventLoop::Tag {
 public:
  Attempt(Caller& caller, std::string method);

  void Begin();
  void Done(bool ok) final;

 protected:
  virtual void Start(grpc::ClientContext& context, const std::shared_ptr<grpc::Channel>& channel,
                     const std::string& method) = 0;
  virtual std::vector<Grant> Needed() const = 0;
  virtual void Deliver(const absl::Status& status) = 0;  // OK: there is a response

  grpc::Status status_;

 private:
  using Clock = std::chrono::steady_clock;

  void Send(const std::string& token);
  void Finish(const absl::Status& status);

  Caller& caller_;
  const std::string method_;
  const Clock::time_point deadline_;
  const Member* member_ = nullptr;
  std::string token_;
  bool made_twice_ = false;
  std::optional<grpc::ClientContext> context_;
};

template <typename Request, typename Response>
class Caller::Unary final : public Attempt {
 public:
  using Callback = std::function<void(absl::StatusOr<Response>)>;

  Unary(Caller& caller, std::string method, const Request& request, Callback done)
      : Attempt(caller, std::move(method)), request_(request), done_(std::move(done)) {}

 private:
  void Start(grpc::ClientContext& context, const std::shared_ptr<grpc::Channel>& channel,
             const std::string& method) override {
    reader_ = grpc::TemplatedGenericStub<Request, Response>(channel).PrepareUnaryCall(
        &context, method, request_, EventLoop::Get().queue());
    reader_->StartCall();
    reader_->Finish(&response_, &status_, static_cast<EventLoop::Tag*>(this));
  }
  std::vector<Grant> Needed() const override { return GrantsFor(request_); }
  void Deliver(const absl::Status& status) override {
    if (status.ok()) {
      done_(std::move(response_));
    } else {
      done_(status);
    }
  }

  const Request request_;
  const Callback done_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> reader_;
  Response response_;
};

template <typename Response, typename Request>
void Caller::Call(std::string method, const Request& request,
                  std::function<void(absl::StatusOr<Response>)> done) {
  (new Unary<Request, Response>(*this, std::move(method), request, std::move(done)))->Begin();
}

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_RPC_H_
