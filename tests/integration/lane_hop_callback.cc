#include <optional>
#include <utility>

#include "proto/api.grpc.pb.h"
#include "proto/test_streams.grpc.pb.h"
#include "tests/integration/lane_hops.h"
#include "turnout/lanes.h"

namespace turnout::testing {
namespace {

struct CallbackHopState {
  explicit CallbackHopState(Hop its_hop) : hop(std::move(its_hop)) {
    if (hop.next == nullptr) return;
    api = proto::Api::NewStub(hop.next);
    streams = test::Streams::NewStub(hop.next);
  }
  bool last() const { return hop.next == nullptr; }
  // In a function, where interceptors do as much.
  void Prepare(const grpc::CallbackServerContext& from, grpc::ClientContext& to) const {
    if (hop.forwards) Forward(from, to);
  }

  const Hop hop;
  std::unique_ptr<proto::Api::Stub> api;
  std::unique_ptr<test::Streams::Stub> streams;
};

class Api final : public proto::Api::CallbackService {
 public:
  explicit Api(const CallbackHopState& state) : state_(state) {}

 private:
  struct Call {
    grpc::ClientContext context;
    proto::Response answer;
  };

  grpc::ServerUnaryReactor* ApiTest(grpc::CallbackServerContext* context,
                                    const proto::Request* request,
                                    proto::Response* response) override {
    auto* const reactor = context->DefaultReactor();
    if (state_.last()) {
      response->set_output(state_.hop.name);
      reactor->Finish(grpc::Status::OK);
      return reactor;
    }
    const auto call = std::make_shared<Call>();
    state_.Prepare(*context, call->context);
    state_.api->async()->ApiTest(&call->context, request, &call->answer,
                                 [this, call, response, reactor](const grpc::Status& status) {
                                   response->set_output(Joined(state_.hop, call->answer.output()));
                                   reactor->Finish(status);
                                 });
    return reactor;
  }

  const CallbackHopState& state_;
};

// The last hop's.
class Download final : public grpc::ServerWriteReactor<proto::Response> {
 public:
  Download(const CallbackHopState& state, const proto::Request& request)
      : left_(request.input().size()) {
    response_.set_output(state.hop.name);
    Next(true);
  }

 private:
  void Next(bool ok) {
    if (!ok || left_ == 0) return Finish(grpc::Status::OK);
    --left_;
    StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override { Next(ok); }
  void OnDone() override { delete this; }

  std::size_t left_;
  proto::Response response_;
};

// Passes on what the next hop sends.
class DownloadRelay final : public grpc::ServerWriteReactor<proto::Response>,
                            public grpc::ClientReadReactor<proto::Response> {
 public:
  DownloadRelay(const CallbackHopState& state, const grpc::CallbackServerContext& from,
                const proto::Request& request)
      : state_(state) {
    state_.Prepare(from, to_);
    state_.streams->async()->Download(&to_, &request, this);
    AddHold();  // until there is nothing more to read
    StartRead(&response_);
    StartCall();
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return RemoveHold();
    response_.set_output(Joined(state_.hop, response_.output()));
    StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) to_.TryCancel();
    StartRead(&response_);
  }
  void OnDone(const grpc::Status& status) override { Finish(status); }
  void OnDone() override { delete this; }

  const CallbackHopState& state_;
  grpc::ClientContext to_;
  proto::Response response_;
};

// Asks the next hop in a reaction, once for each request.
class Chat final : public grpc::ServerBidiReactor<proto::Request, proto::Response> {
 public:
  Chat(const CallbackHopState& state, const grpc::CallbackServerContext& from)
      : state_(state), from_(from) {
    response_.set_output(state.hop.name);
    StartRead(&request_);
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    if (state_.last()) return StartWrite(&response_);
    to_.emplace();
    state_.Prepare(from_, *to_);
    const LaneScope scope(from_);
    state_.api->async()->ApiTest(&*to_, &request_, &response_,
                                 [this](const grpc::Status& status) { OnAnswer(status); });
  }
  void OnAnswer(const grpc::Status& status) {
    if (!status.ok()) return Finish(status);
    response_.set_output(Joined(state_.hop, response_.output()));
    StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    StartRead(&request_);
  }
  void OnDone() override { delete this; }

  const CallbackHopState& state_;
  const grpc::CallbackServerContext& from_;
  proto::Request request_;
  proto::Response response_;
  std::optional<grpc::ClientContext> to_;
};

class Streams final : public test::Streams::CallbackService {
 public:
  explicit Streams(const CallbackHopState& state) : state_(state) {}

 private:
  grpc::ServerWriteReactor<proto::Response>* Download(grpc::CallbackServerContext* context,
                                                      const proto::Request* request) override {
    if (state_.last()) return new testing::Download(state_, *request);
    return new DownloadRelay(state_, *context, *request);
  }
  grpc::ServerBidiReactor<proto::Request, proto::Response>* Chat(
      grpc::CallbackServerContext* context) override {
    return new testing::Chat(state_, *context);
  }

  const CallbackHopState& state_;
};

class CallbackHop final : public HopServices {
 public:
  explicit CallbackHop(Hop hop) : state_(std::move(hop)), api_(state_), streams_(state_) {}

  void AddTo(grpc::ServerBuilder& builder) override {
    builder.RegisterService(&api_);
    builder.RegisterService(&streams_);
  }

 private:
  const CallbackHopState state_;
  Api api_;
  Streams streams_;
};

}  // namespace

std::unique_ptr<HopServices> MakeCallbackHop(Hop hop) {
  return std::make_unique<CallbackHop>(std::move(hop));
}

}  // namespace turnout::testing
