// etcd over TLS: with good files, with bad ones, and with files that change.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/etcd/test_client.h"
#include "tests/support/authority.h"
#include "tests/support/etcd_server.h"
#include "tests/support/relay.h"
#include "tests/support/temporary_folder.h"

namespace turnout::etcd {
namespace {

using std::chrono::hours;
using ::testing::AllOf;
using testing::Authority;
using testing::CertificateRequest;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::EtcdServer;
using testing::EtcdServerOptions;
using ::testing::HasSubstr;
using testing::Relay;
using ::testing::StartsWith;
using testing::TemporaryFolder;
using testing::WriteFile;

CertificateRequest Expired() { return {.valid_from = hours(-48), .valid_for = hours(24)}; }

bool WorksSoon(BlockingClient& etcd) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!etcd.Get("/a").ok()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

// What of etcd's and ours is not as it should be.
struct Flaws {
  CertificateRequest server;
  bool client_certificate_wanted = false;
};

class TlsTest : public ::testing::Test {
 protected:
  void Issue(const Authority& authority, const std::string& name,
             const CertificateRequest& request = {}) const {
    const testing::KeyAndCertificate pair = authority.Issue(request);
    WriteFile(folder_ / (name + ".key"), pair.key);
    WriteFile(folder_ / (name + ".pem"), pair.certificate);
  }

  // Files of etcd's and ours, all of one authority.
  void IssueAll(const Authority& authority, const CertificateRequest& server = {}) const {
    WriteFile(folder_ / "ca.pem", authority.certificate());
    Issue(authority, "server", server);
    Issue(authority, "client", {.common_name = "app", .names = {}});
  }

  std::unique_ptr<EtcdServer> StartEtcd(const Flaws& flaws = {}) const {
    IssueAll(authority_, flaws.server);
    // A good name and a good time, for us who ask whether it answers.
    EtcdServerOptions options{.tls = {.cert_file = folder_ / "server.pem",
                                      .key_file = folder_ / "server.key",
                                      .client_ca_file = "",
                                      .ca_file = folder_ / "ca.pem",
                                      .our_cert_file = folder_ / "client.pem",
                                      .our_key_file = folder_ / "client.key"}};
    if (flaws.client_certificate_wanted) options.tls.client_ca_file = folder_ / "ca.pem";
    return std::make_unique<EtcdServer>(options);
  }

  TlsOptions Tls(bool with_certificate = true) const {
    TlsOptions tls{.ca_file = folder_ / "ca.pem"};
    if (with_certificate) {
      tls.cert_file = folder_ / "client.pem";
      tls.key_file = folder_ / "client.key";
    }
    return tls;
  }

  static ClientImpl& Connect(const std::string& endpoint, const std::optional<TlsOptions>& tls) {
    return NewClientWith(
        {.endpoints = {endpoint}, .request_timeout = std::chrono::seconds(15), .tls = tls});
  }

  // Of the first request: there is one error for each thing that is wrong, and no other before it.
  static std::string FirstError(const std::string& endpoint, const std::optional<TlsOptions>& tls) {
    BlockingClient etcd(Connect(endpoint, tls));
    const std::string first{etcd.Get("/a").status().message()};
    EXPECT_THAT(first, StartsWith("etcd Range on " + endpoint + ": "));
    const std::string second{etcd.Get("/a").status().message()};
    EXPECT_EQ(second, first);
    return first.substr(first.find(": ") + 2);
  }

