#include "src/registry/complete_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "src/model/text.h"

namespace turnout::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Nothing of ours is in the environment, except what the test puts there.
class CompleteTest : public testing::Test {
 protected:
  CompleteTest() {
    Forget();
    folder_ = mkdtemp(folder_.data());
    for (const char* name : {"ca", "cert", "key", "password"}) {
      std::ofstream(Path(name)) << name;
    }
  }
  ~CompleteTest() override {
    Forget();
    std::filesystem::remove_all(folder_);
  }

  static void Forget() {
    for (const char* name :
         {"TURNOUT_ETCD", "TURNOUT_ETCD_TLS", "TURNOUT_ETCD_CA_FILE", "TURNOUT_ETCD_CERT_FILE",
          "TURNOUT_ETCD_KEY_FILE", "TURNOUT_ETCD_SERVER_NAME", "TURNOUT_ETCD_USER",
          "TURNOUT_ETCD_PASSWORD", "TURNOUT_ETCD_PASSWORD_FILE", "TURNOUT_CACHE_DIR"}) {
      unsetenv(name);
    }
  }
  static void Set(const std::map<std::string, std::string>& variables) {
    for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
  }
  static std::string Error(const RegistryOptions& options = {}) {
    const auto complete = Complete(options);
    EXPECT_EQ(complete.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(model::Message(complete.status()));
  }
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  std::string folder_ = testing::TempDir() + "complete-XXXXXX";
};

TEST_F(CompleteTest, EndpointsComeFromTheEnvironmentThenTheDefault) {
  EXPECT_THAT(Complete({})->endpoints, ElementsAre("127.0.0.1:2379"));
  Set({{"TURNOUT_ETCD", " a:1, b:2,a:1"}});
  EXPECT_THAT(Complete({})->endpoints, ElementsAre("a:1", "b:2"));
  EXPECT_THAT(Complete({.endpoints = {"c:3", "[0::1]:4", "[::1]:4"}})->endpoints,
              ElementsAre("c:3", "[::1]:4"));
  Set({{"TURNOUT_ETCD", "a"}});
  EXPECT_EQ(Error(), "TURNOUT_ETCD: must be host:port or [v6]:port, port 1 to 65535, got \"a\"");
  Set({{"TURNOUT_ETCD", ""}});
  EXPECT_THAT(Complete({})->endpoints, ElementsAre("127.0.0.1:2379"));
}

TEST_F(CompleteTest, EndpointsAreChecked) {
  EXPECT_THAT(Error({.endpoints = {"a:1", "b"}}), HasSubstr("endpoints: must be host:port"));
  EXPECT_THAT(Error({.endpoints = {"a:1,b:2"}}), HasSubstr("endpoints: must be one endpoint each"));
  EXPECT_THAT(Error({.endpoints = {""}}), HasSubstr("endpoints: "));
  EXPECT_THAT(Error({.prefix = "team"}), HasSubstr("prefix: must be"));
  EXPECT_TRUE(Complete({.prefix = "/team-a"}).ok());
}

TEST_F(CompleteTest, NumbersHaveBounds) {
  EXPECT_EQ(Error({.request_timeout = milliseconds(99)}),
            "request_timeout: must be 100 ms to 60000 ms, got 99 ms");
  EXPECT_FALSE(Complete({.request_timeout = milliseconds(60'001)}).ok());
  EXPECT_EQ(Error({.lapsed_limit = seconds(-1)}), "lapsed_limit: must be 0 s to 86400 s, got -1 s");
  EXPECT_FALSE(Complete({.lapsed_limit = seconds(86'401)}).ok());
  EXPECT_EQ(Error({.max_instances = 0}), "max_instances: must be 1 to 1000000, got 0");
  EXPECT_FALSE(Complete({.max_instances = 1'000'001}).ok());
  EXPECT_EQ(Error({.max_record_bytes = 1023}),
            "max_record_bytes: must be 1024 to 1048576, got 1023");
  EXPECT_FALSE(Complete({.max_record_bytes = (1 << 20) + 1}).ok());
  EXPECT_FALSE(Complete({.max_record_bytes = SIZE_MAX}).ok());
  EXPECT_TRUE(Complete({.request_timeout = seconds(60),
                        .lapsed_limit = seconds(0),
                        .max_instances = 1'000'000,
                        .max_record_bytes = 1 << 20})
                  .ok());
}

TEST_F(CompleteTest, TlsComesFromTheEnvironmentOfTheCluster) {
  EXPECT_FALSE(Complete({})->tls.has_value());
  Set({{"TURNOUT_ETCD_TLS", "0"}});
  EXPECT_FALSE(Complete({})->tls.has_value());
  Set({{"TURNOUT_ETCD_TLS", "1"}});
  EXPECT_EQ(Complete({})->tls, TlsOptions{});
  Set({{"TURNOUT_ETCD_TLS", "yes"}});
  EXPECT_EQ(Error(), "TURNOUT_ETCD_TLS: must be 1 (TLS) or 0, got \"yes\"");
  Set({{"TURNOUT_ETCD_TLS", ""}, {"TURNOUT_ETCD_SERVER_NAME", "etcd.test"}});
  EXPECT_EQ(Complete({})->tls, TlsOptions{.server_name = "etcd.test"});

  Set({{"TURNOUT_ETCD_CA_FILE", Path("ca")},
       {"TURNOUT_ETCD_CERT_FILE", Path("cert")},
       {"TURNOUT_ETCD_KEY_FILE", Path("key")}});
  const TlsOptions all{.ca_file = Path("ca"),
                       .cert_file = Path("cert"),
                       .key_file = Path("key"),
                       .server_name = "etcd.test"};
  EXPECT_EQ(Complete({})->tls, all);
  // What was set stands; what belongs to one cluster is not shown to another.
  EXPECT_EQ(Complete({.tls = TlsOptions{.ca_file = Path("ca")}})->tls,
            TlsOptions{.ca_file = Path("ca")});
  EXPECT_FALSE(Complete({.endpoints = {"a:1"}})->tls.has_value());
  EXPECT_EQ(Complete(*Complete({})), Complete({}));
}

TEST_F(CompleteTest, TlsIsChecked) {
  const auto error = [](const TlsOptions& tls) { return Error({.tls = tls}); };
  EXPECT_EQ(error({.cert_file = Path("cert")}),
            "tls: cert_file is of no use without key_file: set both (TURNOUT_ETCD_CERT_FILE, "
            "TURNOUT_ETCD_KEY_FILE) or neither");
  EXPECT_THAT(error({.key_file = Path("key")}), HasSubstr("key_file is of no use without cert"));
  EXPECT_EQ(
      error({.ca_file = Path("none")}),
      "tls.ca_file: " + Path("none") +
          " cannot be read (No such file or directory): name a PEM file that this process may "
          "read (TURNOUT_ETCD_CA_FILE)");
  EXPECT_THAT(error({.cert_file = folder_, .key_file = Path("key")}),
              AllOf(HasSubstr("tls.cert_file: "), HasSubstr("it is no file")));
  EXPECT_THAT(error({.cert_file = Path("cert"), .key_file = Path("none")}),
              HasSubstr("tls.key_file: "));
  EXPECT_THAT(error({.server_name = "a b"}), HasSubstr("tls.server_name: must be a host name"));
}

TEST_F(CompleteTest, TheUserComesFromTheEnvironmentOfTheCluster) {
  Set({{"TURNOUT_ETCD_USER", "app"}, {"TURNOUT_ETCD_PASSWORD", "sesame"}});
  EXPECT_EQ(Complete({})->username, "app");
  EXPECT_EQ(Complete({})->password, "sesame");
  EXPECT_EQ(Complete({.username = "other"})->username, "other");
  EXPECT_EQ(Complete({.username = "other"})->password, "sesame");
  EXPECT_EQ(Complete({.endpoints = {"a:1"}})->username, "");
  EXPECT_EQ(Complete({.endpoints = {"a:1"}})->password, "");
  EXPECT_EQ(Complete({.password_file = Path("password")})->password, "");
  Set({{"TURNOUT_ETCD_PASSWORD", ""}, {"TURNOUT_ETCD_PASSWORD_FILE", Path("password")}});
  EXPECT_EQ(Complete({})->password_file, Path("password"));
}

TEST_F(CompleteTest, TheUserIsCheckedAndNoPasswordShown) {
  EXPECT_EQ(Error({.username = "app"}),
            "password: is missing for user \"app\": set password_file (TURNOUT_ETCD_PASSWORD_FILE) "
            "or password (TURNOUT_ETCD_PASSWORD)");
  EXPECT_EQ(Error({.password = "sesame"}),
            "username: is missing (TURNOUT_ETCD_USER), but there is a password");
  EXPECT_THAT(Error({.username = "app", .password = "sesame", .password_file = Path("password")}),
              AllOf(HasSubstr("not both"), Not(HasSubstr("sesame"))));
  EXPECT_THAT(Error({.username = "app", .password_file = Path("none")}),
              AllOf(HasSubstr("password_file: " + Path("none") + " cannot be read"),
                    HasSubstr("(TURNOUT_ETCD_PASSWORD_FILE)")));
}

TEST_F(CompleteTest, TheCachesFolderComesFromTheEnvironmentOfAnyCluster) {
  EXPECT_EQ(Complete({})->cache_dir, "");
  Set({{"TURNOUT_CACHE_DIR", "/var/cache/x"}});
  EXPECT_EQ(Complete({.endpoints = {"a:1"}})->cache_dir, "/var/cache/x");
  EXPECT_EQ(Complete({.cache_dir = "/y"})->cache_dir, "/y");
}

}  // namespace
}  // namespace turnout::registry
