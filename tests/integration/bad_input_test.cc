// Bad input is refused with the name of the field or the path, what was found and what is allowed.
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "tests/support/fixture.h"

namespace turnout::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kGoodTarget[] = "etcd://127.0.0.1:1/some.service";

struct BadChannel {
  const char* name;
  std::string target;  // empty: a good one
  std::string service_config;
  std::vector<std::string> message;  // its parts
};

void PrintTo(const BadChannel& bad, std::ostream* out) { *out << bad.name; }

class BadChannelTest : public IntegrationTest, public ::testing::WithParamInterface<BadChannel> {
 protected:
  // With the good target, of an etcd that answers: errors of the policy show when there is
  // something to balance.
  static std::string Target() {
    return GetParam().target.empty() ? "etcd://" + Etcd() + "/some.service" : GetParam().target;
  }
};

::testing::Matcher<std::string> HasParts(const std::vector<std::string>& parts) {
  std::vector<::testing::Matcher<std::string>> all;
  for (const std::string& part : parts) all.emplace_back(HasSubstr(part));
  return ::testing::AllOfArray(all);
}

TEST_P(BadChannelTest, OurCreateChannelReturnsTheError) {
  const auto channel = turnout::CreateChannel(Target(), grpc::InsecureChannelCredentials(),
                                              {.service_config_json = GetParam().service_config});
  EXPECT_EQ(channel.status().code(), absl::StatusCode::kInvalidArgument) << channel.status();
  EXPECT_THAT(std::string(channel.status().message()), HasParts(GetParam().message));
}

TEST_P(BadChannelTest, ThroughGrpcsOwnTheCallsFailWithIt) {
  grpc::ChannelArguments arguments;
  if (!GetParam().service_config.empty()) {
    arguments.SetServiceConfigJSON(GetParam().service_config);
  }
  const auto channel =
      grpc::CreateCustomChannel(Target(), grpc::InsecureChannelCredentials(), arguments);
  const Answer answer = Call(channel);
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::UNAVAILABLE) << answer.ToString();
  EXPECT_THAT(answer.status.error_message(), HasParts(GetParam().message));
}

std::string Turnout(const std::string& config) {
  return R"({"loadBalancingConfig":[{"turnout":)" + config + "}]}";
}

INSTANTIATE_TEST_SUITE_P(
    Target, BadChannelTest,
    ::testing::Values(
        BadChannel{"NoService", "etcd:///", "", {"target", "service"}},
        BadChannel{"SpaceInService", "etcd:///a%20b", "", {"target", "a b", "[A-Za-z0-9_-]"}},
        BadChannel{"EmptyComponent", "etcd:///a..b", "", {"target", "[A-Za-z0-9_-]"}},
        BadChannel{"ReservedComponent", "etcd:///turnout.b", "", {"target", "turnout"}},
        BadChannel{"TwoComponents", "etcd:///a/b", "", {"target", "a/b"}},
        BadChannel{"UnknownCluster", "etcd://nowhere/a.b", "", {"target", "authority", "nowhere"}},
        BadChannel{"BadPort", "etcd://127.0.0.1:99999/a.b", "", {"target", "authority", "99999"}},
        BadChannel{"Query", "etcd:///a.b?x=y", "", {"target", "query"}}),
    [](const auto& test) { return std::string(test.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Policy, BadChannelTest,
    ::testing::Values(
        BadChannel{"UnknownKey", "", Turnout(R"({"pickers":[]})"), {"turnout.pickers", "unknown"}},
        BadChannel{"UnknownKeyDeeper",
                   "",
                   Turnout(R"({"picker":[{"version":{"kee":"x"}}]})"),
                   {"turnout.picker[0].version.kee", "unknown"}},
        BadChannel{"UnknownKeyInAChild",
                   "",
                   Turnout(R"({"picker":[{"version":{"child":[{"random":{"seed":1}}]}}]})"),
                   {"turnout.picker[0].version.child[0].random.seed", "unknown"}},
        BadChannel{"NoKnownPicker",
                   "",
                   Turnout(R"({"picker":[{"nope":{}}]})"),
                   {"turnout.picker", "nope"}},
        BadChannel{"EmptyPickerList", "", Turnout(R"({"picker":[]})"), {"turnout.picker"}},
        BadChannel{
            "WrongType", "", Turnout(R"({"picker":{"version":{}}})"), {"turnout.picker", "list"}},
        BadChannel{"BadDuration",
                   "",
                   Turnout(R"({"connectTimeout":"soon"})"),
                   {"turnout.connectTimeout", "soon"}},
        BadChannel{"DurationOutOfRange",
                   "",
                   Turnout(R"({"connectTimeout":"0s"})"),
                   {"turnout.connectTimeout"}},
        BadChannel{"ParameterOutOfRange",
                   "",
                   Turnout(R"({"picker":[{"version":{"child":[{"maglev":{"tableSize":0}}]}}]})"),
                   {"turnout.picker[0].version.child[0].maglev.tableSize", "2 to 5000011", "0"}},
        BadChannel{"UnderTheNameVersion",
                   "",
                   R"({"loadBalancingConfig":[{"version":{"fallback":"maybe"}}]})",
                   {"version.fallback", "maybe", "any"}},
        BadChannel{"AsAChildOfGrpcs",
                   "",
                   R"({"loadBalancingConfig":[{"outlier_detection_experimental":{
                       "childPolicy":[{"turnout":{"pickers":[]}}]}}]})",
                   {"turnout.pickers", "unknown"}}),
    [](const auto& test) { return std::string(test.param.name); });

