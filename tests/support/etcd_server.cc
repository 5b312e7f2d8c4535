#include "tests/support/etcd_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/security/credentials.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>

#include "proto/etcd.pb.h"

namespace turnout::testing {
namespace {

constexpr std::chrono::seconds kPatienceWithEtcd{60};

std::string EtcdBinary() {
  const char* named = std::getenv("TURNOUT_TEST_ETCD");
  return named != nullptr ? named : TURNOUT_TEST_ETCD;
}

std::string NewFolder() {
  const char* parent = std::getenv("TMPDIR");
  std::string path = std::string(parent != nullptr ? parent : "/tmp") + "/turnout-etcd-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) path.clear();
  return path;
}

// Runs in the child: only what is safe after a fork in a process with threads.
[[noreturn]] void BecomeEtcd(char* const* arguments, int log, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // died before it could be said that we go with it
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(arguments[0], arguments);
  _exit(127);
}

std::string Content(const std::string& path) {
  if (path.empty()) return {};
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::shared_ptr<grpc::ChannelCredentials> Credentials(const EtcdTls& tls) {
  if (tls.cert_file.empty()) return grpc::InsecureChannelCredentials();
  return grpc::SslCredentials({.pem_root_certs = Content(tls.ca_file),
                               .pem_private_key = Content(tls.our_key_file),
                               .pem_cert_chain = Content(tls.our_cert_file)});
}

// One linearizable read: answered once there is a leader, or refused because we are nobody.
bool Answers(const std::shared_ptr<grpc::Channel>& channel, std::chrono::milliseconds timeout) {
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  etcdpb::RangeRequest request;
  request.set_key("health");
  etcdpb::RangeResponse response;
  grpc::CompletionQueue queue;
  const auto call = grpc::TemplatedGenericStub<etcdpb::RangeRequest, etcdpb::RangeResponse>(channel)
                        .PrepareUnaryCall(&context, "/etcdserverpb.KV/Range", request, &queue);
  grpc::Status status;
  call->StartCall();
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  return status.ok() || status.error_code() == grpc::StatusCode::INVALID_ARGUMENT ||
         status.error_code() == grpc::StatusCode::PERMISSION_DENIED;
}

}  // namespace

ReservedPort::ReservedPort(bool ipv6)
    : socket_(socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  // A socket that is bound but does not listen keeps the port from being given away, and with this
  // option on both lets another listen.
  const int on = 1;
  setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_addr = in6addr_loopback;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const address = ipv6 ? reinterpret_cast<sockaddr*>(&v6) : reinterpret_cast<sockaddr*>(&v4);
  socklen_t size = ipv6 ? sizeof v6 : sizeof v4;
  if (bind(socket_, address, size) != 0 || getsockname(socket_, address, &size) != 0) {
    std::perror("cannot reserve a port");
    std::abort();
  }
  address_ =
      (ipv6 ? "[::1]:" : "127.0.0.1:") + std::to_string(ntohs(ipv6 ? v6.sin6_port : v4.sin_port));
}

ReservedPort::~ReservedPort() { close(socket_); }

EtcdServer::EtcdServer(EtcdServerOptions options)
    : options_(std::move(options)),
      client_port_(options_.ipv6),
      peer_port_(options_.ipv6),
      folder_(NewFolder()) {
  Launch();
  if (options_.awaits) AwaitAnswer();
}

EtcdServer::~EtcdServer() {
  if (pid_ > 0) Kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::vector<std::string> EtcdServer::Command() const {
  const EtcdTls& tls = options_.tls;
  const std::string client =
      (tls.cert_file.empty() ? "http://" : "https://") + client_port_.address();
  const std::string peer = "http://" + peer_port_.address();
  std::vector<std::string> command = {
      EtcdBinary(),
      "--data-dir=" + data_folder(),
      "--name=test",
      "--listen-client-urls=" + client,
      "--advertise-client-urls=" + client,
      "--listen-peer-urls=" + peer,
      "--initial-advertise-peer-urls=" + peer,
      "--initial-cluster=test=" + peer,
      // Alone it elects itself, after one timeout.
      "--heartbeat-interval=20",
      "--election-timeout=200",
      "--logger=zap",
      "--log-level=warn",
      "--log-outputs=stderr",
  };
  if (!tls.cert_file.empty()) {
    command.insert(command.end(), {"--cert-file=" + tls.cert_file, "--key-file=" + tls.key_file});
  }
  if (!tls.client_ca_file.empty()) {
    command.insert(command.end(),
                   {"--client-cert-auth", "--trusted-ca-file=" + tls.client_ca_file});
  }
  command.insert(command.end(), options_.flags.begin(), options_.flags.end());
  return command;
}

void EtcdServer::Start() {
  Launch();
  AwaitAnswer();
}

void EtcdServer::Launch() {
  std::vector<std::string> command = Command();
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::string log_path = folder_ + "/log";
  const int log = open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const pid_t self = getpid();
  pid_ = fork();
  if (pid_ == 0) BecomeEtcd(arguments.data(), log, self);
  close(log);
}

void EtcdServer::AwaitAnswer() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 20);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 20);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const auto channel =
      grpc::CreateCustomChannel("dns:///" + endpoint(), Credentials(options_.tls), arguments);
  const auto deadline = std::chrono::steady_clock::now() + kPatienceWithEtcd;
  while (!Answers(channel, std::chrono::milliseconds(500))) {
    if (Ended()) Fail("ended instead of serving");
    if (std::chrono::steady_clock::now() > deadline) Fail("does not answer");
  }
}

void EtcdServer::Stop() {
  kill(pid_, SIGTERM);
  AwaitEnd();
}

void EtcdServer::Kill() {
  kill(pid_, SIGKILL);
  AwaitEnd();
}

void EtcdServer::Restart() {
  Kill();
  Start();
}

void EtcdServer::AwaitEnd() {
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

bool EtcdServer::Ended() {
  if (waitpid(pid_, nullptr, WNOHANG) != pid_) return false;
  pid_ = -1;
  return true;
}

void EtcdServer::Wipe() { std::filesystem::remove_all(data_folder()); }

void EtcdServer::Pause() const { kill(pid_, SIGSTOP); }
void EtcdServer::Continue() const { kill(pid_, SIGCONT); }

void EtcdServer::Fail(const std::string& what) const {
  std::ifstream log(folder_ + "/log");
  const std::string text{std::istreambuf_iterator<char>(log), {}};
  std::fprintf(stderr, "etcd (%s) on %s %s; it says:\n%s\n", EtcdBinary().c_str(),
               endpoint().c_str(), what.c_str(), text.c_str());
  if (pid_ > 0) kill(pid_, SIGKILL);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
  std::abort();
}

}  // namespace turnout::testing
