#include <coroutine>
#include <exception>
#include <thread>
#include <utility>

#include "proto/api.grpc.pb.h"
#include "proto/test_streams.grpc.pb.h"
#include "tests/integration/lane_hops.h"
#include "turnout/lanes.h"

namespace turnout::testing {
namespace {

// A coroutine that runs by itself until it has ended.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

// The tag of one operation at a time; a coroutine waits for it, for `ok`.
class Step {
 public:
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiting) { waiting_ = waiting; }
  bool await_resume() const { return ok_; }

  void Resume(bool ok) {
    ok_ = ok;
    waiting_.resume();
  }

 private:
  std::coroutine_handle<> waiting_;
  bool ok_ = false;
};

// One thread takes events off the queue, and runs on it what waits for them.
class CompletionQueueHop final : public HopServices {
 public:
  explicit CompletionQueueHop(Hop hop) : hop_(std::move(hop)) {
    if (hop_.next == nullptr) return;
    next_api_ = proto::Api::NewStub(hop_.next);
    next_streams_ = test::Streams::NewStub(hop_.next);
  }

  void AddTo(grpc::ServerBuilder& builder) override {
    builder.RegisterService(&api_);
    builder.RegisterService(&streams_);
    queue_ = builder.AddCompletionQueue();
  }
  void Start() override {
    ServeApiTest();
    ServeDownload();
    ServeChat();
    thread_ = std::thread([this] {
      void* tag = nullptr;
      bool ok = false;
      while (queue_->Next(&tag, &ok)) static_cast<Step*>(tag)->Resume(ok);
    });
  }
  void Stop() override {
    queue_->Shutdown();
    thread_.join();
  }

 private:
  Detached ServeApiTest() {
    Step step;
    grpc::ServerContext context;
    proto::Request request;
    grpc::ServerAsyncResponseWriter<proto::Response> writer(&context);
    api_.RequestApiTest(&context, &request, &writer, queue_.get(), queue_.get(), &step);
    if (!co_await step) co_return;
    ServeApiTest();  // the next call

    proto::Response response;
    response.set_output(hop_.name);
    grpc::Status status;
    if (next_api_ != nullptr) {
      grpc::ClientContext to;
      Forward(context, to);
      const auto call = next_api_->AsyncApiTest(&to, request, queue_.get());
      call->Finish(&response, &status, &step);
      co_await step;
      response.set_output(Joined(hop_, response.output()));
    }
    writer.Finish(response, status, &step);
    co_await step;
  }

  Detached ServeDownload() {
    Step step;
    grpc::ServerContext context;
    proto::Request request;
    grpc::ServerAsyncWriter<proto::Response> writer(&context);
    streams_.RequestDownload(&context, &request, &writer, queue_.get(), queue_.get(), &step);
    if (!co_await step) co_return;
    ServeDownload();

    proto::Response response;
    response.set_output(hop_.name);
    grpc::Status status;
    if (next_streams_ == nullptr) {
      for (std::size_t i = 0; i < request.input().size(); ++i) {
        writer.Write(response, &step);
        if (!co_await step) break;
      }
    } else {
      grpc::ClientContext to;
      Forward(context, to);
      const auto reader = next_streams_->AsyncDownload(&to, request, queue_.get(), &step);
      co_await step;
      for (;;) {
        reader->Read(&response, &step);
        if (!co_await step) break;
        response.set_output(Joined(hop_, response.output()));
        writer.Write(response, &step);
        if (!co_await step) to.TryCancel();
      }
      reader->Finish(&status, &step);
      co_await step;
    }
    writer.Finish(status, &step);
    co_await step;
  }

  Detached ServeChat() {
    Step step;
    grpc::ServerContext context;
    grpc::ServerAsyncReaderWriter<proto::Response, proto::Request> stream(&context);
    streams_.RequestChat(&context, &stream, queue_.get(), queue_.get(), &step);
    if (!co_await step) co_return;
    ServeChat();

    grpc::ClientContext to;
    std::unique_ptr<grpc::ClientAsyncReaderWriter<proto::Request, proto::Response>> next;
    if (next_streams_ != nullptr) {
      Forward(context, to);
      next = next_streams_->AsyncChat(&to, queue_.get(), &step);
      co_await step;
    }
    proto::Request request;
    proto::Response response;
    response.set_output(hop_.name);
    for (;;) {
      stream.Read(&request, &step);
      if (!co_await step) break;
      if (next != nullptr) {
        next->Write(request, &step);
        if (!co_await step) break;
        next->Read(&response, &step);
        if (!co_await step) break;
        response.set_output(Joined(hop_, response.output()));
      }
      stream.Write(response, &step);
      if (!co_await step) break;
    }
    grpc::Status status;
    if (next != nullptr) {
      next->WritesDone(&step);
      co_await step;
      next->Finish(&status, &step);
      co_await step;
    }
    stream.Finish(status, &step);
    co_await step;
  }

  const Hop hop_;
  std::unique_ptr<proto::Api::Stub> next_api_;
  std::unique_ptr<test::Streams::Stub> next_streams_;
  proto::Api::AsyncService api_;
  test::Streams::AsyncService streams_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<HopServices> MakeCompletionQueueHop(Hop hop) {
  return std::make_unique<CompletionQueueHop>(std::move(hop));
}

}  // namespace turnout::testing
