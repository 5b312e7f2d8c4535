#include "tests/support/backend.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <utility>

#include "proto/api.grpc.pb.h"
#include "proto/test_streams.grpc.pb.h"
#include "tests/support/process.h"

namespace turnout::testing {
namespace {

std::string HostOf(const std::string& host_port) {
  return host_port.substr(0, host_port.rfind(':'));
}

}  // namespace

class Backend::Services {
 public:
  using Hook = std::function<grpc::Status(grpc::ServerContextBase&)>;

  explicit Services(const BackendOptions& options)
      : before_answer_(options.before_answer),
        stream_pace_(options.stream_pace),
        api_(*this),
        streams_(*this) {}

  void Register(grpc::ServerBuilder& builder) {
    builder.RegisterService(&api_);
    builder.RegisterService(&streams_);
  }
  void SetAnswer(const std::string& answer) {
    answer_.set_output(answer);
    answer_known_ = true;
  }
  int calls() const { return calls_; }

 private:
  grpc::Status Begin(grpc::ServerContext& context) {
    ++calls_;
    if (!answer_known_) return {grpc::StatusCode::INTERNAL, "called before it was started"};
    return before_answer_ ? before_answer_(context) : grpc::Status::OK;
  }

  class Api final : public proto::Api::Service {
   public:
    explicit Api(Services& owner) : owner_(owner) {}
    grpc::Status ApiTest(grpc::ServerContext* context, const proto::Request* /*request*/,
                         proto::Response* response) override {
      *response = owner_.answer_;
      return owner_.Begin(*context);
    }

   private:
    Services& owner_;
  };

  class Streams final : public test::Streams::Service {
   public:
    explicit Streams(Services& owner) : owner_(owner) {}
    grpc::Status Download(grpc::ServerContext* context, const proto::Request* request,
                          grpc::ServerWriter<proto::Response>* writer) override {
      grpc::Status status = owner_.Begin(*context);
      if (!status.ok()) return status;
      for (std::size_t i = 0; i < request->input().size(); ++i) {
        std::this_thread::sleep_for(owner_.stream_pace_);
        writer->Write(owner_.answer_);
      }
      return grpc::Status::OK;
    }
    grpc::Status Upload(grpc::ServerContext* context, grpc::ServerReader<proto::Request>* reader,
                        proto::Response* response) override {
      proto::Request request;
      while (reader->Read(&request)) {
      }
      *response = owner_.answer_;
      return owner_.Begin(*context);
    }
    grpc::Status Chat(grpc::ServerContext* context,
                      grpc::ServerReaderWriter<proto::Response, proto::Request>* stream) override {
      grpc::Status status = owner_.Begin(*context);
      if (!status.ok()) return status;
      proto::Request request;
      while (stream->Read(&request)) stream->Write(owner_.answer_);
      return grpc::Status::OK;
    }

   private:
    Services& owner_;
  };

  const Hook before_answer_;
  const std::chrono::milliseconds stream_pace_;
  Api api_;
  Streams streams_;
  proto::Response answer_;
  std::atomic<bool> answer_known_{false};
  std::atomic<int> calls_{0};
};

Backend::Backend(BackendOptions options)
    : options_(std::move(options)), services_(std::make_unique<Services>(options_)) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(options_.listen, options_.credentials, &port_);
  // A test that means to take over a port must not share it with its predecessor by mistake.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  services_->Register(builder);
  if (options_.prepared) Registrar::PrepareServer(builder);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port_ == 0) {
    ADD_FAILURE() << "cannot listen on " << options_.listen;
    std::abort();
  }
  address_ = HostOf(options_.listen) + ":" + std::to_string(port_);
  if (!options_.registration.service.empty()) {
    RegistrarOptions registration = options_.registration;
    if (registration.listen.empty()) registration.listen = options_.listen;
    auto registrar = Registrar::Start(registration, *server_, port_);
    if (!registrar.ok()) {
      ADD_FAILURE() << registrar.status();
      std::abort();
    }
    registrar_ = *std::move(registrar);
    address_ = registrar_->address();
  }
  services_->SetAnswer(answer());
  if (registrar_ != nullptr) {
    const absl::Status registered = registrar_->WaitUntilRegistered(kPatience);
    EXPECT_TRUE(registered.ok()) << registered;
  }
}

Backend::~Backend() { StopServer(); }

void Backend::Drain() { registrar_->DrainAndShutdown(*server_, kPatience); }

void Backend::StopServer() { server_->Shutdown(std::chrono::system_clock::now()); }

std::string Backend::answer() const { return options_.registration.version + " " + address_; }

int Backend::calls() const { return services_->calls(); }

std::unique_ptr<Backend> StartBackend(const std::string& etcd, const std::string& service,
                                      const std::string& version) {
  BackendOptions options;
  options.registration.service = service;
  options.registration.version = version;
  options.registration.registry.endpoints = {etcd};
  options.registration.drain_delay = std::chrono::milliseconds(100);
  return std::make_unique<Backend>(std::move(options));
}

}  // namespace turnout::testing
