// Whose record is whose: neighbours, nested names, namespaces, and records of the Go system.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "proto/api.pb.h"
#include "tests/support/fixture.h"

namespace turnout::testing {
namespace {

using ::testing::ElementsAre;

class NamesTest : public IntegrationTest {
 protected:
  static std::vector<std::string> VersionsOf(const RegistryOptions& registry,
                                             const std::string& service, std::size_t count) {
    Follower follower(registry, service);
    const auto snapshot = follower.WaitForCount(count);
    std::vector<std::string> versions;
    if (snapshot == nullptr) return versions;
    EXPECT_THAT(snapshot->rejected, ::testing::IsEmpty()) << "they are nobody's bad records either";
    for (const Member& member : snapshot->members) versions.push_back(member.instance->version);
    return versions;
  }
  static std::vector<std::string> VersionsOf(const std::string& service, std::size_t count) {
    return VersionsOf({.endpoints = {Etcd()}}, service, count);
  }
};

TEST_F(NamesTest, AServiceDoesNotSeeANeighbourWhoseNameBeginsWithIts) {
  const auto app = StartBackend(Etcd(), Service() + ".app", "v1");
  const auto app2 = StartBackend(Etcd(), Service() + ".app2", "v2");
  EXPECT_THAT(VersionsOf(Service() + ".app", 1), ElementsAre("v1"));
  EXPECT_THAT(VersionsOf(Service() + ".app2", 1), ElementsAre("v2"));
  const Tally tally = CallMany(ChannelTo(Etcd(), Service() + ".app"), 30);
  EXPECT_THAT(tally.by_output, ElementsAre(::testing::Pair(app->answer(), 30))) << tally;
  EXPECT_EQ(app2->calls(), 0);
}

TEST_F(NamesTest, AServiceDoesNotSeeThoseNestedInIts) {
  const auto outer = StartBackend(Etcd(), Service(), "v1");
  const auto inner = StartBackend(Etcd(), Service() + ".app", "v2");
  EXPECT_THAT(VersionsOf(Service(), 1), ElementsAre("v1"));
  EXPECT_THAT(VersionsOf(Service() + ".app", 1), ElementsAre("v2"));
  const auto channel = Channel();
  EXPECT_EQ(CallMany(channel, 30).by_output[outer->answer()], 30);
  const auto third = StartBackend(Etcd(), Service() + ".app", "v1");
  EXPECT_THAT(VersionsOf(Service() + ".app", 2), ::testing::UnorderedElementsAre("v1", "v2"));
  EXPECT_EQ(CallMany(channel, 30).by_output[outer->answer()], 30);
}

TEST_F(NamesTest, PrefixesAreApart) {
  const RegistryOptions none{.endpoints = {Etcd()}};
  const RegistryOptions team_a{.endpoints = {Etcd()}, .prefix = "/names/team-a"};
  const RegistryOptions team_b{.endpoints = {Etcd()}, .prefix = "/names/team-b"};
  ASSERT_TRUE(RegisterCluster("team-a", team_a).ok());
  ASSERT_TRUE(RegisterCluster("team-b", team_b).ok());
  BackendOptions options = Options("plain");
  const Backend plain(options);
  options.registration.version = "a";
  options.registration.registry = team_a;
  const Backend a(options);
  options.registration.version = "b";
  options.registration.registry = team_b;
  const Backend b(options);

  EXPECT_THAT(VersionsOf(none, Service(), 1), ElementsAre("plain"));
  EXPECT_THAT(VersionsOf(team_a, Service(), 1), ElementsAre("a"));
  EXPECT_THAT(VersionsOf(team_b, Service(), 1), ElementsAre("b"));
  EXPECT_EQ(Admin().List("/names/team-a" + Key("")).size(), 1);
  EXPECT_EQ(CallMany(Channel(), 10).by_output[plain.answer()], 10);
  EXPECT_EQ(CallMany(ChannelTo("team-a", Service()), 10).by_output[a.answer()], 10);
  EXPECT_EQ(CallMany(ChannelTo("team-b", Service()), 10).by_output[b.answer()], 10);
}

// The very bytes of the Go system, but for the address.
TEST_F(NamesTest, ARecordOfTheGoSystemIsDiscoveredAndCalled) {
  BackendOptions unregistered;
  unregistered.prepared = false;
  unregistered.registration.version = "v1";
  const Backend backend(unregistered);
  Admin().Put(
      "/hwholiday/srv/app/app-b001e0ed-e67a-11f1-8166-5ab3373d41a7",
      R"({"node":{"name":"app","path":"/hwholiday/srv/app","id":"app-b001e0ed-e67a-11f1-8166-5ab3373d41a7",)"
      R"("version":"v1","address":")" +
          backend.address() +
          R"("},"metadata":null,"endpoints":{"ApiTest":{"online":true,"limiting_switch":false,)"
          R"("limiting":10,"fuse":false,"defaults":null}}})");
  const auto channel = ChannelTo(Etcd(), "hwholiday.srv.app");
  EXPECT_EQ(Call(channel, {.version = "v1"}).ToString(), backend.answer());
  EXPECT_EQ(Call(channel, {.version = "v2"}).status.error_code(), grpc::StatusCode::UNAVAILABLE);

