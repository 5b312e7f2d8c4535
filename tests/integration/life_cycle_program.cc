// life_cycle_program MODE ETCD SERVICE: a program that ends in some odd way while it uses the
// library, for life_cycle_test. Prints a line for each step; what it prints is in `main` below.
#include <dirent.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "proto/api.grpc.pb.h"
#include "turnout/channel.h"
#include "turnout/discovery.h"
#include "turnout/log.h"
#include "turnout/observer.h"
#include "turnout/registrar.h"

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

class Api final : public proto::Api::Service {
  grpc::Status ApiTest(grpc::ServerContext* /*context*/, const proto::Request* request,
                       proto::Response* response) override {
    response->set_output(request->input());
    return grpc::Status::OK;
  }
};

[[noreturn]] void Fail(const std::string& what) {
  std::cout << "FAILED " << what << std::endl;
  _exit(3);
}

// Everything that a process may have: a registered server, a channel, a subscription.
struct World {
  World(const std::string& etcd, const std::string& service);

  grpc::Status Call(milliseconds timeout = seconds(10)) const;

  Api api;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<turnout::Registrar> registrar;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<turnout::Subscription> subscription;
  std::shared_ptr<std::atomic<int>> snapshots = std::make_shared<std::atomic<int>>(0);
};

World::World(const std::string& etcd, const std::string& service) {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&api);
  turnout::Registrar::PrepareServer(builder);
  server = builder.BuildAndStart();
  turnout::RegistrarOptions options{.service = service, .version = "v1", .listen = "127.0.0.1:0"};
  options.registry.endpoints = {etcd};
  auto started = turnout::Registrar::Start(options, *server, port);
  if (!started.ok()) Fail(started.status().ToString());
  registrar = *std::move(started);
  if (const auto status = registrar->WaitUntilRegistered(seconds(20)); !status.ok()) {
    Fail(status.ToString());
  }
  auto created =
      turnout::CreateChannel("etcd://" + etcd + "/" + service, grpc::InsecureChannelCredentials());
  if (!created.ok()) Fail(created.status().ToString());
  channel = *std::move(created);
  auto watched = turnout::Watch(service, options.registry,
                                {.on_snapshot = [seen = snapshots](const auto&) { ++*seen; }});
  if (!watched.ok()) Fail(watched.status().ToString());
  subscription = *std::move(watched);
  if (const grpc::Status status = Call(); !status.ok()) Fail(status.error_message());
}

grpc::Status World::Call(milliseconds timeout) const {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  proto::Response response;
  return proto::Api::NewStub(channel)->ApiTest(&context, {}, &response);
}

// Calls without end, on threads that nobody joins.
void CallForEver(const std::shared_ptr<grpc::Channel>& channel, int threads) {
  for (int i = 0; i < threads; ++i) {
    std::thread([channel] {
      const auto stub = proto::Api::NewStub(channel);
      while (true) {
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() + seconds(60));
        context.set_wait_for_ready(true);
        proto::Response response;
        stub->ApiTest(&context, {}, &response);
      }
    }).detach();
  }
}

// Until the test has seen what it wants to see. Every thread has it blocked, from the first on.
sigset_t TheSignal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  return set;
}
void AwaitSignal() {
  const sigset_t set = TheSignal();
  int signal = 0;
  sigwait(&set, &signal);
}

void LogToNobody() {
  turnout::SetLogSink([](const turnout::LogEntry&) {}, turnout::LogSeverity::kDebug);
  turnout::SetObserver(std::make_shared<turnout::Observer>());
}

// --- how processes end -------------------------------------------------------------------------

void ReturnFromMain(const std::string& etcd, const std::string& service) {
  static World world(etcd, service);  // destroyed after main
  std::cout << world.registrar->key() << std::endl;
}

// Nothing is destroyed, calls are under way on other threads.
void ReturnWithEverythingOpen(const std::string& etcd, const std::string& service) {
  const auto* world = new World(etcd, service);
  CallForEver(world->channel, 4);
  std::cout << world->registrar->key() << std::endl;
}

void ExitOnAnotherThread(const std::string& etcd, const std::string& service) {
  static World world(etcd, service);
  CallForEver(world.channel, 4);
  std::cout << world.registrar->key() << std::endl;
  std::thread([] { std::exit(0); }).join();
}

// Only a client: calls wait for ever in servers elsewhere, or for etcd.
void ReturnWhileCallsWait(const std::string& etcd, const std::string& service) {
  auto channel =
      turnout::CreateChannel("etcd://" + etcd + "/" + service, grpc::InsecureChannelCredentials());
  if (!channel.ok()) Fail(channel.status().ToString());
  static std::shared_ptr<grpc::Channel> kept;
  kept = *channel;
  CallForEver(kept, 4);
  std::cout << "waiting" << std::endl;
  AwaitSignal();
}

// --- forks --------------------------------------------------------------------------------------

// Runs `child` in a forked process: its exit status, and how long it took.
bool is_forked_child = false;

