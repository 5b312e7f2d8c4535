#include "tests/support/byte_server.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <optional>
#include <utility>

namespace turnout::testing {
namespace {

// What comes out of the completion queue.
class Tag {
 public:
  virtual ~Tag() = default;
  virtual void Done(bool ok) = 0;
};

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

std::string FromBuffer(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  if (!buffer.DumpToSingleSlice(&slice).ok()) return "";
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

}  // namespace

// Deletes itself once the call has ended and none of its operations is under way.
class ByteServer::CallImpl final : public Call {
 public:
  explicit CallImpl(ByteServer& server) : server_(server), stream_(&context_) {
    context_.AsyncNotifyWhenDone(ended_.Begin());
    server_.service_->RequestCall(&context_, &stream_, server_.queue_.get(), server_.queue_.get(),
                                  accepted_.Begin());
  }

  std::string method() const override {
    const std::string& path = context_.method();
    return path.substr(path.rfind('/') + 1);
  }
  std::string Metadata(const std::string& key) const override {
    const auto found = context_.client_metadata().find(key);
    if (found == context_.client_metadata().end()) return "";
    return {found->second.data(), found->second.size()};
  }
  void Send(std::string message) override {
    if (status_.has_value()) return;
    unsent_.push_back(std::move(message));
    Continue();
  }
  bool has_unsent() const override { return !unsent_.empty(); }
  void Finish(const grpc::Status& status) override {
    if (!status_.has_value()) status_ = status;
    Continue();
  }

  // Begins what can be begun now.
  void Continue() {
    if (server_.silent_ || server_.stopping_ || gone_ || written_.under_way()) return;
    if (!unsent_.empty()) {
      stream_.Write(ToBuffer(unsent_.front()), written_.Begin());
    } else if (status_.has_value() && !std::exchange(finish_begun_, true)) {
      stream_.Finish(*status_, finished_.Begin());
    }
  }

 private:
  class Operation final : public Tag {
   public:
    Operation(CallImpl& call, void (CallImpl::*on_done)(bool)) : call_(call), on_done_(on_done) {}
    void* Begin() {
      under_way_ = true;
      return static_cast<Tag*>(this);
    }
    bool under_way() const { return under_way_; }
    void Done(bool ok) override {
      under_way_ = false;
      (call_.*on_done_)(ok);
    }

   private:
    CallImpl& call_;
    void (CallImpl::*const on_done_)(bool);
    bool under_way_ = false;
  };

  void OnAccepted(bool ok) {
    if (!ok) {  // the server stops: the call never was, nor will its end be told
      delete this;
      return;
    }
    server_.calls_.insert(this);
    server_.Accept();
    server_.handler_.OnBegin(*this);
    Read();
  }
  void Read() {
    if (!server_.stopping_) stream_.Read(&message_, read_.Begin());
  }
  void OnRead(bool ok) {
    if (ok && !gone_) {
      server_.handler_.OnMessage(*this, FromBuffer(message_));
      Read();
    }
    DeleteIfOver();
  }
  void OnWritten(bool /*ok*/) {
    unsent_.pop_front();
    if (unsent_.empty() && !gone_ && !status_.has_value()) server_.handler_.OnSent(*this);
    Continue();
    DeleteIfOver();
  }
  void OnFinished(bool /*ok*/) { DeleteIfOver(); }
  void OnEnded(bool /*ok*/) {
    gone_ = true;
    server_.handler_.OnEnd(*this);
    DeleteIfOver();
  }

  void DeleteIfOver() {
    if (!gone_ || read_.under_way() || written_.under_way() || finished_.under_way()) return;
    server_.calls_.erase(this);
    delete this;
  }

  ByteServer& server_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_;
  grpc::ByteBuffer message_;
  std::deque<std::string> unsent_;  // the first may be on its way
  std::optional<grpc::Status> status_;
  bool finish_begun_ = false;
  bool gone_ = false;
  Operation accepted_{*this, &CallImpl::OnAccepted}, read_{*this, &CallImpl::OnRead},
      written_{*this, &CallImpl::OnWritten}, finished_{*this, &CallImpl::OnFinished},
      ended_{*this, &CallImpl::OnEnded};
};

void ByteServer::Start(const std::string& address) {
  service_ = std::make_unique<grpc::AsyncGenericService>();
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.RegisterAsyncGenericService(service_.get());
  // As etcd: a client may ask every five seconds whether the connection lives.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5000);
  queue_ = builder.AddCompletionQueue();
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) {
    std::fprintf(stderr, "cannot listen on %s\n", address.c_str());
    std::abort();
  }
  const std::lock_guard lock(mutex_);
  stopping_ = false;
  Accept();
  thread_ = std::thread([this] { Run(); });
}

void ByteServer::Stop() {
  if (server_ == nullptr) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  server_->Shutdown(std::chrono::system_clock::now());
  queue_->Shutdown();
  thread_.join();
  server_.reset();
  queue_.reset();
  service_.reset();
}

void ByteServer::SetSilent(bool silent) {
  silent_ = silent;
  for (CallImpl* call : calls_) call->Continue();
}

void ByteServer::Accept() {
  if (!stopping_) new CallImpl(*this);
}

void ByteServer::Run() {
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) {
    const std::lock_guard lock(mutex_);
    static_cast<Tag*>(tag)->Done(ok);
  }
}

}  // namespace turnout::testing
