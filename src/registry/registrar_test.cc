// The Registrar against a real etcd.
#include "turnout/registrar.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "proto/api.grpc.pb.h"
#include "src/base/mutex.h"
#include "src/etcd/client.h"
#include "src/etcd/event_loop.h"
#include "src/model/record.h"
#include "src/registry/ask.h"
#include "src/registry/clusters.h"
#include "tests/support/etcd_admin.h"
#include "tests/support/etcd_server.h"
#include "turnout/observer.h"
#include "turnout/rules.h"

namespace turnout {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;
using turnout::testing::EtcdAdmin;
using turnout::testing::EtcdServer;
using turnout::testing::EtcdServerOptions;
using enum RegistrationState;

constexpr seconds kPatience{20};  // far above what any single step takes

// A server that has nothing but what PrepareServer gives it.
class Server {
 public:
  explicit Server(const std::string& listen = "127.0.0.1:0", bool prepared = true) {
    grpc::EnableDefaultHealthCheckService(false);
    grpc::ServerBuilder builder;
    builder.AddListeningPort(listen, grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&api_);
    if (prepared) Registrar::PrepareServer(builder);
    server_ = builder.BuildAndStart();
  }

  grpc::Server& get() { return *server_; }
  int port() const { return port_; }

 private:
  proto::Api::Service api_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

// Every state that a registration enters, in order.
class States final : public Observer {
 public:
  void OnRegistration(const std::string& key, RegistrationState state,
                      const absl::Status& /*last_error*/) override {
    base::MutexLock lock(mutex_);
    entered_.emplace_back(key, state);
    changed_.NotifyAll();
  }

  // The next one of `key`; "nothing" when none comes.
  std::string Next(const std::string& key) {
    const auto deadline = steady_clock::now() + kPatience;
    base::MutexLock lock(mutex_);
    do {
      while (!entered_.empty()) {
        const auto [entered_key, state] = entered_.front();
        entered_.pop_front();
        if (entered_key == key) return std::string(ToString(state));
      }
    } while (changed_.WaitUntil(mutex_, deadline));
    return "nothing";
  }