void Fork(const std::string& name, const std::function<void()>& child) {
  const auto begin = steady_clock::now();
  const pid_t pid = fork();
  if (pid == 0) {
    is_forked_child = true;
    child();
  }
  int status = 0;
  while (waitpid(pid, &status, WNOHANG) == 0) {
    if (steady_clock::now() - begin > seconds(20)) {
      kill(pid, SIGKILL);
      waitpid(pid, &status, 0);
      Fail(name + ": the child hangs");
    }
    std::this_thread::sleep_for(milliseconds(1));
  }
  const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
  std::cout << name << " " << (WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status)) << " "
            << took.count() << std::endl;
}

void UseAll(World& world, const std::string& etcd, const std::string& service) {
  const turnout::RegistryOptions registry{.endpoints = {etcd}};
  if (world.registrar->state() != turnout::RegistrationState::kEnded) _exit(10);
  if (world.registrar->WaitUntilRegistered(seconds(60)).ok()) _exit(11);
  world.registrar->DrainAndShutdown(*world.server, seconds(60));
  if (turnout::List(registry, seconds(60)).ok()) _exit(12);
  const auto watched = turnout::Watch(service, registry, {.on_snapshot = [](const auto&) {}});
  if (!watched.ok()) _exit(13);
  turnout::GetCounters();
  turnout::SetObserver(nullptr);
  turnout::SetLogSink(nullptr);
}

void DestroyAll(World& world) {
  world.subscription.reset();
  world.registrar.reset();
  world.channel.reset();
}

// Descriptors beside the standard ones.
int CountDescriptors() {
  int count = 0;
  DIR* folder = opendir("/proc/self/fd");
  while (const dirent* entry = readdir(folder)) {
    const int descriptor = std::atoi(entry->d_name);
    if (entry->d_name[0] != '.' && descriptor > 2 && descriptor != dirfd(folder)) ++count;
  }
  closedir(folder);
  return count;
}

int descriptors_at_start = 0;  // what our own parent has left to us

void ForkAfterUse(const std::string& etcd, const std::string& service) {
  World world(etcd, service);
  std::cout << world.registrar->key() << std::endl;
  Fork("use", [&] {
    UseAll(world, etcd, service);
    _exit(0);
  });
  Fork("destroy", [&] {
    DestroyAll(world);
    _exit(0);
  });
  Fork("exit", [&] {
    DestroyAll(world);
    std::exit(0);
  });
  Fork("exec", [] {
    const std::string expected = std::to_string(descriptors_at_start);
    execl("/proc/self/exe", "life_cycle_program", "descriptors", expected.c_str(), "-", nullptr);
    _exit(20);
  });
  const bool registered = world.registrar->state() == turnout::RegistrationState::kRegistered;
  std::cout << (registered ? "registered" : "lost") << std::endl;
  std::cout << (world.Call().ok() ? "called" : "cannot call") << std::endl;
  AwaitSignal();
}

// Other threads follow, call and report all the time. What is gRPC's own the child leaves alone:
// that can be waiting for threads that it does not have.
void ForkWhileBusy(const std::string& etcd, const std::string& service) {
  auto* world = new World(etcd, service);
  CallForEver(world->channel, 2);
  std::thread([etcd] {
    for (int i = 0;; ++i) {
      const auto watched = turnout::Watch("it.busy-" + std::to_string(i % 10),
                                          turnout::RegistryOptions{.endpoints = {etcd}},
                                          {.on_snapshot = [](const auto&) {}});
      LogToNobody();
      turnout::GetCounters();
    }
  }).detach();
  std::cout << world->registrar->key() << std::endl;
  for (int i = 0; i < 50; ++i) {
    Fork("busy", [&] {
      UseAll(*world, etcd, service);
      world->subscription.reset();
      world->registrar.reset();
      _exit(0);
    });
  }
}

}  // namespace

// LeakSanitizer asks before it looks. In a forked child it would miss the stacks of the threads
// that are not there, and take what they held for leaks.
extern "C" int __lsan_is_turned_off() { return is_forked_child ? 1 : 0; }

int main(int argc, char** argv) {
  if (argc != 4) return 64;
  const std::string mode = argv[1];
  const std::string etcd = argv[2];
  const std::string service = argv[3];
  // What was run by an exec finds nothing of the library's.
  if (mode == "descriptors") return CountDescriptors() - std::stoi(etcd);
  descriptors_at_start = CountDescriptors();
  const sigset_t set = TheSignal();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  LogToNobody();
  const std::map<std::string, void (*)(const std::string&, const std::string&)> modes = {
      {"return", ReturnFromMain},    {"open", ReturnWithEverythingOpen},
      {"exit", ExitOnAnotherThread}, {"waiting", ReturnWhileCallsWait},
      {"fork", ForkAfterUse},        {"busy", ForkWhileBusy},
  };
  const auto found = modes.find(mode);
  if (found == modes.end()) return 64;
  found->second(etcd, service);
  return 0;
}