  Follower follower(Etcd(), "hwholiday.srv.app");
  const auto snapshot = follower.WaitForCount(1);
  const Instance& instance = *snapshot->members[0].instance;
  EXPECT_EQ(instance.id, "app-b001e0ed-e67a-11f1-8166-5ab3373d41a7");
  EXPECT_EQ(instance.methods.at("ApiTest"), MethodSettings({.online = true, .limiting = 10}));
}

TEST_F(NamesTest, OurRecordIsOneThatTheGoSystemReads) {
  BackendOptions options = Options("v1");
  options.registration.methods_of = {
      std::string(proto::Request::descriptor()->file()->service(0)->full_name())};
  options.registration.metadata = {{"team", "a"}};
  Backend backend(options);
  const Registrar& registrar = backend.registrar();
  const std::string path = "/it/NamesTest/OurRecordIsOneThatTheGoSystemReads";
  EXPECT_EQ(registrar.key(), path + "/" + registrar.id());
  EXPECT_THAT(registrar.id(), ::testing::MatchesRegex(
                                  "OurRecordIsOneThatTheGoSystemReads-[0-9a-f]{8}-[0-9a-f-]{27}"));
  const auto entry = Admin().Get(registrar.key());
  ASSERT_TRUE(entry.has_value());
  EXPECT_NE(entry->lease, 0);

  const auto record = nlohmann::json::parse(entry->value);
  EXPECT_EQ(record["node"], nlohmann::json({{"name", "OurRecordIsOneThatTheGoSystemReads"},
                                            {"path", path},
                                            {"id", registrar.id()},
                                            {"version", "v1"},
                                            {"address", backend.address()}}));
  EXPECT_EQ(record["endpoints"], nlohmann::json::parse(R"({"ApiTest":{"online":true,
      "limiting_switch":false,"limiting":10,"fuse":false,"defaults":null}})"));
  EXPECT_EQ(record["metadata"]["team"], "a");
  for (const auto& [key, value] : record["metadata"].items()) EXPECT_TRUE(value.is_string()) << key;
}

TEST_F(NamesTest, TheDefaultVersionIsLatest) {
  BackendOptions options = Options("");
  options.registration =
      RegistrarOptions{.service = Service(), .registry = {.endpoints = {Etcd()}}};
  const Backend backend(options);
  EXPECT_EQ(Call(Channel(), {.version = "latest"}).ToString(), backend.answer());
}

TEST_F(NamesTest, ListTellsTheServicesOfANamespace) {
  const RegistryOptions registry{.endpoints = {Etcd()}, .prefix = "/names/list"};
  BackendOptions options = Options("v1");
  options.registration.registry = registry;
  options.registration.service = "b.app";
  const Backend first(options), second(options);
  options.registration.service = "a.app";
  const Backend third(options);
  const auto services = List(registry, kPatience);
  ASSERT_TRUE(services.ok()) << services.status();
  ASSERT_EQ(services->size(), 2);
  EXPECT_EQ((*services)[0].service, "a.app");
  EXPECT_EQ((*services)[0].members.size(), 1);
  EXPECT_EQ((*services)[1].service, "b.app");
  EXPECT_EQ((*services)[1].members.size(), 2);
}

}  // namespace
}  // namespace turnout::testing