 private:
  base::Mutex mutex_;
  base::CondVar changed_;
  std::deque<std::pair<std::string, RegistrationState>> entered_ ABSL_GUARDED_BY(mutex_);
};

bool Eventually(const std::function<bool()>& is_so) {
  const auto deadline = steady_clock::now() + kPatience;
  while (!is_so()) {
    if (steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return true;
}

class RegistrarTest : public ::testing::Test {
 protected:
  explicit RegistrarTest(EtcdServerOptions etcd = {}) : etcd_(std::move(etcd)) {
    SetObserver(states_);
  }
  ~RegistrarTest() override { SetObserver(nullptr); }

  RegistrarOptions Options(const std::string& id = "app-1") const {
    return {.service = "hwholiday.srv.app",
            .version = "v1",
            .listen = "127.0.0.1:0",
            .id = id,
            .lease_ttl = seconds(2),
            .drain_delay = milliseconds(0),
            .registry = {.endpoints = {etcd_.endpoint()}}};
  }

  // Starts it and waits until it is registered.
  std::unique_ptr<Registrar> Register(const RegistrarOptions& options, Server& server) {
    auto registrar = Registrar::Start(options, server.get(), server.port());
    EXPECT_TRUE(registrar.ok()) << registrar.status();
    const absl::Status registered = (*registrar)->WaitUntilRegistered(kPatience);
    EXPECT_TRUE(registered.ok()) << registered;
    while (states_->Next((*registrar)->key()) == "ended") {  // of the one before it
    }
    return *std::move(registrar);
  }

  EtcdServer etcd_;
  EtcdAdmin admin_{etcd_.endpoint()};
  const std::shared_ptr<States> states_ = std::make_shared<States>();
};

TEST_F(RegistrarTest, TheRecordIsTheOneThatTheGoSystemWrites) {
  Server server("127.0.0.1:0", /*prepared=*/false);
  RegistrarOptions options = Options("app-b001e0ed-e67a-11f1-8166-5ab3373d41a7");
  options.advertise = "10.1.2.3:8089";
  options.lease_ttl = seconds(10);  // the Go system's
  options.methods_of = {proto::Api::service_full_name()};
  const auto registrar = Register(options, server);

  EXPECT_EQ(registrar->key(), "/hwholiday/srv/app/app-b001e0ed-e67a-11f1-8166-5ab3373d41a7");
  EXPECT_EQ(registrar->address(), "10.1.2.3:8089");
  EXPECT_EQ(registrar->state(), kRegistered);
  EXPECT_TRUE(registrar->last_error().ok());
  const auto record = admin_.Get(registrar->key());
  ASSERT_TRUE(record.has_value());
  EXPECT_NE(record->lease, 0);
  EXPECT_EQ(record->value,
            R"({"node":{"name":"app","path":"/hwholiday/srv/app",)"
            R"("id":"app-b001e0ed-e67a-11f1-8166-5ab3373d41a7",)"
            R"("version":"v1","address":"10.1.2.3:8089"},"metadata":null,)"
            R"("endpoints":{"ApiTest":{"online":true,"limiting_switch":false,"limiting":10,)"
            R"("fuse":false,"defaults":null}}})");
}

// Asks /grpc.health.v1.Health/Check, whose messages each have one field, of number 1.
bool AnswersHealthChecks(const std::string& address, const std::string& service) {
  grpc::GenericStub stub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  context.set_wait_for_ready(true);
  const grpc::Slice bytes("\x0a" + std::string(1, static_cast<char>(service.size())) + service);
  grpc::CompletionQueue queue;
  auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check",
                                    grpc::ByteBuffer(&bytes, 1), &queue);
  call->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  grpc::Slice answer;
  return status.ok() && response.DumpToSingleSlice(&answer).ok() &&
         std::string(answer.begin(), answer.end()) == "\x08\x01";  // SERVING
}

TEST_F(RegistrarTest, AnnouncesAnIdentityThatIsNewForEachIncarnation) {
  Server server;
  std::string before;
  for (int incarnation = 0; incarnation < 2; ++incarnation) {
    const auto registrar = Register(Options(), server);
    const auto record = admin_.Get(registrar->key());
    ASSERT_TRUE(record.has_value());
    const auto instance = model::ParseRecord("hwholiday.srv.app", "app-1", record->value);
    ASSERT_TRUE(instance.ok()) << instance.status();
    EXPECT_THAT(instance->health_service, AllOf(StartsWith("app-1@"), SizeIs(14)));
    EXPECT_NE(instance->health_service, before);
    EXPECT_TRUE(instance->permits_pings);
    EXPECT_TRUE(AnswersHealthChecks(registrar->address(), instance->health_service));
    EXPECT_TRUE(AnswersHealthChecks(registrar->address(), "app-1"));
    EXPECT_FALSE(AnswersHealthChecks(registrar->address(), "app-2"));
    before = instance->health_service;
  }
}

TEST_F(RegistrarTest, StatesTheOptionsThatItWasGiven) {
  Server server;
  RegistrarOptions options = Options();
  options.metadata = {{"team", "blue"}};
  options.weight = 7;
  options.locality = {.region = "eu", .zone = "eu-1"};
  const auto registrar = Register(options, server);
  const auto instance =
      model::ParseRecord("hwholiday.srv.app", "app-1", admin_.Get(registrar->key())->value);
  ASSERT_TRUE(instance.ok()) << instance.status();
  EXPECT_EQ(instance->metadata.at("team"), "blue");
  EXPECT_EQ(instance->weight, 7U);
  EXPECT_EQ(instance->locality, options.locality);
  EXPECT_EQ(instance->address(), "127.0.0.1:" + std::to_string(server.port()));
}

// Rules of other services, which this process calls, then know it.
TEST_F(RegistrarTest, SaysWhoMakesTheProcesssCallsUnlessTheApplicationDoes) {
  Server server("127.0.0.1:0");
  const auto registrar = Register(Options(), server);
  EXPECT_EQ(GetCaller().service, "hwholiday.srv.app");
  EXPECT_NE(GetCaller().version, "");
  SetCaller({.service = "hwholiday.srv.stated"});
  EXPECT_EQ(GetCaller().service, "hwholiday.srv.stated");
  EXPECT_EQ(GetCaller().version, "");
}

TEST_F(RegistrarTest, RegistersAgainWhenEtcdComesBackEmpty) {
  Server server;
  const auto registrar = Register(Options(), server);
  etcd_.Kill();
  etcd_.Wipe();
  etcd_.Start();
  EXPECT_EQ(states_->Next(registrar->key()), "registering");
  EXPECT_EQ(states_->Next(registrar->key()), "registered");
  EXPECT_TRUE(admin_.Get(registrar->key()).has_value());
}

// What a client sees of a key.
class Watcher final : public etcd::Client::WatchObserver {
 public:
  Watcher(const std::string& endpoint, const std::string& key, std::int64_t since = 1) {
    auto& client = etcd::Client::For(*registry::Complete(RegistryOptions{.endpoints = {endpoint}}));
    etcd::EventLoop::Get().RunAndWait([&] { handle_ = client.WatchPrefix(key, since, this); });
  }
  ~Watcher() override {
    etcd::EventLoop::Get().RunAndWait([this] { handle_.reset(); });
  }

  // Once it has been deleted.
  std::vector<std::string> Seen() {
    const auto deadline = steady_clock::now() + kPatience;
    base::MutexLock lock(mutex_);
    while ((seen_.empty() || seen_.back() != "deleted") && changed_.WaitUntil(mutex_, deadline)) {
    }
    return seen_;
  }

  // All that has been seen when something has, or when the time is over.
  std::vector<std::string> SeenWithin(milliseconds limit) {
    const auto deadline = steady_clock::now() + limit;
    base::MutexLock lock(mutex_);
    while (seen_.empty() && changed_.WaitUntil(mutex_, deadline)) {
    }
    return seen_;
  }

 private:
  void OnEvents(std::vector<etcd::Event> events, std::int64_t /*revision*/) override {
    base::MutexLock lock(mutex_);
    for (const etcd::Event& event : events) {
      const bool draining = event.kv.value.find("draining") != std::string::npos;
      const bool deleted = event.type == etcd::Event::Type::kDelete;
      seen_.emplace_back(deleted ? "deleted" : draining ? "draining" : "registered");
    }
    changed_.NotifyAll();
  }
  void OnCompacted(std::int64_t /*compact_revision*/) override {}
  void OnInterrupted(const absl::Status& /*why*/) override {}

  base::Mutex mutex_;
  base::CondVar changed_;
  std::vector<std::string> seen_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<etcd::Client::WatchHandle> handle_;
};

// A copy of etcd's data as it is at a moment at which etcd does not run.
class Backup {
 public:
  explicit Backup(EtcdServer& etcd) : etcd_(etcd) {
    etcd_.Stop();
    std::filesystem::copy(etcd_.data_folder(), folder(), std::filesystem::copy_options::recursive);
    etcd_.Start();
  }
  ~Backup() { std::filesystem::remove_all(folder()); }
  Backup(const Backup&) = delete;
  Backup& operator=(const Backup&) = delete;

  void Restore() {
    etcd_.Kill();
    etcd_.Wipe();
    std::filesystem::rename(folder(), etcd_.data_folder());
    etcd_.Start();
  }

 private:
  std::string folder() const { return etcd_.data_folder() + ".backup"; }

  EtcdServer& etcd_;
};

TEST_F(RegistrarTest, RegistersAgainInABackupThatHoldsItsPredecessor) {
  Server server;
  RegistrarOptions options = Options();
  auto predecessor = Register(options, server);
  Backup backup(etcd_);
  predecessor.reset();
  options.version = "v2";
  const auto registrar = Register(options, server);
  backup.Restore();
  const auto since = steady_clock::now();
  const std::string key = registrar->key();
  const auto is_back = [&] {
    const auto record = admin_.Get(key);
    return record.has_value() && record->value.find(R"("version":"v2")") != std::string::npos;
  };
  EXPECT_TRUE(Eventually(is_back));
  EXPECT_LT(steady_clock::now() - since, options.lease_ttl + seconds(5));
}

// Both find their records in one history or the other; the one that had been there last wins again.
TEST_F(RegistrarTest, TwoWithOneIdDoNotFightOverABackup) {
  Server server;
  const auto older = Register(Options(), server);
  Backup backup(etcd_);
  RegistrarOptions options = Options();
  options.lease_ttl = seconds(3);  // a lease of its own, as in another process
  options.version = "v2";
  auto newer = Registrar::Start(options, server.get(), server.port());
  ASSERT_TRUE(newer.ok()) << newer.status();
  ASSERT_TRUE((*newer)->WaitUntilRegistered(kPatience).ok());
  while (states_->Next(older->key()) != "superseded") {
  }
  backup.Restore();
  const auto settled = [&] {
    const auto record = admin_.Get(older->key());
    return record.has_value() && record->value.find(R"("version":"v2")") != std::string::npos &&
           older->state() == kSuperseded && (*newer)->state() == kRegistered;
  };
  EXPECT_TRUE(Eventually(settled));
  // It is at rest: a fight would be as fast as requests are.
  const std::int64_t revision = admin_.Get(older->key())->mod_revision;
  Watcher watcher(etcd_.endpoint(), older->key(), revision + 1);
  EXPECT_THAT(watcher.SeenWithin(seconds(2)), IsEmpty());
}

TEST_F(RegistrarTest, PutsBackWhatIsDeletedByHand) {
  Server server;
  const auto registrar = Register(Options(), server);
  admin_.Delete(registrar->key());
  EXPECT_EQ(states_->Next(registrar->key()), "registering");
  EXPECT_EQ(states_->Next(registrar->key()), "registered");
  EXPECT_TRUE(admin_.Get(registrar->key()).has_value());
}

TEST_F(RegistrarTest, RegistersAgainWhenItsLeaseIsRevoked) {
  Server server;
  const auto registrar = Register(Options(), server);
  const std::int64_t lease = admin_.Get(registrar->key())->lease;
  admin_.Revoke(lease);
  EXPECT_EQ(states_->Next(registrar->key()), "registering");
  EXPECT_EQ(states_->Next(registrar->key()), "registered");
  EXPECT_NE(admin_.Get(registrar->key())->lease, 0);
}

TEST_F(RegistrarTest, ObeysOperators) {
  Server server;
  const auto registrar = Register(Options(), server);
  const std::string state_key = "/turnout/state/hwholiday.srv.app/app-1";
  admin_.Put(state_key, "removed");
  EXPECT_EQ(states_->Next(registrar->key()), "removed");
  EXPECT_FALSE(admin_.Get(registrar->key()).has_value());
  admin_.Delete(state_key);
  EXPECT_EQ(states_->Next(registrar->key()), "registering");
  EXPECT_EQ(states_->Next(registrar->key()), "registered");
}

TEST_F(RegistrarTest, TheNewerOfTwoWithOneIdStays) {
  Server server;
  const auto older = Register(Options(), server);
  RegistrarOptions options = Options();
  options.lease_ttl = seconds(3);  // a lease of its own, as in another process
  options.version = "v2";
  auto newer = Registrar::Start(options, server.get(), server.port());
  ASSERT_TRUE(newer.ok()) << newer.status();
  ASSERT_TRUE((*newer)->WaitUntilRegistered(kPatience).ok());
  EXPECT_THAT((std::vector{states_->Next(older->key()), states_->Next(older->key())}),
              UnorderedElementsAre("registered", "superseded"));
  EXPECT_THAT(admin_.Get(older->key())->value, HasSubstr(R"("version":"v2")"));
  newer->reset();
  EXPECT_TRUE(older->WaitUntilRegistered(kPatience).ok());
  EXPECT_THAT(admin_.Get(older->key())->value, HasSubstr(R"("version":"v1")"));
}

// The parent's registration must survive whatever its children do.
TEST_F(RegistrarTest, DoesNothingInAForkedChild) {
  Server server;
  auto registrar = Register(Options(), server);
  const pid_t child = fork();
  if (child == 0) {
    registrar->DrainAndShutdown(server.get(), seconds(0));
    const bool inert =
        registrar->state() == kEnded && !registrar->last_error().ok() &&
        !registrar->WaitUntilRegistered(kPatience).ok() &&
        Registrar::Start(Options("app-2"), server.get(), server.port()).status().code() ==
            absl::StatusCode::kFailedPrecondition;
    registrar.reset();
    _exit(inert ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(registrar->state(), kRegistered);
  EXPECT_THAT(admin_.List("/hwholiday/srv/app/"), SizeIs(1));
}

TEST_F(RegistrarTest, DrainsBeforeItGoes) {
  Server server;
  RegistrarOptions options = Options();
  options.drain_delay = milliseconds(150);
  const auto registrar = Register(options, server);
  Watcher watcher(etcd_.endpoint(), registrar->key());
  const auto start = steady_clock::now();
  registrar->DrainAndShutdown(server.get(), seconds(0));
  EXPECT_GE(steady_clock::now() - start, options.drain_delay);
  EXPECT_THAT(watcher.Seen(), ElementsAre("registered", "draining", "deleted"));
  EXPECT_EQ(registrar->state(), kEnded);

  const auto again = steady_clock::now();
  registrar->DrainAndShutdown(server.get(), seconds(0));
  EXPECT_LT(steady_clock::now() - again, milliseconds(100));
  EXPECT_EQ(registrar->WaitUntilRegistered(kPatience).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(RegistrarTest, AnnouncesItsEndEvenIfItIsOnlyDestroyed) {
  Server server;
  auto registrar = Register(Options(), server);
  Watcher watcher(etcd_.endpoint(), registrar->key());
  registrar.reset();
  EXPECT_THAT(watcher.Seen(), ElementsAre("registered", "draining", "deleted"));
}

TEST_F(RegistrarTest, ItsLeaseIsGrantedForAsLongAsItWasAskedFor) {
  Server server;
  RegistrarOptions options = Options();
  options.lease_ttl = seconds(7);
  const auto registrar = Register(options, server);
  EXPECT_THAT(admin_.Get(registrar->key())->value, HasSubstr(R"("turnout.ttl":"7")"));
  auto& client =
      etcd::Client::For(*registry::Complete(RegistryOptions{.endpoints = {etcd_.endpoint()}}));
  const auto life = registry::AskOnce<etcd::LeaseLife>(
      [&client, lease = admin_.Get(registrar->key())->lease](auto done) {
        client.LookUpLease(lease, std::move(done));
      },
      steady_clock::now() + kPatience);
  ASSERT_TRUE(life.has_value() && life->ok());
  EXPECT_EQ((*life)->granted, seconds(7));
  EXPECT_LE((*life)->left, seconds(7));
}

TEST_F(RegistrarTest, RegistrationsOfAProcessShareALeaseThatTheLastOneRevokes) {
  Server server;
  auto first = Register(Options("app-1"), server);
  auto second = Register(Options("app-2"), server);
  const std::int64_t lease = admin_.Get(first->key())->lease;
  EXPECT_EQ(admin_.Get(second->key())->lease, lease);
  admin_.Put("/witness", "lives as long as the lease", lease);

  first.reset();
  EXPECT_FALSE(admin_.Get("/hwholiday/srv/app/app-1").has_value());
  EXPECT_TRUE(admin_.Get("/hwholiday/srv/app/app-2").has_value());
  EXPECT_TRUE(admin_.Get("/witness").has_value());
  second.reset();
  EXPECT_FALSE(admin_.Get("/hwholiday/srv/app/app-2").has_value());
  EXPECT_FALSE(admin_.Get("/witness").has_value());
}

TEST_F(RegistrarTest, ItsEndIsBoundedWhileEtcdIsSilent) {
  Server server;
  const auto drained = Register(Options("app-1"), server);
  auto destroyed = Register(Options("app-2"), server);
  etcd_.Pause();
  auto start = steady_clock::now();
  drained->DrainAndShutdown(server.get(), milliseconds(0));
  EXPECT_LT(steady_clock::now() - start, milliseconds(2500));
  start = steady_clock::now();
  destroyed.reset();
  EXPECT_LT(steady_clock::now() - start, milliseconds(1500));
  etcd_.Continue();
}

TEST_F(RegistrarTest, WaitsForAnEtcdThatIsNotThereYet) {
  etcd_.Stop();
  Server server;
  auto registrar = Registrar::Start(Options(), server.get(), server.port());
  ASSERT_TRUE(registrar.ok()) << registrar.status();
  while ((*registrar)->last_error().ok()) {
    ASSERT_FALSE((*registrar)->WaitUntilRegistered(milliseconds(10)).ok());
  }
  const absl::Status waited = (*registrar)->WaitUntilRegistered(milliseconds(10));
  EXPECT_EQ(waited.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(waited.message()),
              AllOf(StartsWith("/hwholiday/srv/app/app-1 is registering after 10 ms: "),
                    HasSubstr(etcd_.endpoint())));
  etcd_.Start();
  EXPECT_TRUE((*registrar)->WaitUntilRegistered(kPatience).ok());
  EXPECT_TRUE((*registrar)->last_error().ok());
}

TEST_F(RegistrarTest, KeepsToItsNamespace) {
  Server server;
  RegistrarOptions options = Options();
  options.registry.prefix = "/eu/prod";
  const auto registrar = Register(options, server);
  EXPECT_EQ(registrar->key(), "/eu/prod/hwholiday/srv/app/app-1");
  EXPECT_TRUE(admin_.Get(registrar->key()).has_value());
  EXPECT_THAT(admin_.List("/hwholiday"), IsEmpty());
}

class RegistrarIpv6Test : public RegistrarTest {
 protected:
  RegistrarIpv6Test() : RegistrarTest({.ipv6 = true}) {}
};

TEST_F(RegistrarIpv6Test, RegistersAnIpv6AddressInAnEtcdOnIpv6) {
  Server server("[::1]:0");
  RegistrarOptions options = Options();
  options.listen = "[::1]:0";
  const auto registrar = Register(options, server);
  EXPECT_EQ(registrar->address(), "[::1]:" + std::to_string(server.port()));
  EXPECT_THAT(admin_.Get(registrar->key())->value, HasSubstr(registrar->address()));
}

TEST(RegistrarStartTest, NamesTheOptionThatIsWrong) {
  Server server;
  const auto error = [&](const RegistrarOptions& options, int port) {
    return Registrar::Start(options, server.get(), port).status();
  };
  using O = RegistrarOptions;
  const std::vector<std::pair<absl::Status, std::string>> cases = {
      {error(O{.service = "a b"}, 80), "service: "},
      {error(O{.service = "app"}, 0), "port: "},
      {error(O{.service = "app", .methods_of = {"no.Such"}}, 80), "methods_of[0]: "},
      {error(O{.service = "app", .advertise = "0.0.0.0"}, 80), "advertise: "},
      {error(O{.service = "app", .listen = "nowhere"}, 80), "listen: "},
      {error(O{.service = "app", .metadata = {{"k", "\xff"}}}, 80), "metadata: "},
      {error(O{.service = "app", .registry = {.endpoints = {"nowhere"}}}, 80), "endpoints: "},
  };
  for (const auto& [status, beginning] : cases) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), StartsWith(beginning));
  }
}

}  // namespace
}  // namespace turnout
