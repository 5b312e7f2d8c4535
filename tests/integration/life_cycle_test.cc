// Channels, registrars and whole processes that end at odd moments, or live on where they should
// not: no crash, no step that takes longer than 2 s, nothing left behind.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <functional>
#include <future>
#include <sstream>
#include <thread>

#include "src/discovery/service_watch.h"
#include "tests/support/etcd_server.h"
#include "tests/support/fixture.h"
#include "tests/support/reports.h"

namespace turnout::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Of the library's own work; the rest is for a loaded machine.
constexpr milliseconds kLongestStep = seconds(2);

milliseconds Timed(const std::function<void()>& step) {
  const auto begin = steady_clock::now();
  step();
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
}

bool Eventually(const std::function<bool()>& holds) {
  const auto deadline = steady_clock::now() + kPatience;
  while (!holds()) {
    if (steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return true;
}

std::size_t EntriesOf(const char* folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder),
                                                std::filesystem::directory_iterator()));
}
std::size_t OpenDescriptors() { return EntriesOf("/proc/self/fd"); }
std::size_t Threads() { return EntriesOf("/proc/self/task"); }

class LifeCycleTest : public IntegrationTest {
 protected:
  std::unique_ptr<Process> StartProgram(const std::string& mode, const std::string& etcd) const {
    return std::make_unique<Process>(
        std::vector<std::string>{Program("life_cycle_program"), mode, etcd, Service()});
  }
  // Runs to its end; what it printed first.
  std::string RunToItsEnd(const std::string& mode) const {
    const auto program = StartProgram(mode, Etcd());
    std::string line = program->ReadLine().value_or("nothing");
    const auto took = Timed([&] { EXPECT_EQ(program->Wait(), 0) << mode; });
    EXPECT_LT(took, kLongestStep) << mode;
    return line;
  }
};

// --- channels ------------------------------------------------------------------------------------

class ResolvingTest : public LifeCycleTest {
 protected:
  // Channels that go while they resolve, with and without calls that wait for that.
  void DestroyChannels(const std::string& etcd) const {
    const auto without_calls = Timed([&] {
      for (int i = 0; i < 100; ++i) ChannelTo(etcd, Service())->GetState(/*try_to_connect=*/true);
    });
    EXPECT_LT(without_calls, kLongestStep);

    std::vector<std::thread> callers;
    const auto with_calls = Timed([&] {
      for (int i = 0; i < 20; ++i) {
        callers.emplace_back([channel = ChannelTo(etcd, Service())] {
          const Answer answer = Call(channel, {.timeout = milliseconds(200)});
          EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
        });
      }
      for (std::thread& caller : callers) caller.join();
    });
    EXPECT_LT(with_calls, kLongestStep);
  }
};

TEST_F(ResolvingTest, ChannelsEndWhileEtcdIsAbsent) {
  const ReservedPort closed;
  DestroyChannels(closed.address());
}

TEST_F(ResolvingTest, ChannelsEndWhileEtcdIsSilent) {
  const EtcdServer etcd;
  etcd.Pause();
  DestroyChannels(etcd.endpoint());
  etcd.Continue();
}

TEST_F(ResolvingTest, ChannelsEndAsTheFirstSnapshotComes) {
  const auto backend = Start("v1");
  for (int i = 0; i < 50; ++i) {
    // Of another prefix, and so with a watch of its own, each time.
    const RegistryOptions registry{.endpoints = {Etcd()}, .prefix = "/p" + std::to_string(i)};
    const std::string cluster = "resolving-" + std::to_string(i);
    ASSERT_TRUE(RegisterCluster(cluster, registry).ok());
    const auto channel = ChannelTo(cluster, Service());
    channel->GetState(true);
    std::this_thread::sleep_for(std::chrono::microseconds(100 * i));
  }
  EXPECT_EQ(Call(Channel()).ToString(), backend->answer());
}

