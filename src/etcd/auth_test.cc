// etcd that asks who its clients are: log-ins, tokens that expire, and what is not permitted.
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/etcd/test_client.h"
#include "tests/support/authority.h"
#include "tests/support/etcd_server.h"
#include "tests/support/etcdctl.h"
#include "tests/support/reports.h"
#include "tests/support/scripted_etcd.h"
#include "tests/support/temporary_folder.h"

namespace turnout::etcd {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::EtcdCtl;
using testing::EtcdServer;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Reports;
using testing::ScriptedEtcd;
using ::testing::StartsWith;
using testing::TemporaryFolder;
using testing::WriteFile;

constexpr char kPassword[] = "s3samE!opens-it";
constexpr char kRootsPassword[] = "r00t-of-all";

// Checking a password costs etcd little here, and its tokens live as long as said.
testing::EtcdServerOptions Quick(const std::string& token_life = "300") {
  return {.tls = {}, .flags = {"--bcrypt-cost=4", "--auth-token-ttl=" + token_life}};
}

// A user `app` who may do everything under /a/, and read under /b/.
class AuthTest : public ::testing::Test {
 protected:
  void Start(const std::string& token_life = "300") {
    server_ = std::make_unique<EtcdServer>(Quick(token_life));
    ctl_ = std::make_unique<EtcdCtl>(std::vector{"--endpoints=" + server_->endpoint()});
    ctl_->AddUser("app", kPassword, {"readwrite --prefix /a/", "read --prefix /b/"});
    ctl_->EnableAuthentication(kRootsPassword);
  }

  RegistryOptions Options(const std::string& user, const std::string& password) const {
    return {.endpoints = {server_->endpoint()},
            .request_timeout = seconds(15),
            .username = user,
            .password = password};
  }
  ClientImpl& Connect(const std::string& user = "app",
                      const std::string& password = kPassword) const {
    return NewClientWith(Options(user, password));
  }

  static std::string FirstError(Client& client) {
    return std::string{BlockingClient(client).Get("/a/1").status().message()};
  }

  std::unique_ptr<EtcdServer> server_;
  std::unique_ptr<EtcdCtl> ctl_;
};

std::string NewToken(const std::string& endpoint) {
  static auto& cluster = *new Cluster({endpoint});
  static auto& caller = *new Caller(cluster, seconds(15));
  etcdpb::AuthenticateRequest request;
  request.set_name("app");
  request.set_password(kPassword);
  Slot<std::string> token;
  EventLoop::Get().RunAndWait([&] {
    caller.Call<etcdpb::AuthenticateResponse>(
        "/etcdserverpb.Auth/Authenticate", request,
        [&](const auto& answer) { token.Set(answer.ok() ? answer->token() : ""); });
  });
  return token.Wait().value_or("");
}

bool IsTaken(const std::string& endpoint, const std::string& token) {
  const auto channel = grpc::CreateChannel(endpoint, grpc::InsecureChannelCredentials());
  grpc::ClientContext context;
  context.AddMetadata("token", token);
  etcdpb::RangeRequest request;
  request.set_key("/a/1");
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
  return status.ok();
}

// Once something that is not permitted now is; at each try a request.
bool Soon(const std::function<bool()>& works) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!works()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return true;
}

TEST_F(AuthTest, RequestsWatchesAndLeasesAreTheUsers) {
  Start();
  Client& client = Connect();
  WatchJournal watch;
  const auto handle = Watch(client, "/a/", 1, watch);
  LeaseJournal lease;
  const auto hold = Hold(client, 60, lease);
  const auto id = lease.id.Wait();
  ASSERT_TRUE(id.has_value());
  const auto put = BlockingClient(client).Put("/a/1", "v", *id);
  ASSERT_TRUE(put.ok()) << put.status();
  EXPECT_THAT(watch.Wait(3), ElementsAre("resumed", "put /a/1 v", absl::StrCat("to ", *put)));
}

TEST_F(AuthTest, AWrongPasswordAndAnUnknownUserAreTheSameClearError) {
  Start();
  Reports reports;
  const std::string wrong = std::string(kPassword) + "?";
  const auto expected = [&](const std::string& user) {
    return StartsWith(absl::StrCat(
        "etcd at ", server_->endpoint(), " does not take the password of user \"", user,
        "\", or knows no such user: correct username and password (TURNOUT_ETCD_USER, "
        "TURNOUT_ETCD_PASSWORD)"));
  };
  Client& known = Connect("app", wrong);
  EXPECT_THAT(FirstError(known), expected("app"));
  EXPECT_THAT(FirstError(known), expected("app"));
  EXPECT_THAT(FirstError(Connect("nobody", wrong)), expected("nobody"));
  EXPECT_THAT(FirstError(known), Not(HasSubstr(kPassword)));
  EXPECT_THAT(reports.AllLogs(), Not(HasSubstr(kPassword)));
}