  const TemporaryFolder folder_;
  const Authority authority_{"turnout test"};
};

TEST_F(TlsTest, EverythingGoesOverIt) {
  const auto server = StartEtcd();
  Client& client = Connect(server->endpoint(), Tls(false));
  BlockingClient etcd(client);
  const auto put = etcd.Put("/a/1", "v");
  ASSERT_TRUE(put.ok()) << put.status();
  LeaseJournal lease;
  const auto hold = Hold(client, 60, lease);
  EXPECT_TRUE(lease.id.Wait().has_value());
  WatchJournal watch;
  const auto handle = Watch(client, "/a/", *put, watch);
  EXPECT_THAT(watch.Wait(3), ElementsAre("resumed", "put /a/1 v", absl::StrCat("to ", *put)));
}

TEST_F(TlsTest, AClientCertificateIsShown) {
  const auto server = StartEtcd({.client_certificate_wanted = true});
  BlockingClient etcd(Connect(server->endpoint(), Tls()));
  const auto put = etcd.Put("/a", "v");
  EXPECT_TRUE(put.ok()) << put.status();
}

TEST_F(TlsTest, TheServersNameCanBeAnother) {
  const auto server = StartEtcd({.server = {.names = {"DNS:etcd.test", "IP:127.0.0.1"}}});
  std::string localhost = server->endpoint();
  localhost.replace(0, localhost.find(':'), "localhost");
  TlsOptions tls = Tls();
  EXPECT_THAT(FirstError(localhost, tls),
              StartsWith("its certificate is for DNS:etcd.test, IP Address:127.0.0.1, not for "
                         "localhost: let server_name (TURNOUT_ETCD_SERVER_NAME) be a name that it "
                         "bears"));
  tls.server_name = "etcd.test";
  const auto got = BlockingClient(Connect(localhost, tls)).Get("/a");
  EXPECT_TRUE(got.ok()) << got.status();
}

TEST_F(TlsTest, AnUnknownAuthorityIsNamed) {
  const auto server = StartEtcd();
  const Authority other("another one");
  WriteFile(folder_ / "other.pem", other.certificate());
  TlsOptions tls = Tls();
  tls.ca_file = folder_ / "other.pem";
  EXPECT_THAT(FirstError(server->endpoint(), tls),
              AllOf(StartsWith("its certificate is not signed by the authorities in ca_file " +
                               tls.ca_file + " ("),
                    HasSubstr("it was issued by CN=turnout test): let ca_file")));
}

TEST_F(TlsTest, TheSystemsAuthoritiesAreTheDefault) {
  const auto server = StartEtcd();
  setenv("SSL_CERT_FILE", (folder_ / "ca.pem").c_str(), 1);
  const auto got = BlockingClient(Connect(server->endpoint(), TlsOptions{})).Get("/a");
  EXPECT_TRUE(got.ok()) << got.status();
  setenv("SSL_CERT_FILE", (folder_ / "none").c_str(), 1);
  EXPECT_THAT(FirstError(server->endpoint(), TlsOptions{}), StartsWith("tls.ca_file: "));
  unsetenv("SSL_CERT_FILE");
}

TEST_F(TlsTest, AnExpiredServerCertificateIsNamed) {
  const auto server = StartEtcd();
  Issue(authority_, "server", Expired());  // etcd reads it again for each connection
  EXPECT_THAT(FirstError(server->endpoint(), Tls()),
              AllOf(StartsWith("its certificate has expired ("), HasSubstr("give etcd a new one")));
}

TEST_F(TlsTest, AMissingClientCertificateIsAskedFor) {
  const auto server = StartEtcd({.client_certificate_wanted = true});
  EXPECT_THAT(FirstError(server->endpoint(), Tls(false)),
              AllOf(StartsWith("it wants a client certificate ("),
                    HasSubstr("set cert_file and key_file (TURNOUT_ETCD_CERT_FILE")));
}

TEST_F(TlsTest, ARefusedClientCertificateIsNamed) {
  const auto server = StartEtcd({.client_certificate_wanted = true});
  const Authority other("another one");
  Issue(other, "client");
  EXPECT_THAT(FirstError(server->endpoint(), Tls()),
              AllOf(StartsWith("it refuses our client certificate " + Tls().cert_file + " ("),
                    HasSubstr("etcd's --trusted-ca-file"),
                    HasSubstr("this one was issued by CN=another one")));
  Issue(authority_, "client", Expired());
  EXPECT_THAT(FirstError(server->endpoint(), Tls()),
              AllOf(StartsWith("it refuses our client certificate " + Tls().cert_file),
                    HasSubstr("which has expired (")));
}

TEST_F(TlsTest, PlainTextToATlsPortIsNamed) {
  const auto server = StartEtcd();
  EXPECT_THAT(FirstError(server->endpoint(), std::nullopt),
              StartsWith("it speaks TLS, and we plain text: set tls (TURNOUT_ETCD_TLS=1"));
}

TEST_F(TlsTest, TlsToAPlainTextPortIsNamed) {
  const EtcdServer server;
  IssueAll(authority_);
  EXPECT_THAT(FirstError(server.endpoint(), Tls()),
              StartsWith("it speaks plain text, and we TLS: unset tls"));
}

TEST_F(TlsTest, FilesThatCannotBeUsedAreNamedUntilTheyCan) {
  const auto server = StartEtcd({.client_certificate_wanted = true});
  const std::string good = authority_.certificate();
  WriteFile(folder_ / "ca.pem", "nonsense");
  EXPECT_EQ(FirstError(server->endpoint(), Tls()),
            "tls.ca_file: " + Tls().ca_file + " holds no certificate in PEM");
  WriteFile(folder_ / "ca.pem", good + good.substr(0, good.size() / 2));
  EXPECT_EQ(FirstError(server->endpoint(), Tls()),
            "tls.ca_file: " + Tls().ca_file + " holds a damaged certificate");
  WriteFile(folder_ / "ca.pem", good);
  WriteFile(folder_ / "client.key", authority_.Issue().key);
  EXPECT_EQ(FirstError(server->endpoint(), Tls()),
            absl::StrCat("tls.key_file: ", Tls().key_file, " is not the key of the certificate in ",
                         Tls().cert_file));
  WriteFile(folder_ / "client.key", "-----BEGIN PRIVATE KEY-----\nMII\n");
  EXPECT_THAT(FirstError(server->endpoint(), Tls()), HasSubstr(" holds no private key in PEM"));
  std::filesystem::remove(folder_ / "client.pem");
  BlockingClient etcd(Connect(server->endpoint(), Tls()));
  EXPECT_THAT(std::string(etcd.Get("/a").status().message()),
              HasSubstr(": tls.cert_file: " + Tls().cert_file +
                        " cannot be read (No such file or directory)"));

  Issue(authority_, "client");
  EXPECT_TRUE(WorksSoon(etcd));
}

// The client goes on by itself when the files are right again: it is not started anew.
TEST_F(TlsTest, NewFilesAreUsedWhileItRuns) {
  const auto server = StartEtcd({.client_certificate_wanted = true});
  Client& client = Connect(server->endpoint(), Tls());
  WatchJournal watch;
  const auto handle = Watch(client, "/a/", 1, watch);
  ASSERT_THAT(watch.Wait(1), ElementsAre("resumed"));
  BlockingClient etcd(client);
  ASSERT_TRUE(etcd.Put("/a/1", "v").ok());

  // A new authority for both sides. etcd takes the new files when it starts; ours come later, and
  // not all at once.
  const Authority next("the next one");
  const std::string old_ca = authority_.certificate();
  server->Stop();
  IssueAll(next);
  server->Start();
  WriteFile(folder_ / "ca.pem", old_ca);
  EXPECT_FALSE(etcd.Get("/a/1").ok());
  WriteFile(folder_ / "ca.pem", "-----BEGIN CERTIFICATE-----\nhalf of i");
  EXPECT_FALSE(etcd.Get("/a/1").ok());
  WriteFile(folder_ / "ca.pem", next.certificate());
  EXPECT_TRUE(WorksSoon(etcd));
  ASSERT_TRUE(etcd.Put("/a/2", "v").ok());
  EXPECT_TRUE(watch.WaitFor("put /a/2 v"));
  EXPECT_THAT(watch.lines(), Contains("put /a/1 v").Times(1));
}

// However many requests fail, there is one attempt, and one look at its cause, in a backoff step.
TEST_F(TlsTest, AttemptsInVainAreFew) {
  const auto server = StartEtcd();
  std::atomic<int> connections{0};
  const Relay relay(server->endpoint(), [&](std::uint16_t /*port*/) { return ++connections; });
  const Authority other("another one");
  WriteFile(folder_ / "ca.pem", other.certificate());
  BlockingClient etcd(Connect(relay.endpoint(), Tls()));
  int requests = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(4);
  while (std::chrono::steady_clock::now() < end) {
    ASSERT_FALSE(etcd.Get("/a").ok());
    ++requests;
  }
  EXPECT_GT(requests, 100);
  // Steps of 200, 400, 800, 1600, 3200 ms, or half of that.
  EXPECT_GE(connections, 4);
  EXPECT_LE(connections, 20);
}

}  // namespace
}  // namespace turnout::etcd
