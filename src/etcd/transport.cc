#include "src/etcd/transport.h"

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/log.h"
#include "src/etcd/event_loop.h"
#include "src/etcd/openssl.h"
#include "src/etcd/probe.h"
#include "src/etcd/side_threads.h"

namespace turnout::etcd {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kBetweenLooks{5000};
constexpr milliseconds kBetweenLooksWhileUnusable{500};
constexpr milliseconds kMostOfAProbe{2000};

grpc::ChannelArguments ChannelArgumentsForEtcd() {
  grpc::ChannelArguments args;
  // The way to etcd must not depend on how the program balances its own calls.
  args.SetLoadBalancingPolicyName("pick_first");
  args.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  args.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Events that were pending when a watch begins come in one message of any size.
  args.SetMaxReceiveMessageSize(-1);
  args.SetMaxSendMessageSize(-1);
  // A silent member is found within 9 s. etcd allows a ping every 5 s, and none without a call.
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 6000);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 3000);
  args.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // etcd that comes back is seen soon; the middle one also bounds an attempt to connect.
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 2000);
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  args.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1000);
  return args;
}

// Certificates are parsed only where they are not those in use.
absl::StatusOr<TlsFiles> ReadAndCheck(const TlsOptions& options, const TlsFiles* in_use) {
  auto files = ReadTlsFiles(options);
  if (!files.ok() || (in_use != nullptr && *files == *in_use)) return files;
  if (absl::Status status = CheckTlsFiles(options, *files); !status.ok()) return status;
  return files;
}

}  // namespace

Transport::Transport(std::optional<TlsOptions> tls) : tls_(std::move(tls)) {
  KeepOpenSslUntilTheEnd();
  if (!tls_.has_value()) return;
  auto files = ReadAndCheck(*tls_, nullptr);
  if (files.ok()) {
    files_ = std::make_shared<const TlsFiles>(*std::move(files));
  } else {
    unusable_ = absl::UnavailableError(files.status().message());
  }
}

std::shared_ptr<grpc::Channel> Transport::NewChannel(const std::string& endpoint) const {
  grpc::ChannelArguments args = ChannelArgumentsForEtcd();
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  if (tls_.has_value()) {
    credentials = grpc::SslCredentials({.pem_root_certs = files_->ca,
                                        .pem_private_key = files_->key,
                                        .pem_cert_chain = files_->cert});
    if (!tls_->server_name.empty()) args.SetSslTargetNameOverride(tls_->server_name);
  } else {
    credentials = grpc::InsecureChannelCredentials();
  }
  // With its scheme, or gRPC might read a host name as one.
  return grpc::CreateCustomChannel(absl::StrCat("dns:///", endpoint), credentials, args);
}

void Transport::LookAtFiles() {
  if (!tls_.has_value() || looking_) return;
  const auto interval = unusable_.ok() ? kBetweenLooks : kBetweenLooksWhileUnusable;
  const auto now = Clock::now();
  if (now < looked_at_ + interval) return;
  looked_at_ = now;
  looking_ = true;
  FilesThread().Run([this, in_use = files_] {
    auto read = ReadAndCheck(*tls_, in_use.get());
    EventLoop::Get().Post([this, read = std::move(read)] {
      looking_ = false;
      Take(read);
    });
  });
}

bool Transport::Take(const absl::StatusOr<TlsFiles>& read) {
  if (!read.ok()) {
    if (read.status() == rejected_) return false;
    rejected_ = read.status();
    base::Log(LogSeverity::kWarning, "etcd",
              absl::StrCat(rejected_.message(),
                           files_ != nullptr ? "; what was read before stays in use" : ""));
    return false;
  }
  rejected_ = absl::OkStatus();
  if (files_ != nullptr && *files_ == *read) return false;
  files_ = std::make_shared<const TlsFiles>(*read);
  unusable_ = absl::OkStatus();
  ++generation_;
  base::Log(LogSeverity::kInfo, "etcd", "the TLS files have changed; new connections use them");
  return true;
}

void Transport::Examine(const std::string& endpoint, std::function<void(const Finding&)> then) {
  ProbeThread().Run([this, endpoint, in_use = files_, then = std::move(then)] {
    if (!tls_.has_value()) {
      return EventLoop::Get().Post(
          [then, fault = ProbePlain(endpoint, kMostOfAProbe)] { then({fault}); });
    }
    const auto read = ReadAndCheck(*tls_, in_use.get());
    const TlsFiles& files = read.ok() ? *read : *in_use;
    const absl::Status fault = ProbeTls(endpoint, *tls_, files, kMostOfAProbe);
    EventLoop::Get().Post([this, then, read, fault] {
      const bool changed = Take(read);
      const bool also = !fault.ok() && !rejected_.ok();
      then({also ? absl::UnavailableError(
                       absl::StrCat(fault.message(), "; and ", rejected_.message()))
                 : fault,
            changed});
    });
  });
}

std::string Transport::CertifiedUser() const {
  return files_ == nullptr ? std::string() : CommonName(files_->cert);
}

}  // namespace turnout::etcd