TEST_F(AuthTest, ThePasswordsFileIsReadAtEachLogIn) {
  Start();
  const TemporaryFolder folder;
  const std::string path = folder / "password";
  WriteFile(path, "wrong");
  RegistryOptions options = Options("app", "");
  options.password_file = path;
  Client& client = NewClientWith(options);
  EXPECT_THAT(FirstError(client), HasSubstr("password_file " + path +
                                            " (TURNOUT_ETCD_USER, TURNOUT_ETCD_PASSWORD_FILE)"));
  BlockingClient etcd(client);
  std::filesystem::remove(path);
  EXPECT_TRUE(Soon([&] {
    return FirstError(client) == "cannot log in to etcd as \"app\": password_file " + path +
                                     " cannot be read (No such file or directory)";
  }));
  WriteFile(path, "\n");
  EXPECT_TRUE(Soon([&] {
    return FirstError(client) ==
           "cannot log in to etcd as \"app\": password_file " + path + " holds no password";
  }));
  WriteFile(path, std::string(kPassword) + "\n");  // an editor's line break
  EXPECT_TRUE(Soon([&] { return etcd.Get("/a/1").ok(); }));
}

TEST_F(AuthTest, ANameIsAskedForWhereNoneIsGiven) {
  Start();
  EXPECT_THAT(FirstError(NewClient({server_->endpoint()})),
              StartsWith("etcd Range on " + server_->endpoint() +
                         ": it wants to know who asks: set username, and password or "
                         "password_file (TURNOUT_ETCD_USER"));
}

TEST_F(AuthTest, AMissingPermissionIsNamedAndItsGrantTakesEffect) {
  Start();
  Client& client = Connect();
  BlockingClient etcd(client);
  const std::string at = " on " + server_->endpoint();
  const std::string who =
      ": user \"app\" may not do that: one of the user's roles needs `etcdctl role "
      "grant-permission ROLE ";
  const auto message = [](const auto& result) { return std::string{result.status().message()}; };
  EXPECT_THAT(message(etcd.Get("/x/1")),
              StartsWith("etcd Range" + at + who + "read --prefix /x/`"));
  EXPECT_THAT(message(etcd.RangePrefix("/x/y/")),
              StartsWith("etcd Range" + at + who + "read --prefix /x/y/`"));
  EXPECT_THAT(message(etcd.Put("/b/1", "v")),
              StartsWith("etcd Put" + at + who + "readwrite --prefix /b/`"));
  Txn txn;
  txn.conditions = {{.key = "/c/1"}};
  txn.then = {{.type = Txn::Operation::Type::kPut, .key = "/b/1", .value = "v"}};
  EXPECT_THAT(message(etcd.Commit(txn)),
              StartsWith("etcd Txn" + at + who +
                         "read --prefix /c/` and `etcdctl role "
                         "grant-permission ROLE readwrite --prefix /b/`"));

  WatchJournal watch;
  const auto handle = Watch(client, "/x/", 1, watch);
  const auto lines = watch.Wait(1);
  ASSERT_THAT(lines, ElementsAre("interrupted"));
  EXPECT_THAT(watch.WaitForWhy(), StartsWith("etcd Range" + at + who + "read --prefix /x/`"));
  ctl_->Run("role grant-permission app readwrite --prefix /x/");
  EXPECT_THAT(watch.Wait(2), ElementsAre("interrupted", "resumed"));
  EXPECT_TRUE(etcd.Put("/x/1", "v").ok());
}

TEST_F(AuthTest, UsersWithoutAuthenticationAreServedAndItIsSaidOnce) {
  Reports reports;
  server_ = std::make_unique<EtcdServer>(Quick());
  Client& client = Connect();
  BlockingClient etcd(client);
  ASSERT_TRUE(etcd.Put("/a/1", "v").ok());
  WatchJournal watch;
  const auto handle = Watch(client, "/a/", 1, watch);
  EXPECT_TRUE(watch.WaitFor("put /a/1 v"));
  EXPECT_TRUE(reports.WaitForLog("asks nobody for a password (authentication is not enabled"));

  // It is enabled later: the client logs in, and its watch goes on.
  EtcdCtl ctl({"--endpoints=" + server_->endpoint()});
  ctl.AddUser("app", kPassword, {"readwrite --prefix /a/"});
  ctl.EnableAuthentication(kRootsPassword);
  const auto put = etcd.Put("/a/2", "v");
  EXPECT_TRUE(put.ok()) << put.status();
  EXPECT_TRUE(watch.WaitFor("put /a/2 v"));
  ctl.Run("auth disable");
  EXPECT_TRUE(etcd.Put("/a/3", "v").ok());
  EXPECT_TRUE(watch.WaitFor("put /a/3 v"));
  EXPECT_EQ(reports.CountLogs("authentication is not enabled"), 1);
  EXPECT_EQ(reports.CountLogs("in plain text, for all on the way to read"), 1);
}

