#include "turnout/lanes.h"

#include <grpcpp/client_context.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/client_interceptor.h>
#include <grpcpp/support/server_interceptor.h>
#include <grpcpp/test/client_context_test_peer.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace turnout {
namespace {

using grpc::experimental::ClientInterceptorFactoryInterface;
using grpc::experimental::ClientRpcInfo;
using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::Interceptor;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerInterceptorFactoryInterface;
using grpc::experimental::ServerRpcInfo;

using Metadata = LaneScope::Metadata;

thread_local const LaneScope* innermost = nullptr;

bool Has(const Metadata& metadata, std::string_view key) {
  return std::ranges::find(metadata, key, &Metadata::value_type::first) != metadata.end();
}

Metadata Read(const grpc::ServerContextBase& context, const LaneOptions& options) {
  Metadata metadata;
  for (const std::string& key : options.keys) {
    if (Has(metadata, key)) continue;  // named twice
    const auto [begin, end] = context.client_metadata().equal_range(key);
    for (auto each = begin; each != end; ++each) {
      metadata.emplace_back(key, std::string(each->second.data(), each->second.size()));
    }
  }
  return metadata;
}

// Of `metadata`, what is under keys that `stated` does not have.
Metadata Missing(const Metadata& metadata, const std::multimap<std::string, std::string>& stated) {
  Metadata missing;
  for (const auto& each : metadata) {
    if (!stated.contains(each.first)) missing.push_back(each);
  }
  return missing;
}

class ServerInterceptor final : public Interceptor {
 public:
  ServerInterceptor(ServerRpcInfo& info, const LaneOptions& options)
      : info_(info), options_(options) {}

  // gRPC runs a synchronous handler, and a callback method's function, inside Proceed; so the scope
  // cannot outlive the one, nor stay behind on the thread. The interceptor may be gone by then.
  void Intercept(InterceptorBatchMethods* methods) override {
    if (!methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
      return methods->Proceed();
    }
    const LaneScope scope(*info_.server_context(), options_);
    methods->Proceed();
  }

 private:
  ServerRpcInfo& info_;
  const LaneOptions& options_;  // the factory's, which the server keeps
};

class ServerFactory final : public ServerInterceptorFactoryInterface {
 public:
  explicit ServerFactory(LaneOptions options) : options_(std::move(options)) {}

  Interceptor* CreateServerInterceptor(ServerRpcInfo* info) override {
    return new ServerInterceptor(*info, options_);
  }

 private:
  const LaneOptions options_;
};

class ClientInterceptor final : public Interceptor {
 public:
  explicit ClientInterceptor(Metadata metadata) : metadata_(std::move(metadata)) {}

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      auto& stated = *methods->GetSendInitialMetadata();
      for (auto& each : Missing(metadata_, stated)) stated.insert(std::move(each));
    }
    methods->Proceed();
  }

 private:
  const Metadata metadata_;
};

class ClientFactory final : public ClientInterceptorFactoryInterface {
 public:
  // Runs where the call is made; its first message may be sent from elsewhere.
  Interceptor* CreateClientInterceptor(ClientRpcInfo* /*info*/) override {
    const Metadata& metadata = LaneScope::Current();
    return metadata.empty() ? nullptr : new ClientInterceptor(metadata);
  }
};

}  // namespace

void Forward(const grpc::ServerContextBase& from, grpc::ClientContext& to,
             const LaneOptions& options) {
  const Metadata metadata = Read(from, options);
  if (metadata.empty()) return;
  // gRPC lets nobody else see what a context states.
  const auto stated = grpc::testing::ClientContextTestPeer(&to).GetSendInitialMetadata();
  for (const auto& [key, value] : Missing(metadata, stated)) to.AddMetadata(key, value);
}

LaneScope::LaneScope(const grpc::ServerContextBase& context, const LaneOptions& options)
    : metadata_(Read(context, options)), outer_(innermost) {
  innermost = this;
}

LaneScope::~LaneScope() { innermost = outer_; }

const LaneScope::Metadata& LaneScope::Current() {
  static const auto* const kNone = new Metadata;
  return innermost == nullptr ? *kNone : innermost->metadata_;
}

void ForwardLanes(grpc::ServerBuilder& builder, const LaneOptions& options) {
  std::vector<std::unique_ptr<ServerInterceptorFactoryInterface>> factories;
  factories.push_back(ServerLaneInterceptors(options));
  builder.experimental().SetInterceptorCreators(std::move(factories));
}

std::unique_ptr<ServerInterceptorFactoryInterface> ServerLaneInterceptors(LaneOptions options) {
  return std::make_unique<ServerFactory>(std::move(options));
}

std::unique_ptr<ClientInterceptorFactoryInterface> ClientLaneInterceptors() {
  return std::make_unique<ClientFactory>();
}

}  // namespace turnout
