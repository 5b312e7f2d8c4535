// A stream of messages to and from one member, on the event loop.
#ifndef TURNOUT_SRC_ETCD_STREAM_H_
#define TURNOUT_SRC_ETCD_STREAM_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/async_stream.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "src/etcd/cluster.h"
#include "src/etcd/event_loop.h"
#include "src/etcd/rpc.h"

namespace turnout::etcd {

// Destroying it ends the stream; the handler is not called after that. The handler may destroy it.
template <typename Request, typename Response>
class Stream {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void OnMessage(Response response) = 0;
    // Once, and nothing after it. Never OK: these streams have no end of their own.
    virtual void OnClosed(const absl::Status& why) = 0;
  };

  // `method` is a path, "/etcdserverpb.Watch/Watch".
  Stream(const Member& member, std::string method, Handler& handler)
      : call_(std::make_shared<Call>(member, std::move(method), &handler)) {
    call_->Start();
  }
  ~Stream() { call_->Abandon(); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // In order; what the stream can no longer take is dropped.
  void Send(Request request) { call_->Send(std::move(request)); }

 private:
  class Call;
  const std::shared_ptr<Call> call_;
};

template <typename Request, typename Response>
class Stream<Request, Response>::Call : public std::enable_shared_from_this<Call> {
 public:
  Call(const Member& member, std::string method, Handler* handler)
      : member_(member), method_(std::move(method)), handler_(handler) {}

  void Start() {
    // A member that has lost its leader ends the stream instead of falling silent.
    context_.AddMetadata("hasleader", "true");
    stream_ = grpc::TemplatedGenericStub<Request, Response>(member_.channel)
                  .PrepareCall(&context_, method_, EventLoop::Get().queue());
    stream_->StartCall(Begin(started_));
  }

  void Send(Request request) {
    unsent_.push_back(std::move(request));
    if (open_ && !written_.under_way()) Write();
  }

  void Abandon() {
    handler_ = nullptr;
    context_.TryCancel();
  }

 private:
  // Keeps the call while gRPC works on it, and while its handler runs.
  class Operation final : public EventLoop::Tag {
   public:
    explicit Operation(void (Call::*on_done)(bool)) : on_done_(on_done) {}
    void Begin(std::shared_ptr<Call> call) { call_ = std::move(call); }
    bool under_way() const { return call_ != nullptr; }
    void Done(bool ok) override {
      const std::shared_ptr<Call> call = std::move(call_);
      (call.get()->*on_done_)(ok);
    }

   private:
    void (Call::*const on_done_)(bool);
    std::shared_ptr<Call> call_;
  };

  void* Begin(Operation& operation) {
    operation.Begin(this->shared_from_this());
    return static_cast<EventLoop::Tag*>(&operation);
  }

  void Read() { stream_->Read(&response_, Begin(read_)); }
  void Write() { stream_->Write(unsent_.front(), Begin(written_)); }

  void OnStarted(bool ok) {
    open_ = ok;
    if (!open_) return Close();
    if (!unsent_.empty()) Write();
    Read();
  }

  void OnRead(bool ok) {
    if (!ok) return Close();
    if (handler_ != nullptr) handler_->OnMessage(std::exchange(response_, Response()));
    if (handler_ != nullptr) Read();
  }

  void OnWritten(bool ok) {
    unsent_.pop_front();
    if (!ok || !open_) return Close();
    if (!unsent_.empty()) Write();
  }

  // The stream is at its end: asks for its status, once no other operation is under way.
  void Close() {
    open_ = false;
    if (handler_ == nullptr || read_.under_way() || written_.under_way()) return;
    stream_->Finish(&status_, Begin(finished_));
  }

  void OnFinished(bool /*ok*/) {
    if (handler_ == nullptr) return;
    if (status_.ok()) status_ = grpc::Status(grpc::StatusCode::UNAVAILABLE, "the stream has ended");
    handler_->OnClosed(RpcError(method_, member_, status_));
  }

  const Member& member_;
  const std::string method_;
  Handler* handler_;  // null: abandoned
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<Request, Response>> stream_;
  bool open_ = false;
  std::deque<Request> unsent_;  // the first may be on its way
  Response response_;
  grpc::Status status_;
  Operation started_{&Call::OnStarted}, read_{&Call::OnRead}, written_{&Call::OnWritten},
      finished_{&Call::OnFinished};
};

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_STREAM_H_
