// Members that are dead, frozen, or no etcd at all.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "src/etcd/test_client.h"
#include "tests/support/etcd_server.h"

namespace turnout::etcd {
namespace {

using ::testing::ElementsAre;
using testing::EtcdServer;
using ::testing::HasSubstr;
using testing::ReservedPort;
using ::testing::StartsWith;

// Accepts connections, says the same to each, and keeps them open.
class TcpServer {
 public:
  explicit TcpServer(std::string greeting) : greeting_(std::move(greeting)) {
    socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(socket_, generic, size), 0);
    EXPECT_EQ(listen(socket_, 16), 0);
    EXPECT_EQ(getsockname(socket_, generic, &size), 0);
    endpoint_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { Accept(); });
  }
  ~TcpServer() {
    shutdown(socket_, SHUT_RDWR);  // ends accept
    thread_.join();
    close(socket_);
    for (const int connection : connections_) close(connection);
  }
  TcpServer(const TcpServer&) = delete;
  TcpServer& operator=(const TcpServer&) = delete;

  const std::string& endpoint() const { return endpoint_; }

 private:
  void Accept() {
    for (int connection; (connection = accept(socket_, nullptr, nullptr)) >= 0;) {
      connections_.push_back(connection);
      if (!greeting_.empty()) send(connection, greeting_.data(), greeting_.size(), MSG_NOSIGNAL);
    }
  }

  const std::string greeting_;
  int socket_;
  std::string endpoint_;
  std::vector<int> connections_;
  std::thread thread_;
};

const EtcdServer& Etcd() {
  static EtcdServer server;
  return server;
}

// The first request fails and says why; the second goes to etcd.
void ExpectToMoveOnFrom(const std::string& bad_endpoint, const std::string& message) {
  BlockingClient etcd(NewClient({bad_endpoint, Etcd().endpoint()}));
  const auto first = etcd.Get("/a");
  ASSERT_FALSE(first.ok());
  EXPECT_THAT(std::string(first.status().message()),
              StartsWith("etcd Range on " + bad_endpoint + ": "));
  EXPECT_THAT(std::string(first.status().message()), HasSubstr(message));
  const auto second = etcd.Get("/a");
  EXPECT_TRUE(second.ok()) << second.status();
}

TEST(Failover, LeavesADeadMember) {
  const ReservedPort dead;
  ExpectToMoveOnFrom(dead.address(), "Connection refused");
}

TEST(Failover, LeavesAServerOfOldHttp) {
  const TcpServer http("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  ExpectToMoveOnFrom(http.endpoint(), "");
}

TEST(Failover, LeavesAServerThatSaysNothing) {
  const TcpServer silent("");
  ExpectToMoveOnFrom(silent.endpoint(), "");
}

TEST(Failover, LeavesAServerThatIsNotEtcd) {
  grpc::CallbackGenericService generic;  // answers UNIMPLEMENTED to everything
  grpc::ServerBuilder builder;
  builder.RegisterCallbackGenericService(&generic);
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  ExpectToMoveOnFrom("127.0.0.1:" + std::to_string(port), "is it an etcd v3 server?");
}

TEST(Failover, LeasesAndWatchesMoveOnToo) {
  const ReservedPort dead;
  Client& client = NewClient({dead.address(), Etcd().endpoint()});
  LeaseJournal lease;
  auto hold = Hold(client, 60, lease);
  EXPECT_TRUE(lease.id.Wait().has_value());
  WatchJournal watch;
  Client& watching = NewClient({dead.address(), Etcd().endpoint()});
  const auto handle = Watch(watching, "/a/", 1, watch);
  EXPECT_THAT(watch.Wait(2), ElementsAre("interrupted", "resumed"));
}

// Its connections stay open: only its silence shows.
TEST(Failover, NoticesAFrozenMemberWithinTenSeconds) {
  const EtcdServer server;
  Client& client = NewClient({server.endpoint()});
  WatchJournal watch;
  const auto handle = Watch(client, "/a/", 1, watch);
  ASSERT_THAT(watch.Wait(1), ElementsAre("resumed"));
  server.Pause();
  EXPECT_THAT(watch.Wait(2, std::chrono::seconds(10)), ElementsAre("resumed", "interrupted"));
  server.Continue();
  EXPECT_THAT(watch.Wait(3), ElementsAre("resumed", "interrupted", "resumed"));
}

TEST(Client, IsSharedByThoseWhoReachEtcdTheSameWay) {
  Client& client = Client::For({.endpoints = {"a:1", "b:2"}});
  EXPECT_EQ(&client, &Client::For({.endpoints = {"a:1", "b:2"}, .prefix = "/team"}));
  EXPECT_NE(&client, &Client::For({.endpoints = {"a:1"}}));

  // Who we are, and how we make sure of etcd, is part of the way.
  const RegistryOptions app{.endpoints = {"a:1", "b:2"}, .username = "app", .password = "x"};
  Client& apps = Client::For(app);
  RegistryOptions other = app;
  other.cache_dir = "/var/cache";
  other.max_instances = 7;
  EXPECT_EQ(&apps, &Client::For(other));
  other.password = "y";
  EXPECT_NE(&apps, &Client::For(other));
  other = app;
  other.tls = TlsOptions{.server_name = "etcd.test"};
  EXPECT_NE(&apps, &Client::For(other));
  EXPECT_NE(&apps, &client);
  EXPECT_EQ(client.endpoints(), "a:1, b:2");
}

TEST(Client, ReachesEtcdByIpv6AndByName) {
  const EtcdServer v6({.ipv6 = true});
  EXPECT_THAT(v6.endpoint(), StartsWith("[::1]:"));
  const auto direct = BlockingClient(NewClient({v6.endpoint()})).Get("/a");
  EXPECT_TRUE(direct.ok()) << direct.status();
  std::string named = Etcd().endpoint();
  named.replace(0, named.find(':'), "localhost");
  const auto by_name = BlockingClient(NewClient({named})).Get("/a");
  EXPECT_TRUE(by_name.ok()) << by_name.status();
}

}  // namespace
}  // namespace turnout::etcd
