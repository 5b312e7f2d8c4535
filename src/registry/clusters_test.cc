#include "src/registry/clusters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "src/model/text.h"

namespace turnout::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr char kEnvironment[] = "TURNOUT_ETCD";

class ClustersTest : public testing::Test {
 protected:
  ClustersTest() { unsetenv(kEnvironment); }
  ~ClustersTest() override { unsetenv(kEnvironment); }
};

std::string ErrorOf(std::string_view target) {
  const auto parsed = ParseTarget(target);
  EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << target;
  return std::string(model::Message(parsed.status()));
}

TEST_F(ClustersTest, TargetWithoutAuthority) {
  const auto target = ParseTarget("etcd:///hwholiday.srv.app");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->service, "hwholiday.srv.app");
  EXPECT_EQ(target->options, *Complete({}));
}

TEST_F(ClustersTest, TargetWithEndpoints) {
  EXPECT_THAT(ParseTarget("etcd://10.0.0.1:2379,b:1/app")->options.endpoints,
              ElementsAre("10.0.0.1:2379", "b:1"));
  EXPECT_THAT(ParseTarget("etcd://[::1]:2379/app")->options.endpoints, ElementsAre("[::1]:2379"));
  EXPECT_THAT(ParseTarget("etcd://%5B::1%5d:2379%2Cb:1/app")->options.endpoints,
              ElementsAre("[::1]:2379", "b:1"));
}

TEST_F(ClustersTest, TargetWithClusterName) {
  const RegistryOptions options{.endpoints = {"prod:2379"}, .prefix = "/eu"};
  ASSERT_TRUE(RegisterCluster("clusters_test-prod", options).ok());
  EXPECT_EQ(ParseTarget("etcd://clusters_test-prod/app")->options, options);
  EXPECT_EQ(ResolveTarget("clusters_test-prod", "app")->options, options);
  const std::string error = ErrorOf("etcd://clusters_test/app");
  EXPECT_THAT(error, HasSubstr("clusters_test-prod"));
  EXPECT_THAT(error, HasSubstr("got \"clusters_test\""));
}

TEST_F(ClustersTest, ANameStandsForOneCluster) {
  const RegistryOptions options{.endpoints = {"a:1"}};
  EXPECT_TRUE(RegisterCluster("clusters_test-twice", options).ok());
  EXPECT_TRUE(RegisterCluster("clusters_test-twice", options).ok());
  EXPECT_EQ(RegisterCluster("clusters_test-twice", {.endpoints = {"b:1"}}).code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(RegisterCluster("a:1", options).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(RegisterCluster("", options).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(RegisterCluster("clusters_test-bad", {.endpoints = {"b"}}).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ClustersTest, BadTargets) {
  for (const char* target : {"", "app", "dns:///app", "etcd:app", "etcd:/app", "etcd://app"}) {
    EXPECT_THAT(ErrorOf(target), HasSubstr("must be etcd://[authority]/service.name"));
  }
  EXPECT_EQ(ErrorOf("etcd:///a b"),
            "target: service: must be components of [A-Za-z0-9_-] joined by dots, got \"a b\"");
  EXPECT_THAT(ErrorOf("etcd:///"), HasSubstr("target: service"));
  EXPECT_THAT(ErrorOf("etcd:////app"), HasSubstr("target: service"));
  EXPECT_THAT(ErrorOf("etcd:///app/x"), HasSubstr("target: service"));
  EXPECT_THAT(ErrorOf("etcd:///turnout.state"), HasSubstr("reserved"));
  EXPECT_THAT(ErrorOf("etcd:///app?x=1"), HasSubstr("no query"));
  EXPECT_THAT(ErrorOf("etcd:///app#x"), HasSubstr("no fragment"));
  EXPECT_THAT(ErrorOf("etcd:///ap%7"), HasSubstr("two hexadecimal digits"));
  EXPECT_THAT(ErrorOf("etcd:///ap%zz"), HasSubstr("two hexadecimal digits"));
  EXPECT_THAT(ErrorOf("etcd://a:1,b/app"), HasSubstr("target: authority: must be host:port"));
  EXPECT_THAT(ErrorOf("etcd://a:1,/app"), HasSubstr("target: authority"));
}

TEST_F(ClustersTest, CredentialsAreNeverRepeated) {
  const std::string error = ErrorOf("etcd://root:secret@a:2379/app");
  EXPECT_THAT(error, HasSubstr("must not hold credentials"));
  EXPECT_THAT(error, Not(HasSubstr("secret")));
  EXPECT_THAT(ErrorOf("etcd://root:secret%40a:2379/app"), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace turnout::registry
