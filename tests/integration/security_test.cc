// The whole way over TLS, as a user, with certificates that change; and what must not leak out.
#include <gmock/gmock.h>
#include <grpcpp/security/credentials.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/authority.h"
#include "tests/support/etcd_server.h"
#include "tests/support/etcdctl.h"
#include "tests/support/fixture.h"
#include "tests/support/reports.h"
#include "tests/support/temporary_folder.h"
#include "turnout/registry.h"

namespace turnout::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPassword[] = "s3samE!opens-it";

// Files of one authority's, for etcd and for us, in a folder.
class Files {
 public:
  void Issue(const Authority& authority) const {
    IssueForEtcd(authority);
    IssueForUs(authority);
  }
  void IssueForEtcd(const Authority& authority) const {
    WriteFile(folder_ / "etcd-ca.pem", authority.certificate());
    Write("etcd", authority.Issue());
  }
  void IssueForUs(const Authority& authority) const {
    WriteFile(folder_ / "ca.pem", authority.certificate());
    Write("us", authority.Issue({.common_name = "us", .names = {}}));
  }

  EtcdServerOptions Etcd() const {
    return {.tls = {.cert_file = folder_ / "etcd.pem",
                    .key_file = folder_ / "etcd.key",
                    .client_ca_file = folder_ / "etcd-ca.pem",
                    .ca_file = folder_ / "etcd-ca.pem",
                    .our_cert_file = folder_ / "etcd.pem",
                    .our_key_file = folder_ / "etcd.key"},
            .flags = {"--bcrypt-cost=4"}};
  }
  TlsOptions Us() const {
    return {.ca_file = folder_ / "ca.pem",
            .cert_file = folder_ / "us.pem",
            .key_file = folder_ / "us.key"};
  }
  std::vector<std::string> Flags() const {  // etcdctl's
    return {"--cacert=" + folder_ / "ca.pem", "--cert=" + folder_ / "us.pem",
            "--key=" + folder_ / "us.key"};
  }
  const TemporaryFolder& folder() const { return folder_; }

 private:
  void Write(const std::string& name, const KeyAndCertificate& pair) const {
    WriteFile(folder_ / (name + ".key"), pair.key);
    WriteFile(folder_ / (name + ".pem"), pair.certificate);
  }

  const TemporaryFolder folder_;
};

class SecurityTest : public ::testing::Test {
 protected:
  // etcd over mutual TLS, and a user who may do what a service and its clients need.
  void StartSecured() {
    files_.Issue(authority_);
    etcd_ = std::make_unique<EtcdServer>(files_.Etcd());
    std::vector<std::string> flags = files_.Flags();
    flags.push_back("--endpoints=" + etcd_->endpoint());
    EtcdCtl ctl(std::move(flags));
    ctl.AddUser("app", kPassword,
                {"readwrite --prefix /it/security/", "read --prefix /turnout/state/it.security/",
                 "read --prefix /turnout/rules/it.security"});
    ctl.EnableAuthentication("r00t-of-all");
  }

  RegistryOptions Registry(const std::string& password = kPassword) const {
    return {.endpoints = {etcd_->endpoint()},
            .tls = files_.Us(),
            .username = "app",
            .password = password};
  }

  BackendOptions Options(const std::string& version, const RegistryOptions& registry) const {
    BackendOptions options;
    options.registration.service = kService;
    options.registration.version = version;
    options.registration.registry = registry;
    options.registration.drain_delay = std::chrono::milliseconds(100);
    return options;
  }

  static std::shared_ptr<grpc::Channel> Channel(const std::string& cluster,
                                                const RegistryOptions& registry) {
    EXPECT_EQ(RegisterCluster(cluster, registry), absl::OkStatus());
    return ChannelTo(cluster, kService, {.resolve_timeout = std::chrono::seconds(2)});
  }

  static constexpr char kService[] = "it.security";

  const Authority authority_{"turnout test"};
  const Files files_{};
  std::unique_ptr<EtcdServer> etcd_;
};

// Everything is new in the middle of it: the authority, etcd's certificate, ours. Nobody is started
// anew but etcd, and no call fails.
TEST_F(SecurityTest, CallsAndRegistrationsGoOnWhileCertificatesChange) {
  StartSecured();
  const Backend first(Options("v1", Registry()));
  const auto channel = Channel("security-changing", Registry());
  ASSERT_TRUE(CallUntilAnswered(channel, {.version = "v1"}, first.answer()));
  Load load(channel, {.version = "v1"});
  load.WaitForCalls(100);

  const Authority next("the next one");
  etcd_->Stop();
  files_.IssueForEtcd(next);
  etcd_->Start();
  load.WaitForCalls(100);
  files_.IssueForUs(next);

  // A registration that begins now, and is heard of by the channel that was there before.
  const Backend second(Options("v2", Registry()));
  EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v2"}, second.answer()));
  load.WaitForCalls(100);
  const Tally tally = load.Stop();
  EXPECT_TRUE(tally.all_ok()) << tally;
}

// The output of a program of ours, on both channels, and its command line as others can see it.
struct Seen {
  std::string output;
  std::string command_line;
};

Seen RunProgram(const std::string& command, const std::map<std::string, std::string>& environment) {
  for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
  Process process({"/bin/sh", "-c", "exec " + command + " 2>&1"});
  for (const auto& [name, value] : environment) unsetenv(name.c_str());
  Seen seen;
  const auto first = process.ReadLine();
  std::ifstream file("/proc/" + std::to_string(process.pid()) + "/cmdline", std::ios::binary);
  seen.command_line = {std::istreambuf_iterator<char>(file), {}};
  seen.output = first.value_or("") + "\n" + process.ReadAll();
  return seen;
}

