#include "tests/support/etcd_cluster.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include "nlohmann/json.hpp"
#include "proto/etcd.pb.h"
#include "tests/support/process.h"

namespace turnout::testing {
namespace {

constexpr std::chrono::seconds kPatienceWithElections{60};
constexpr char kToken[] = "--initial-cluster-token=turnout";

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

std::string EtcdctlBinary() {
  const char* named = std::getenv("TURNOUT_TEST_ETCD");
  const std::filesystem::path etcd = named != nullptr ? named : TURNOUT_TEST_ETCD;
  return etcd.parent_path() / "etcdctl";
}

struct Ended {
  bool ok = false;
  std::string output;  // and errors
};

Ended TryEtcdctl(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {"/bin/sh", "-c", R"(exec "$@" 2>&1)", "sh", EtcdctlBinary()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  Process process(command);
  std::string output = process.ReadAll();
  return {process.Wait() == 0, std::move(output)};
}

void Etcdctl(const std::vector<std::string>& arguments) {
  const Ended ended = TryEtcdctl(arguments);
  if (!ended.ok) Die("etcdctl " + arguments.back() + ": " + ended.output);
}

struct Socket {
  int local_port = 0, remote_port = 0;
  bool is_connected = false;
  std::string inode;
};

// All that the machine has; gRPC's are those of IPv6, also where both ends are IPv4.
std::vector<Socket> Sockets() {
  constexpr char kEstablished[] = "01";
  std::vector<Socket> sockets;
  const auto port = [](const std::string& address) {
    return static_cast<int>(std::strtol(address.c_str() + address.find(':') + 1, nullptr, 16));
  };
  for (const char* file : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream table(file);
    std::string line;
    std::getline(table, line);  // headings
    while (std::getline(table, line)) {
      std::istringstream words(line);
      std::string number, local, remote, state, queues, timer, retransmits, user, timeout, inode;
      words >> number >> local >> remote >> state >> queues >> timer >> retransmits >> user >>
          timeout >> inode;
      sockets.push_back({port(local), port(remote), state == kEstablished, inode});
    }
  }
  return sockets;
}

bool HasOpen(pid_t process, const std::string& inode) {
  std::error_code error;
  const std::string wanted = "socket:[" + inode + "]";
  const auto folder = "/proc/" + std::to_string(process) + "/fd";
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (std::filesystem::read_symlink(entry.path(), error) == wanted) return true;
  }
  return false;
}

std::shared_ptr<grpc::Channel> ChannelOf(const std::string& endpoint) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel("dns:///" + endpoint, grpc::InsecureChannelCredentials(),
                                   arguments);
}

}  // namespace

EtcdCluster::EtcdCluster(int members) {
  for (int i = 0; i < members; ++i) {
    peer_ports_.push_back(std::make_unique<ReservedPort>());
    relays_.push_back(
        std::make_unique<Relay>(peer_ports_.back()->address(),
                                [this](std::uint16_t port) { return WhoConnectsFrom(port); }));
  }
  for (std::size_t i = 0; i < peer_ports_.size(); ++i) {
    auto member = std::make_unique<EtcdServer>(MemberOptions(i));
    const std::lock_guard<std::mutex> lock(members_mutex_);
    members_.push_back(std::move(member));
    channels_.push_back(ChannelOf(members_.back()->endpoint()));
  }
  for (const auto& member : members_) member->AwaitAnswer();
}

EtcdCluster::~EtcdCluster() = default;

std::vector<std::string> EtcdCluster::endpoints() const {
  std::vector<std::string> endpoints;
  endpoints.reserve(members_.size());
  for (const auto& member : members_) endpoints.push_back(member->endpoint());
  return endpoints;
}

std::string EtcdCluster::PeerUrl(std::size_t index) const {
  return "http://" + relays_[index]->endpoint();
}

EtcdServerOptions EtcdCluster::MemberOptions(std::size_t index) const {
  std::string all;
  for (std::size_t i = 0; i < relays_.size(); ++i) {
    all += (i == 0 ? "" : ",") + std::string("m") + std::to_string(i) + "=" + PeerUrl(i);
  }
  // Of a flag that is given twice, the last counts.
  EtcdServerOptions options{
      .flags = {"--name=m" + std::to_string(index), kToken,
                "--listen-peer-urls=http://" + peer_ports_[index]->address(),
                "--initial-advertise-peer-urls=" + PeerUrl(index), "--initial-cluster=" + all},
      .awaits = false};
  // A loaded machine must not make the members vote.
  if (relays_.size() > 1) {
    options.flags.insert(options.flags.end(),
                         {"--heartbeat-interval=100", "--election-timeout=1000"});
  }
  return options;
}

// A connection comes from the process that has its other end open.
int EtcdCluster::WhoConnectsFrom(std::uint16_t port) {
  for (const Socket& socket : Sockets()) {
    if (socket.local_port != port) continue;
    const std::lock_guard<std::mutex> lock(members_mutex_);
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (HasOpen(members_[i]->pid(), socket.inode)) return static_cast<int>(i);
    }
  }
  return Relay::kUnknown;
}

