// Requests to etcd that have one answer.
#ifndef TURNOUT_SRC_ETCD_RPC_H_
#define TURNOUT_SRC_ETCD_RPC_H_

#include <grpc/support/time.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/async_unary_call.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/etcd/cluster.h"
#include "src/etcd/event_loop.h"

namespace turnout::etcd {

// "etcd Range on 127.0.0.1:2379: …". `method` is a path, "/etcdserverpb.KV/Range".
absl::Status RpcError(std::string_view method, const Member& member, const grpc::Status& status);

// Is the member at fault, so that another might answer; or the request?
bool IsMembersFault(const absl::Status& status);

// Asks the cluster's current member, which is left for the next one when it is at fault. Used on
// the event loop's thread.
class Caller {
 public:
  Caller(Cluster& cluster, std::chrono::milliseconds timeout)
      : cluster_(cluster), timeout_(timeout) {}

  // `done` is called once, within the timeout or hardly later.
  template <typename Response, typename Request>
  void Call(std::string method, const Request& request,
            std::function<void(absl::StatusOr<Response>)> done);

 private:
  template <typename Response>
  class Unary;

  // The result of a call: OK, or the error, by which the cluster may have moved on.
  absl::Status Conclude(std::string_view method, const Member& member, const grpc::Status& status);

  Cluster& cluster_;
  const std::chrono::milliseconds timeout_;
};

// Deletes itself when it is done.
template <typename Response>
class Caller::Unary final : public EventLoop::Tag {
 public:
  using Callback = std::function<void(absl::StatusOr<Response>)>;

  Unary(Caller& caller, std::string method, Callback done)
      : caller_(caller),
        member_(caller.cluster_.current()),
        method_(std::move(method)),
        done_(std::move(done)) {}

  template <typename Request>
  void Start(const Request& request) {
    context_.set_deadline(
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                     gpr_time_from_millis(caller_.timeout_.count(), GPR_TIMESPAN)));
    reader_ = grpc::TemplatedGenericStub<Request, Response>(member_.channel)
                  .PrepareUnaryCall(&context_, method_, request, EventLoop::Get().queue());
    reader_->StartCall();
    reader_->Finish(&response_, &status_, this);
  }

  void Done(bool /*ok*/) override {
    const std::unique_ptr<Unary> self(this);
    if (absl::Status error = caller_.Conclude(method_, member_, status_); !error.ok()) {
      done_(std::move(error));
    } else {
      done_(std::move(response_));
    }
  }

 private:
  Caller& caller_;
  const Member& member_;
  const std::string method_;
  const Callback done_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> reader_;
  Response response_;
  grpc::Status status_;
};

template <typename Response, typename Request>
void Caller::Call(std::string method, const Request& request,
                  std::function<void(absl::StatusOr<Response>)> done) {
  (new Unary<Response>(*this, std::move(method), std::move(done)))->Start(request);
}

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_RPC_H_
