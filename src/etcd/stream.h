// A stream of messages to and from one member, on the event loop.
#ifndef TURNOUT_SRC_ETCD_STREAM_H_
#define TURNOUT_SRC_ETCD_STREAM_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/async_stream.h>

#include <deque>
#include <functional>
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

  // To the cluster's current member, with a token where one is wanted. `method` is a path,
  // "/etcdserverpb.Watch/Watch".
  Stream(Caller& caller, std::string method, Handler& handler)
      : call_(std::make_shared<Call>(caller, std::move(method), &handler)) {
    call_->Begin();
  }
  ~Stream() { call_->Abandon(); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // In order; what the stream can no longer take is dropped.
  void Send(Request request) { call_->Send(std::move(request)); }

  const Member& member() const { return call_->member(); }
  const std::string& token() const { return call_->token(); }  // empty: none, or none yet

 private:
  class Call;
  const std::shared_ptr<Call> call_;
};

template <typename Request, typename Response>
class Stream<Request, Response>::Call : public std::enable_shared_from_this<Call> {
 public:
  Call(Caller& caller, std::string method, Handler* handler)
      : caller_(caller),
        member_(caller.cluster().current()),
        method_(std::move(method)),
        handler_(handler) {}

  void Begin() {
    if (caller_.log_in() == nullptr) return Start("");
    caller_.log_in()->GetToken(caller_.timeout(), [self = this->shared_from_this()](
                                                      const absl::StatusOr<std::string>& token) {
      if (self->handler_ == nullptr) return;
      if (!token.ok()) return self->handler_->OnClosed(token.status());
      self->Start(*token);
    });
  }

  const Member& member() const { return member_; }
  const std::string& token() const { return token_; }

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

  void* Tag(Operation& operation) {
    operation.Begin(this->shared_from_this());
    return static_cast<EventLoop::Tag*>(&operation);
  }

  void Start(const std::string& token) {
    token_ = token;
    if (absl::Status refusal = caller_.cluster().Refusal(member_); !refusal.ok()) {
      return caller_.Refuse(method_, member_, refusal, Closing());
    }
    // A member that has lost its leader ends the stream instead of falling silent.
    context_.AddMetadata("hasleader", "true");
    if (!token_.empty()) context_.AddMetadata("token", token_);
    stream_ = grpc::TemplatedGenericStub<Request, Response>(member_.channel)
                  .PrepareCall(&context_, method_, EventLoop::Get().queue());
    stream_->StartCall(Tag(started_));
  }

  // Tells the handler the end, unless it has gone meanwhile.
  std::function<void(const absl::Status&)> Closing() {
    return [self = this->shared_from_this()](const absl::Status& why) {
      if (self->handler_ != nullptr) self->handler_->OnClosed(why);
    };
  }

  void Read() { stream_->Read(&response_, Tag(read_)); }
  void Write() { stream_->Write(unsent_.front(), Tag(written_)); }

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
    stream_->Finish(&status_, Tag(finished_));
  }

  void OnFinished(bool /*ok*/) {
    if (handler_ == nullptr) return;
    if (status_.ok()) status_ = grpc::Status(grpc::StatusCode::UNAVAILABLE, "the stream has ended");
    if (caller_.log_in() != nullptr && LogIn::ConcernsToken(status_)) {
      caller_.log_in()->Reject(token_);
    }
    caller_.Conclude(method_, member_, status_, {}, Closing());
  }

  Caller& caller_;
  const Member& member_;
  const std::string method_;
  std::string token_;
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