class ManyChannelsTest : public LifeCycleTest {
 protected:
  // Creates and destroys `count` channels, and does something with each.
  void Cycle(int count, const std::function<void(const std::shared_ptr<grpc::Channel>&)>& use) {
    for (int i = 0; i < count; ++i) use(Channel());
  }
  // Nothing is left of a thousand that was not left of twenty.
  void ExpectNothingLeft(const std::function<void(const std::shared_ptr<grpc::Channel>&)>& use) {
    Cycle(20, use);
    std::size_t descriptors = OpenDescriptors();
    // What the last of them had open closes a little later.
    EXPECT_TRUE(Eventually([&] {
      const std::size_t before = std::exchange(descriptors, OpenDescriptors());
      return descriptors == before;
    }));
    const std::size_t threads = Threads();
    const auto took = Timed([&] { Cycle(1000, use); });
    RecordProperty("a_thousand_channels_ms", std::to_string(took.count()));
    EXPECT_TRUE(Eventually([&] { return OpenDescriptors() <= descriptors; }))
        << OpenDescriptors() << " file descriptors, were " << descriptors;
    EXPECT_TRUE(Eventually([&] { return Threads() <= threads + kSpareThreads; }))
        << Threads() << " threads, were " << threads;
  }

 private:
  // gRPC's pools grow and shrink by a few as they like.
  static constexpr std::size_t kSpareThreads = 8;
};

TEST_F(ManyChannelsTest, NothingIsLeftOfUnusedOnes) {
  const auto backend = Start("v1");
  ExpectNothingLeft([](const auto&) {});
}

TEST_F(ManyChannelsTest, NothingIsLeftOfThoseThatBeganToConnect) {
  const auto backend = Start("v1");
  ExpectNothingLeft([](const auto& channel) { channel->GetState(/*try_to_connect=*/true); });
}

TEST_F(ManyChannelsTest, NothingIsLeftOfThoseThatWereCalled) {
  const auto backend = Start("v1");
  ExpectNothingLeft([&](const auto& channel) {
    ASSERT_EQ(Call(channel, {.version = "v1"}).ToString(), backend->answer());
  });
}

// --- what lingers --------------------------------------------------------------------------------

// How many watches etcd has open, by its own account.
int WatchesOf(const std::string& endpoint) {
  const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port =
      htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))));
  const std::string request = "GET /metrics HTTP/1.0\r\n\r\n";
  std::string answer;
  if (connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      write(connection, request.data(), request.size()) > 0) {
    std::array<char, 4096> chunk{};
    for (ssize_t count = 1; count > 0;) {
      count = read(connection, chunk.data(), chunk.size());
      if (count > 0) answer.append(chunk.data(), static_cast<std::size_t>(count));
    }
  }
  close(connection);
  constexpr std::string_view kName = "\netcd_debugging_mvcc_watcher_total ";
  const auto at = answer.find(kName);
  EXPECT_NE(at, std::string::npos) << answer.substr(0, 200);
  return at == std::string::npos ? -1 : std::stoi(answer.substr(at + kName.size()));
}

class LingerTest : public LifeCycleTest {
 protected:
  ~LingerTest() override { discovery::SetLinger(std::chrono::minutes(5)); }
};

TEST_F(LingerTest, WatchesEndAWhileAfterTheirLastSubscriber) {
  const EtcdServer etcd;
  discovery::SetLinger(milliseconds(300));
  constexpr int kServices = 20;
  const auto follow_all = [&] {
    std::vector<std::unique_ptr<Follower>> followers;
    for (int i = 0; i < kServices; ++i) {
      followers.push_back(
          std::make_unique<Follower>(etcd.endpoint(), Service() + std::to_string(i)));
    }
    for (const auto& follower : followers) follower->WaitForCount(0);
    EXPECT_TRUE(Eventually([&] { return WatchesOf(etcd.endpoint()) == 3 * kServices; }))
        << "of records, states and rules: " << WatchesOf(etcd.endpoint());
  };
  follow_all();
  EXPECT_TRUE(Eventually([&] { return WatchesOf(etcd.endpoint()) == 0; }))
      << WatchesOf(etcd.endpoint());
  follow_all();  // they may begin again
}