TEST_F(SecurityTest, APasswordIsNeverShown) {
  StartSecured();
  const std::string wrong = std::string(kPassword) + "?";
  Reports reports;
  const std::string clear = "does not take the password of user \"app\"";

  Backend server({.registration = {.version = "v1"}});
  const auto registrar =
      Registrar::Start(Options("v1", Registry(wrong)).registration, server.server(), server.port());
  ASSERT_TRUE(registrar.ok()) << registrar.status();
  const auto channel = Channel("security-wrong", Registry(wrong));
  const std::string call = Call(channel, {.version = "v1"}).ToString();
  EXPECT_THAT(call, HasSubstr(clear));
  EXPECT_TRUE(reports.WaitForLog(clear));
  EXPECT_THAT(call, Not(HasSubstr(kPassword)));
  EXPECT_THAT(reports.AllLogs(), Not(HasSubstr(kPassword)));

  const std::map<std::string, std::string> environment = {
      {"TURNOUT_ETCD", etcd_->endpoint()},
      {"TURNOUT_ETCD_CA_FILE", files_.Us().ca_file},
      {"TURNOUT_ETCD_CERT_FILE", files_.Us().cert_file},
      {"TURNOUT_ETCD_KEY_FILE", files_.Us().key_file},
      {"TURNOUT_ETCD_USER", "app"},
      {"TURNOUT_ETCD_PASSWORD", wrong},
  };
  const std::string watching = Program("turnout") + " watch " + kService + " --for 1";
  for (const std::string& command : {watching + " -vv", watching + " -vv --json",
                                     Program("turnout") + " ls -vv --json --timeout 1"}) {
    const Seen seen = RunProgram(command, environment);
    EXPECT_THAT(seen.output, Not(HasSubstr(kPassword))) << command;
    EXPECT_THAT(seen.command_line, Not(HasSubstr(kPassword))) << command;
    EXPECT_THAT(seen.output, HasSubstr(clear)) << command;
  }
}

// The environment alone is enough, for programs of ours and for targets without a cluster's name.
TEST_F(SecurityTest, TheEnvironmentIsEnough) {
  StartSecured();
  const Backend backend(Options("v1", Registry()));
  const std::string password_file = files_.folder() / "password";
  WriteFile(password_file, std::string(kPassword) + "\n");
  const Seen seen = RunProgram(Program("turnout") + " watch " + kService + " --json --for 1",
                               {{"TURNOUT_ETCD", etcd_->endpoint()},
                                {"TURNOUT_ETCD_CA_FILE", files_.Us().ca_file},
                                {"TURNOUT_ETCD_CERT_FILE", files_.Us().cert_file},
                                {"TURNOUT_ETCD_KEY_FILE", files_.Us().key_file},
                                {"TURNOUT_ETCD_USER", "app"},
                                {"TURNOUT_ETCD_PASSWORD_FILE", password_file}});
  EXPECT_THAT(seen.output, HasSubstr(backend.address()));
}

// Records can say what they like: a channel's credentials, and the name that a server's certificate
// has to be for, are the caller's.
TEST_F(SecurityTest, ARecordCannotWeakenTheTlsOfCalls) {
  const EtcdServer etcd;
  EtcdAdmin admin(etcd.endpoint());
  const Backend plain({.registration = {.version = "v1"}, .prepared = false});
  BackendOptions other{.registration = {.version = "v1"}, .prepared = false};
  const Authority authority("turnout test");
  const KeyAndCertificate pair = authority.Issue({.names = {"DNS:other.test", "IP:127.0.0.1"}});
  grpc::SslServerCredentialsOptions server_tls;
  server_tls.pem_key_cert_pairs.push_back({pair.key, pair.certificate});
  other.credentials = grpc::SslServerCredentials(server_tls);
  const Backend another(other);
  const auto channel =
      turnout::CreateChannel("etcd://" + etcd.endpoint() + "/" + kService,
                             grpc::SslCredentials({.pem_root_certs = authority.certificate(),
                                                   .pem_private_key = "",
                                                   .pem_cert_chain = ""}));
  ASSERT_TRUE(channel.ok()) << channel.status();

  const std::string metadata =
      R"({"turnout.tls":"off","turnout.insecure":"true","turnout.authority":"other.test",)"
      R"("turnout.server_name":"other.test","grpc.ssl_target_name_override":"other.test",)"
      R"("grpc.default_authority":"other.test","authority":"other.test"})";
  int id = 0;
  for (const std::string& address :
       {plain.address(), another.address(), "http://" + plain.address(),
        plain.address() + "?authority=other.test", "dns:///" + another.address()}) {
    GoRecord record{kService, "app-" + std::to_string(++id), "v1", address};
    record.metadata = metadata;
    admin.Put(record.key(), record.value());
  }
  const Answer answer = Call(*channel, {.version = "v1"});
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::UNAVAILABLE) << answer.ToString();
  EXPECT_EQ(CallMany(*channel, 20, {.version = "v1"}).ok, 0);
  EXPECT_EQ(plain.calls() + another.calls(), 0);

  // A server that has the certificate is called, in the middle of all these.
  BackendOptions good{.registration = {.version = "v1"}, .prepared = false};
  const KeyAndCertificate right = authority.Issue({.names = {std::string("DNS:") + kService}});
  server_tls.pem_key_cert_pairs = {{right.key, right.certificate}};
  good.credentials = grpc::SslServerCredentials(server_tls);
  const Backend genuine(good);
  const GoRecord record{kService, "genuine", "v1", genuine.address()};
  admin.Put(record.key(), record.value());
  EXPECT_TRUE(CallUntilAnswered(*channel, {.version = "v1"}, genuine.answer()));
  EXPECT_EQ(plain.calls() + another.calls(), 0);
}

}  // namespace
}  // namespace turnout::testing
