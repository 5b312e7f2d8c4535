// What else a process does, or where it stands, must not disturb its registrations and channels.
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "proto/api.grpc.pb.h"
#include "tests/support/etcd_server.h"
#include "tests/support/fixture.h"

namespace turnout::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

class IsolationTest : public IntegrationTest {};

// Handlers of the callback API that do what they must not: block.
class BlockingService final : public proto::Api::CallbackService {
 public:
  grpc::ServerUnaryReactor* ApiTest(grpc::CallbackServerContext* context,
                                    const proto::Request* /*request*/,
                                    proto::Response* /*response*/) override {
    std::unique_lock<std::mutex> lock(mutex_);
    ++blocked_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return released_; });
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  bool WaitUntilBlocked(int count) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return blocked_ >= count; });
  }
  void Release() {
    const std::lock_guard<std::mutex> lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int blocked_ = 0;
  bool released_ = false;
};

TEST_F(IsolationTest, TheLeaseLivesWhileAllHandlersOfTheProcessBlock) {
  BlockingService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  Registrar::PrepareServer(builder);
  const auto server = builder.BuildAndStart();
  ASSERT_NE(server, nullptr);
  RegistrarOptions options{.service = Service(), .listen = "127.0.0.1:0"};
  options.lease_ttl = std::chrono::seconds(2);
  options.registry.endpoints = {Etcd()};
  const auto registrar = Registrar::Start(options, *server, port);
  ASSERT_TRUE(registrar.ok()) << registrar.status();
  ASSERT_TRUE((*registrar)->WaitUntilRegistered(kPatience).ok());
  const auto before = Admin().Get((*registrar)->key());
  ASSERT_TRUE(before.has_value());

  // More calls than gRPC has threads for callbacks, which are at least two.
  const auto channel =
      grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials());
  std::vector<std::thread> callers;
  for (int i = 0; i < 64; ++i) {
    callers.emplace_back([&] { Call(channel, {.timeout = kPatience, .checked = false}); });
  }
  ASSERT_TRUE(service.WaitUntilBlocked(2));

  // A lease that lasts longer, and that nobody keeps alive: when its record has vanished, ours
  // would have.
  const GoRecord clock{Service(), "clock", "v1", "127.0.0.1:1"};
  Admin().Put(clock.key(), clock.value(), Admin().Grant(std::chrono::seconds(4)));
  Follower follower(Etcd(), Service());
  follower.WaitForCount(2);
  follower.WaitFor([](const Snapshot& s) {
    const Member* member = FindMember(s, "clock");
    return member == nullptr || member->status == InstanceStatus::kLapsed;
  });
  const auto after = Admin().Get((*registrar)->key());
  service.Release();
  for (std::thread& caller : callers) caller.join();

  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->lease, before->lease);
  EXPECT_EQ(after->mod_revision, before->mod_revision);
  EXPECT_EQ((*registrar)->state(), RegistrationState::kRegistered);
  server->Shutdown(std::chrono::system_clock::now());
}

TEST_F(IsolationTest, TwoClustersInOneProcess) {
  const EtcdServer other;
  ASSERT_TRUE(RegisterCluster("one", {.endpoints = {Etcd()}}).ok());
  ASSERT_TRUE(RegisterCluster("two", {.endpoints = {other.endpoint()}}).ok());
  const auto in_one = StartBackend(Etcd(), Service(), "v1");
  const auto in_two = StartBackend(other.endpoint(), Service(), "v1");
  EXPECT_THAT(CallMany(ChannelTo("one", Service()), 20, {.version = "v1"}).by_output,
              ElementsAre(Pair(in_one->answer(), 20)));
  EXPECT_THAT(CallMany(ChannelTo("two", Service()), 20, {.version = "v1"}).by_output,
              ElementsAre(Pair(in_two->answer(), 20)));
  EXPECT_THAT(CallMany(ChannelTo(other.endpoint(), Service()), 20).by_output,
              ElementsAre(Pair(in_two->answer(), 20)));
}