TEST_F(LingerTest, WhoReturnsInTimeFindsWhatWasKnown) {
  const auto backend = Start("v1");
  const auto find = [&] {
    Follower follower(Etcd(), Service());
    const auto snapshot = follower.WaitForCount(1);
    return snapshot == nullptr ? nullptr : snapshot->members[0].stats;
  };
  discovery::SetLinger(std::chrono::minutes(5));
  const auto first = find();
  const auto second = find();
  EXPECT_EQ(first, second);
}

// --- registrars ----------------------------------------------------------------------------------

class RegistrarEndTest : public LifeCycleTest {
 protected:
  // Ends in all ways that there are, with an etcd that does not answer any more, or never did.
  static void EndAll(const std::string& etcd, const std::function<void()>& take_etcd_away) {
    Backend server({});
    const auto start = [&](const std::string& id) {
      RegistrarOptions options{.service = "it.ends", .listen = "127.0.0.1:0", .id = id};
      options.drain_delay = milliseconds(100);
      options.registry.endpoints = {etcd};
      auto registrar = Registrar::Start(options, server.server(), server.port());
      EXPECT_TRUE(registrar.ok()) << registrar.status();
      return *std::move(registrar);
    };
    auto destroyed = start("destroyed");
    auto drained = start("drained");
    take_etcd_away();
    EXPECT_LT(Timed([&] { destroyed.reset(); }), kLongestStep);
    auto never_registered = start("never-registered");
    EXPECT_LT(Timed([&] { never_registered.reset(); }), kLongestStep);
    // Both requests have 0.9 s, and the server nothing to wait for.
    EXPECT_LT(Timed([&] { drained->DrainAndShutdown(server.server(), milliseconds(0)); }),
              kLongestStep + milliseconds(1000));
    EXPECT_LT(Timed([&] { drained.reset(); }), kLongestStep);
  }
};

TEST_F(RegistrarEndTest, WhileEtcdIsAbsent) {
  const ReservedPort closed;
  EndAll(closed.address(), [] {});
}

TEST_F(RegistrarEndTest, AfterEtcdHasGone) {
  EtcdServer etcd;
  EndAll(etcd.endpoint(), [&] {
    Follower(etcd.endpoint(), "it.ends").WaitForCount(1);  // two ids, one address
    etcd.Kill();
  });
}

TEST_F(RegistrarEndTest, WhileEtcdIsSilent) {
  EtcdServer etcd;
  EndAll(etcd.endpoint(), [&] {
    Follower(etcd.endpoint(), "it.ends").WaitForCount(1);
    etcd.Pause();
  });
  etcd.Continue();
}

// --- processes -----------------------------------------------------------------------------------

class ProcessEndTest : public LifeCycleTest {};

// Static objects of the program's are destroyed after main, ours among them.
TEST_F(ProcessEndTest, StaticObjectsDeregister) {
  const std::string key = RunToItsEnd("return");
  EXPECT_THAT(key, StartsWith("/it/"));
  EXPECT_FALSE(Admin().Get(key).has_value());
}

TEST_F(ProcessEndTest, EverythingMayBeOpen) {
  const std::string key = RunToItsEnd("open");
  EXPECT_THAT(key, StartsWith("/it/"));
  EXPECT_TRUE(Admin().Get(key).has_value()) << "until its lease ends";
}

TEST_F(ProcessEndTest, AnyThreadMayCallExit) {
  for (int i = 0; i < 5; ++i) EXPECT_THAT(RunToItsEnd("exit"), StartsWith("/it/"));
}

TEST_F(ProcessEndTest, CallsMayBeWaitingForTheirServer) {
  std::promise<void> may_end;
  const auto ended = may_end.get_future().share();
  BackendOptions options = Options("v1");
  options.before_answer = [ended](grpc::ServerContextBase&) {
    ended.wait();
    return grpc::Status::OK;
  };
  const Backend backend(options);
  const auto program = StartProgram("waiting", Etcd());
  EXPECT_TRUE(Eventually([&] { return backend.calls() == 4; })) << backend.calls();
  program->Signal(SIGUSR1);
  EXPECT_LT(Timed([&] { EXPECT_EQ(program->Wait(), 0); }), kLongestStep);
  may_end.set_value();
}

