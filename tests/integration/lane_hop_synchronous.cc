#include <utility>

#include "proto/api.grpc.pb.h"
#include "proto/test_streams.grpc.pb.h"
#include "tests/integration/lane_hops.h"
#include "turnout/lanes.h"

namespace turnout::testing {
namespace {

// With interceptors, there is nothing about lanes here.
void Prepare(const Hop& hop, const grpc::ServerContext& from, grpc::ClientContext& to) {
  if (hop.forwards) Forward(from, to);
}

class Api final : public proto::Api::Service {
 public:
  explicit Api(const Hop& hop) : hop_(hop) {
    if (hop.next != nullptr) next_ = proto::Api::NewStub(hop.next);
  }

 private:
  grpc::Status ApiTest(grpc::ServerContext* context, const proto::Request* request,
                       proto::Response* response) override {
    response->set_output(hop_.name);
    if (next_ == nullptr) return grpc::Status::OK;
    grpc::ClientContext to;
    Prepare(hop_, *context, to);
    proto::Response answer;
    grpc::Status status = next_->ApiTest(&to, *request, &answer);
    response->set_output(Joined(hop_, answer.output()));
    return status;
  }

  const Hop& hop_;
  std::unique_ptr<proto::Api::Stub> next_;
};

class Streams final : public test::Streams::Service {
 public:
  explicit Streams(const Hop& hop) : hop_(hop) {
    if (hop.next != nullptr) next_ = test::Streams::NewStub(hop.next);
  }

 private:
  grpc::Status Download(grpc::ServerContext* context, const proto::Request* request,
                        grpc::ServerWriter<proto::Response>* writer) override {
    proto::Response response;
    response.set_output(hop_.name);
    if (next_ == nullptr) {
      for (std::size_t i = 0; i < request->input().size(); ++i) writer->Write(response);
      return grpc::Status::OK;
    }
    grpc::ClientContext to;
    Prepare(hop_, *context, to);
    const auto reader = next_->Download(&to, *request);
    while (reader->Read(&response)) {
      response.set_output(Joined(hop_, response.output()));
      writer->Write(response);
    }
    return reader->Finish();
  }

  grpc::Status Chat(grpc::ServerContext* context,
                    grpc::ServerReaderWriter<proto::Response, proto::Request>* stream) override {
    proto::Request request;
    proto::Response response;
    response.set_output(hop_.name);
    if (next_ == nullptr) {
      while (stream->Read(&request)) stream->Write(response);
      return grpc::Status::OK;
    }
    grpc::ClientContext to;
    Prepare(hop_, *context, to);
    const auto next = next_->Chat(&to);
    while (stream->Read(&request) && next->Write(request) && next->Read(&response)) {
      response.set_output(Joined(hop_, response.output()));
      stream->Write(response);
    }
    next->WritesDone();
    return next->Finish();
  }

  const Hop& hop_;
  std::unique_ptr<test::Streams::Stub> next_;
};

class SynchronousHop final : public HopServices {
 public:
  explicit SynchronousHop(Hop hop) : hop_(std::move(hop)), api_(hop_), streams_(hop_) {}

  void AddTo(grpc::ServerBuilder& builder) override {
    builder.RegisterService(&api_);
    builder.RegisterService(&streams_);
  }

 private:
  const Hop hop_;
  Api api_;
  Streams streams_;
};

}  // namespace

std::unique_ptr<HopServices> MakeSynchronousHop(Hop hop) {
  return std::make_unique<SynchronousHop>(std::move(hop));
}

}  // namespace turnout::testing