// What gRPC itself refuses: only our CreateChannel can return an error for it.
TEST(BadServiceConfigTest, IsRefused) {
  for (const char* const config :
       {"{", "[]", "7", R"({"loadBalancingConfig":{}})", R"({"loadBalancingConfig":[]})",
        R"({"loadBalancingConfig":[{"nobody_knows_this":{}}]})", R"({"methodConfig":7})"}) {
    const auto channel = turnout::CreateChannel(kGoodTarget, grpc::InsecureChannelCredentials(),
                                                {.service_config_json = config});
    EXPECT_EQ(channel.status().code(), absl::StatusCode::kInvalidArgument) << config;
    EXPECT_FALSE(channel.status().message().empty());
  }
}

TEST(BadChannelOptionsTest, AreRefused) {
  using std::chrono::milliseconds;
  const auto credentials = grpc::InsecureChannelCredentials();
  const auto message = [&](milliseconds timeout) {
    const auto channel =
        turnout::CreateChannel(kGoodTarget, credentials, {.resolve_timeout = timeout});
    return std::string{channel.status().message()};
  };
  EXPECT_THAT(message(milliseconds(0)), AllOf(HasSubstr("resolve_timeout"), HasSubstr("0 ms")));
  EXPECT_THAT(message(std::chrono::minutes(11)), HasSubstr("resolve_timeout"));
  EXPECT_EQ(message(milliseconds(1)), "");
  const auto no_credentials = turnout::CreateChannel(kGoodTarget, nullptr);
  EXPECT_THAT(std::string(no_credentials.status().message()), HasSubstr("credentials"));
  for (const char* const target :
       {"", "localhost:80", "dns:///x", "etcd:", "etcd:/a.b", "etcd:a"}) {
    const auto channel = turnout::CreateChannel(target, credentials);
    EXPECT_EQ(channel.status().code(), absl::StatusCode::kInvalidArgument) << target;
    EXPECT_THAT(std::string(channel.status().message()), HasSubstr("target")) << target;
  }
}