TEST_F(ProcessEndTest, CallsMayBeWaitingForEtcd) {
  const ReservedPort closed;
  const auto program = StartProgram("waiting", closed.address());
  EXPECT_EQ(program->ReadLine(), "waiting");
  program->Signal(SIGUSR1);
  EXPECT_LT(Timed([&] { EXPECT_EQ(program->Wait(), 0); }), kLongestStep);
}

// --- forks ---------------------------------------------------------------------------------------

// The child can neither take the registration away nor hang.
TEST_F(ProcessEndTest, AForkedChildEndsAndTheParentGoesOn) {
  const auto program = StartProgram("fork", Etcd());
  const std::string key = program->ReadLine().value_or("nothing");
  ASSERT_THAT(key, StartsWith("/it/"));
  const auto before = Admin().Get(key);
  ASSERT_TRUE(before.has_value());
  for (const char* const step : {"use", "destroy", "exit", "exec"}) {
    std::istringstream line(program->ReadLine().value_or("nothing"));
    std::string name;
    int status = -1;
    int took_ms = -1;
    line >> name >> status >> took_ms;
    EXPECT_EQ(name, step) << line.str();
    EXPECT_EQ(status, 0) << line.str();
    EXPECT_LT(milliseconds(took_ms), kLongestStep) << line.str();
  }
  EXPECT_EQ(program->ReadLine(), "registered");
  EXPECT_EQ(program->ReadLine(), "called");
  const auto after = Admin().Get(key);
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->mod_revision, before->mod_revision);
  EXPECT_EQ(after->lease, before->lease);
  program->Signal(SIGUSR1);
  EXPECT_EQ(program->Wait(), 0);
}

// Whatever locks its threads hold at that moment.
TEST_F(ProcessEndTest, ABusyProcessMayFork) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP()
      << "AddressSanitizer's allocator is not made for it: if another thread holds its lock "
         "at that moment, the child hangs in malloc. The preset dev runs this.";
#endif
  const auto program = StartProgram("busy", Etcd());
  const std::string key = program->ReadLine().value_or("nothing");
  ASSERT_THAT(key, StartsWith("/it/"));
  for (int i = 0; i < 50; ++i) {
    ASSERT_THAT(program->ReadLine().value_or("nothing"), StartsWith("busy 0 "));
  }
  EXPECT_EQ(program->Wait(), 0);
  EXPECT_TRUE(Admin().Get(key).has_value());
}

// --- shared objects ------------------------------------------------------------------------------

class PluginTest : public LifeCycleTest {
 protected:
  struct Outcome {
    int exit_status;
    std::string output;
  };
  Outcome Load(const std::string& when) const {
    Process host(
        {Program("late_host"), when, TURNOUT_TEST_PLUGIN, "etcd://" + Etcd() + "/" + Service()});
    const std::string output = host.ReadAll();
    return {host.Wait().value_or(-1), output};
  }
};

TEST_F(PluginTest, OneThatIsLoadedBeforeGrpcIsUsedWorks) {
  const auto backend = Start("v1");
  const Outcome outcome = Load("early");
  EXPECT_EQ(outcome.exit_status, 0) << outcome.output;
  EXPECT_EQ(outcome.output, backend->answer() + "\n");
}

TEST_F(PluginTest, OneThatIsLoadedLaterIsToldWhatIsWrong) {
  const auto backend = Start("v1");
  const Outcome outcome = Load("late");
  EXPECT_EQ(outcome.exit_status, 1) << outcome.output;
  EXPECT_THAT(outcome.output, StartsWith("FAILED_PRECONDITION: "));
  EXPECT_THAT(outcome.output, HasSubstr("gRPC was in use before Turnout was loaded"));
  EXPECT_THAT(outcome.output, HasSubstr("link Turnout into the program, or load it before"));
  EXPECT_EQ(backend->calls(), 0);
}

}  // namespace
}  // namespace turnout::testing