int EtcdCluster::Leader() {
  const auto deadline = std::chrono::steady_clock::now() + kPatienceWithElections;
  while (std::chrono::steady_clock::now() < deadline) {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (members_[i]->pid() < 0) continue;
      const auto status = TryStatus(i);
      if (status.has_value() && status->leader == status->id) return static_cast<int>(i);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  Die("no member of etcd leads");
}

std::optional<EtcdCluster::Status> EtcdCluster::TryStatus(std::size_t index) const {
  const Ended asked = TryEtcdctl(
      {"--endpoints=" + members_[index]->endpoint(), "endpoint", "status", "--write-out=json"});
  const auto begin = asked.output.find("[{");
  if (!asked.ok || begin == std::string::npos) return std::nullopt;
  const auto said = nlohmann::json::parse(asked.output.substr(begin), nullptr, false);
  if (said.is_discarded()) return std::nullopt;
  const auto& status = said[0]["Status"];
  return Status{status["header"].value("member_id", std::uint64_t{0}),
                status.value("leader", std::uint64_t{0})};
}

void EtcdCluster::MoveLeader(int to) {
  const int leader = Leader();
  if (leader == to) return;
  const auto wanted = TryStatus(static_cast<std::size_t>(to));
  if (!wanted.has_value()) Die("the member that is to lead does not answer");
  std::array<char, 20> id{};
  std::snprintf(id.data(), id.size(), "%" PRIx64, wanted->id);
  Etcdctl({"--endpoints=" + member(leader).endpoint(), "move-leader", id.data()});
}

std::optional<int> EtcdCluster::MemberUsedBy(pid_t process) const {
  for (const Socket& socket : Sockets()) {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      const std::string& endpoint = members_[i]->endpoint();
      if (socket.is_connected && endpoint.ends_with(":" + std::to_string(socket.remote_port)) &&
          HasOpen(process, socket.inode)) {
        return static_cast<int>(i);
      }
    }
  }
  return std::nullopt;
}

void EtcdCluster::Part(int index, Relay::Mode mode) {
  for (std::size_t i = 0; i < relays_.size(); ++i) {
    if (static_cast<int>(i) == index) {
      relays_[i]->Set({.mode = mode});
    } else {
      relays_[i]->SetFor(index, {.mode = mode});
    }
  }
}

void EtcdCluster::Delay(int index, std::chrono::milliseconds delay) {
  for (std::size_t i = 0; i < relays_.size(); ++i) {
    if (static_cast<int>(i) == index) {
      relays_[i]->Set({.delay = delay});
    } else {
      relays_[i]->SetFor(index, {.delay = delay});
    }
  }
}

void EtcdCluster::Heal() {
  for (const auto& relay : relays_) relay->Set({});
}

std::optional<EtcdCluster::Content> EtcdCluster::TryList(const std::string& prefix) {
  for (std::size_t i = 0; i < members_.size(); ++i, answers_ = (answers_ + 1) % members_.size()) {
    if (members_[answers_]->pid() < 0) continue;
    if (auto content = TryListOf(answers_, prefix)) return content;
  }
  return std::nullopt;
}

std::optional<EtcdCluster::Content> EtcdCluster::TryListOf(std::size_t index,
                                                           const std::string& prefix) {
  etcdpb::RangeRequest request;
  request.set_key(prefix);
  std::string end = prefix;
  ++end.back();
  request.set_range_end(end);
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(1));
  grpc::CompletionQueue queue;
  const auto call =
      grpc::TemplatedGenericStub<etcdpb::RangeRequest, etcdpb::RangeResponse>(channels_[index])
          .PrepareUnaryCall(&context, "/etcdserverpb.KV/Range", request, &queue);
  etcdpb::RangeResponse response;
  grpc::Status status;
  call->StartCall();
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  if (!status.ok()) return std::nullopt;
  Content content{.revision = response.header().revision()};
  for (const etcdpb::KeyValue& kv : response.kvs()) {
    content.entries.push_back(
        {kv.key(), kv.value(), kv.create_revision(), kv.mod_revision(), kv.lease()});
  }
  return content;
}

void EtcdCluster::Compact(std::int64_t revision) {
  Etcdctl({"--endpoints=" + members_[0]->endpoint(), "compact", std::to_string(revision)});
}

void EtcdCluster::Defragment() { Etcdctl({"--endpoints=" + members_[0]->endpoint(), "defrag"}); }

void EtcdCluster::SaveBackup(const std::string& file) {
  Etcdctl({"--endpoints=" + members_[0]->endpoint(), "snapshot", "save", file});
}

void EtcdCluster::RestoreBackup(const std::string& file) {
  members_[0]->Wipe();
  Etcdctl({"snapshot", "restore", "--name=m0", kToken, "--data-dir=" + members_[0]->data_folder(),
           "--initial-cluster=m0=" + PeerUrl(0), "--initial-advertise-peer-urls=" + PeerUrl(0),
           file});
}

}  // namespace turnout::testing