// For registrars as for channels.
TEST_F(IsolationTest, OfSeveralEndpointsOneThatAnswersIsEnough) {
  const ReservedPort closed;
  BackendOptions options = Options("v1");
  options.registration.registry.endpoints = {closed.address(), Etcd()};
  const Backend backend(options);
  EXPECT_EQ(Call(ChannelTo(closed.address() + "," + Etcd(), Service())).ToString(),
            backend.answer());
}

bool HasIpv6() {
  const int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool has = bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(probe);
  return has;
}

TEST_F(IsolationTest, Ipv6) {
  if (!HasIpv6()) GTEST_SKIP() << "this machine has no IPv6";
  const EtcdServer etcd({.ipv6 = true});
  BackendOptions options = Options("v1");
  options.registration.registry.endpoints = {etcd.endpoint()};
  options.listen = "[::1]:0";
  const Backend backend(options);
  EXPECT_EQ(backend.address(), "[::1]:" + std::to_string(backend.port()));
  const auto channel = ChannelTo(etcd.endpoint(), Service());
  EXPECT_EQ(Call(channel, {.version = "v1"}).ToString(), backend.answer());
  const auto plain = grpc::CreateChannel("etcd://" + etcd.endpoint() + "/" + Service(),
                                         grpc::InsecureChannelCredentials());
  EXPECT_EQ(Call(plain, {.version = "v1"}).ToString(), backend.answer());
}

TEST_F(IsolationTest, AWildcardIsNotAdvertised) {
  for (const char* const listen : {"0.0.0.0:0", "[::]:0"}) {
    if (listen[0] == '[' && !HasIpv6()) continue;
    BackendOptions options = Options("v1");
    options.listen = listen;
    const Backend backend(options);
    EXPECT_TRUE(CallUntilAnswered(Channel(), {}, backend.answer())) << listen;
    EXPECT_EQ(backend.address().find("0.0.0.0"), std::string::npos) << backend.address();
    EXPECT_EQ(backend.address().find("[::]"), std::string::npos) << backend.address();
  }
}

// To all of its addresses: on most machines `localhost` is [::1] first, where nobody listens here.
TEST_F(IsolationTest, AHostNameIsResolved) {
  BackendOptions options;
  options.registration.version = "v1";
  const Backend backend(options);
  const GoRecord record{Service(), "app-1", "v1", "localhost:" + std::to_string(backend.port())};
  Admin().Put(record.key(), record.value());
  EXPECT_EQ(Call(Channel(), {.version = "v1", .wait_for_ready = true}).ToString(),
            backend.answer());
}

TEST_F(IsolationTest, AForkedChildLeavesTheRegistrationAlone) {
  Backend server({});
  RegistrarOptions options{.service = Service(), .listen = "127.0.0.1:0"};
  options.registry.endpoints = {Etcd()};
  auto registrar = Registrar::Start(options, server.server(), server.port());
  ASSERT_TRUE(registrar.ok()) << registrar.status();
  ASSERT_TRUE((*registrar)->WaitUntilRegistered(kPatience).ok());
  const auto before = Admin().Get((*registrar)->key());
  ASSERT_TRUE(before.has_value());

  const pid_t child = fork();
  if (child == 0) {
    const bool ended = (*registrar)->state() == RegistrationState::kEnded;
    static_cast<void>((*registrar)->WaitUntilRegistered(std::chrono::hours(1)));
    (*registrar)->DrainAndShutdown(server.server(), std::chrono::hours(1));
    registrar->reset();
    _exit(ended ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ((*registrar)->state(), RegistrationState::kRegistered);
  const auto after = Admin().Get((*registrar)->key());
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->mod_revision, before->mod_revision);
  EXPECT_EQ(Call(Channel()).ToString(), "latest " + server.address());
}

}  // namespace
}  // namespace turnout::testing