// Credentials must not stand in a target, and if they do, must not be shown.
TEST(BadTargetTest, APasswordIsNotRepeated) {
  const auto channel = turnout::CreateChannel("etcd://user:secret@127.0.0.1:2379/a.b",
                                              grpc::InsecureChannelCredentials());
  EXPECT_EQ(channel.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(channel.status().message().find("secret"), std::string::npos) << channel.status();
}

struct BadRegistration {
  const char* name;
  RegistrarOptions options;
  int port;
  std::vector<std::string> message;
};

void PrintTo(const BadRegistration& bad, std::ostream* out) { *out << bad.name; }

class BadRegistrationTest : public ::testing::TestWithParam<BadRegistration> {};

TEST_P(BadRegistrationTest, IsRefused) {
  Backend server({});
  const auto registrar = Registrar::Start(GetParam().options, server.server(), GetParam().port);
  EXPECT_EQ(registrar.status().code(), absl::StatusCode::kInvalidArgument) << registrar.status();
  EXPECT_THAT(std::string(registrar.status().message()), HasParts(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Options, BadRegistrationTest,
    ::testing::Values(
        BadRegistration{"NoService", {}, 80, {"service"}},
        BadRegistration{"BadService", {.service = "a b"}, 80, {"service", "a b", "[A-Za-z0-9_-]"}},
        BadRegistration{"ReservedService", {.service = "turnout.x"}, 80, {"service", "turnout"}},
        BadRegistration{"EmptyVersion", {.service = "a", .version = ""}, 80, {"version"}},
        BadRegistration{"LongVersion",
                        {.service = "a", .version = std::string(257, 'v')},
                        80,
                        {"version", "256"}},
        BadRegistration{
            "ControlCharacterInVersion", {.service = "a", .version = "v\n1"}, 80, {"version"}},
        BadRegistration{"UnknownMethods",
                        {.service = "a", .methods_of = {"proto.Nothing"}},
                        80,
                        {"methods_of", "proto.Nothing"}},
        BadRegistration{"BadAdvertise",
                        {.service = "a", .advertise = "host:port:80"},
                        80,
                        {"advertise", "host:port:80"}},
        BadRegistration{
            "BadListen", {.service = "a", .listen = "nonsense:"}, 80, {"listen", "nonsense:"}},
        BadRegistration{"BadId", {.service = "a", .id = "a/b"}, 80, {"id", "a/b"}},
        BadRegistration{"OurMetadata",
                        {.service = "a", .metadata = {{"turnout.weight", "2"}}},
                        80,
                        {"metadata", "turnout.weight"}},
        BadRegistration{"Weight", {.service = "a", .weight = 65536}, 80, {"weight", "65536"}},
        BadRegistration{"ShortLease",
                        {.service = "a", .lease_ttl = std::chrono::seconds(1)},
                        80,
                        {"lease_ttl", "2 to 3600 s", "1 s"}},
        BadRegistration{"LongDrain",
                        {.service = "a", .drain_delay = std::chrono::minutes(2)},
                        80,
                        {"drain_delay"}},
        BadRegistration{"Port", {.service = "a"}, 0, {"port", "0"}},
        BadRegistration{"BadEndpoint",
                        {.service = "a", .registry = {.endpoints = {"127.0.0.1"}}},
                        80,
                        {"endpoints", "127.0.0.1"}},
        BadRegistration{
            "BadPrefix", {.service = "a", .registry = {.prefix = "team"}}, 80, {"prefix", "team"}},
        BadRegistration{
            "RequestTimeout",
            {.service = "a", .registry = {.request_timeout = std::chrono::milliseconds(1)}},
            80,
            {"request_timeout", "100 ms", "1 ms"}}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(BadClusterTest, IsRefused) {
  EXPECT_EQ(RegisterCluster("", {}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(RegisterCluster("a:b", {}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(RegisterCluster("bad", {.endpoints = {"x"}}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(RegisterCluster("known", {.endpoints = {"127.0.0.1:1"}}).ok());
  EXPECT_TRUE(RegisterCluster("known", {.endpoints = {"127.0.0.1:1"}}).ok());
  EXPECT_EQ(RegisterCluster("known", {.endpoints = {"127.0.0.1:2"}}).code(),
            absl::StatusCode::kAlreadyExists);
}

TEST(BadWatchTest, IsRefused) {
  EXPECT_EQ(Watch("a b", {}, {}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Watch("a", {.prefix = "x"}, {}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(List({.prefix = "x"}, kPatience).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace turnout::testing
