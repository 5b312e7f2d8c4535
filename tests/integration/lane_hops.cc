#include "tests/integration/lane_hops.h"

#include <gtest/gtest.h>

#include <chrono>
#include <utility>

#include "tests/support/caller.h"
#include "tests/support/process.h"
#include "turnout/lanes.h"

namespace turnout::testing {
namespace {

bool HasInterceptors(HopKind kind) {
  return kind == HopKind::kSynchronous || kind == HopKind::kCallback;
}

std::unique_ptr<HopServices> MakeServices(HopKind kind, Hop hop) {
  switch (kind) {
    case HopKind::kSynchronous:
    case HopKind::kSynchronousForward:
      return MakeSynchronousHop(std::move(hop));
    case HopKind::kCallback:
    case HopKind::kCallbackForward:
      return MakeCallbackHop(std::move(hop));
    case HopKind::kCompletionQueue:
      break;
  }
  return MakeCompletionQueueHop(std::move(hop));
}

Hop MakeHop(const HopOptions& options) {
  Hop hop{.name = options.place, .next = nullptr, .forwards = !HasInterceptors(options.kind)};
  if (!options.lane.empty()) hop.name += "(" + options.lane + ")";
  if (!options.next_service.empty()) {
    hop.next = ChannelTo(options.etcd, options.next_service,
                         {.forward_lanes = HasInterceptors(options.kind)});
  }
  return hop;
}

RegistrarOptions Registration(const HopOptions& options) {
  RegistrarOptions registration;
  registration.service = options.service;
  registration.listen = "127.0.0.1:0";
  registration.registry.endpoints = {options.etcd};
  if (!options.lane.empty()) registration.metadata["lane"] = options.lane;
  return registration;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, HopKind kind) {
  constexpr const char* kNames[] = {"Synchronous", "SynchronousForward", "Callback",
                                    "CallbackForward", "CompletionQueue"};
  return out << kNames[static_cast<int>(kind)];
}

HopServer::HopServer(const HopOptions& options)
    : services_(MakeServices(options.kind, MakeHop(options))) {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  services_->AddTo(builder);
  Registrar::PrepareServer(builder);
  if (HasInterceptors(options.kind)) ForwardLanes(builder);
  server_ = builder.BuildAndStart();
  services_->Start();
  auto registrar = Registrar::Start(Registration(options), *server_, port);
  if (!registrar.ok()) {
    ADD_FAILURE() << registrar.status();
    std::abort();
  }
  registrar_ = *std::move(registrar);
  const absl::Status registered = registrar_->WaitUntilRegistered(kPatience);
  EXPECT_TRUE(registered.ok()) << registered;
}

HopServer::~HopServer() {
  server_->Shutdown(std::chrono::system_clock::now());
  services_->Stop();
}

}  // namespace turnout::testing