// Tokens that are not used for a second are forgotten. Nobody notices.
TEST_F(AuthTest, AnExpiredTokenIsRenewedAndWatchesGoOn) {
  Start("1");
  Client& client = Connect();
  BlockingClient etcd(client);
  ASSERT_TRUE(etcd.Get("/a/1").ok());
  WatchJournal first, second;
  const auto handle = Watch(client, "/a/", 1, first);
  ASSERT_THAT(first.Wait(1), ElementsAre("resumed"));
  // One that is younger: when it has been forgotten, so have the client's.
  const std::string younger = NewToken(server_->endpoint());
  ASSERT_TRUE(IsTaken(server_->endpoint(), younger));
  ASSERT_TRUE(Soon([&] {
    std::this_thread::sleep_for(milliseconds(3500));  // longer each time: a use prolongs its life
    return !IsTaken(server_->endpoint(), younger);
  }));

  // A watch on the old stream, whose token is no longer taken.
  const auto another = Watch(client, "/a/2", 1, second);
  EXPECT_THAT(second.Wait(1), ElementsAre("resumed"));
  const auto put = etcd.Put("/a/2", "v");
  EXPECT_TRUE(put.ok()) << put.status();
  EXPECT_TRUE(first.WaitFor("put /a/2 v"));
  EXPECT_TRUE(second.WaitFor("put /a/2 v"));
  EXPECT_THAT(first.lines(), Not(::testing::Contains("interrupted")));
  EXPECT_THAT(second.lines(), Not(::testing::Contains("interrupted")));
}

TEST_F(AuthTest, ARestartedEtcdKnowsNoTokensAndGetsNewOnes) {
  Start();
  Client& client = Connect();
  BlockingClient etcd(client);
  WatchJournal watch;
  const auto handle = Watch(client, "/a/", 1, watch);
  ASSERT_TRUE(etcd.Put("/a/1", "v").ok());
  server_->Restart();
  EXPECT_TRUE(Soon([&] { return etcd.Put("/a/2", "v").ok(); }));
  EXPECT_TRUE(watch.WaitFor("put /a/2 v"));
}

// However many wait: one log-in, and after a refusal none before the backoff is over.
TEST(LogIn, IsOneForAllAndDoesNotHammer) {
  ScriptedEtcd etcd;
  etcd.Fail("Authenticate", {grpc::StatusCode::INVALID_ARGUMENT,
                             "etcdserver: authentication failed, invalid user ID or password"});
  Client& client = NewClientWith({.endpoints = {etcd.endpoint()},
                                  .request_timeout = seconds(5),
                                  .username = "app",
                                  .password = kPassword});
  constexpr int kRequests = 100;
  Journal answers;
  EventLoop::Get().RunAndWait([&] {
    for (int i = 0; i < kRequests; ++i) {
      client.Get("/a", [&](const auto& result) { answers.Write(result.ok() ? "ok" : "failed"); });
    }
  });
  EXPECT_EQ(answers.Wait(kRequests), std::vector<std::string>(kRequests, "failed"));
  EXPECT_EQ(etcd.requests("Authenticate"), 1);

  BlockingClient blocking(client);
  const auto end = std::chrono::steady_clock::now() + seconds(4);
  while (std::chrono::steady_clock::now() < end) ASSERT_FALSE(blocking.Get("/a").ok());
  // Steps of 500, 1000, 2000, 4000 ms, or half of that.
  EXPECT_GE(etcd.requests("Authenticate"), 3);
  EXPECT_LE(etcd.requests("Authenticate"), 6);
  EXPECT_EQ(etcd.requests("Range"), 0);
}

TEST(LogIn, IsWaitedForAsLongAsARequestMayTake) {
  ScriptedEtcd etcd;
  etcd.SetSilent(true);
  Client& client = NewClientWith({.endpoints = {etcd.endpoint()},
                                  .request_timeout = milliseconds(300),
                                  .username = "app",
                                  .password = kPassword});
  const auto begin = std::chrono::steady_clock::now();
  const auto got = BlockingClient(client).Get("/a");
  EXPECT_FALSE(got.ok());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(10));
  EXPECT_THAT(std::string{got.status().message()}, HasSubstr("Authenticate"));
}

// What an impostor could do: say the password back, or give a token that is no header.
TEST(LogIn, RepeatsNothingThatTheServerSays) {
  ScriptedEtcd etcd;
  for (const auto code : {grpc::StatusCode::PERMISSION_DENIED, grpc::StatusCode::UNAVAILABLE}) {
    etcd.Fail("Authenticate", {code, std::string("is it ") + kPassword});
    Client& client = NewClientWith({.endpoints = {etcd.endpoint()},
                                    .request_timeout = seconds(5),
                                    .username = "app",
                                    .password = kPassword});
    const auto got = BlockingClient(client).Get("/a");
    EXPECT_FALSE(got.ok());
    EXPECT_THAT(std::string{got.status().message()}, Not(HasSubstr(kPassword)));
  }
}

}  // namespace
}  // namespace turnout::etcd
