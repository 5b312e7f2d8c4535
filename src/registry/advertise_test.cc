#include "src/registry/advertise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace turnout::registry {
namespace {

using ::testing::Not;
using ::testing::StartsWith;

class ScriptedNetwork final : public Network {
 public:
  std::optional<std::string> LocalAddressToward(const std::string& endpoint,
                                                IpFamily family) override {
    const auto found = routes.find({endpoint, family});
    return found == routes.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<std::string> GlobalAddress(IpFamily family) override {
    return family == IpFamily::kV4 ? global_v4 : global_any;
  }

  std::map<std::pair<std::string, IpFamily>, std::string> routes;
  std::optional<std::string> global_v4, global_any;
};

class AdvertiseTest : public ::testing::Test {
 protected:
  // The address, with "?" before it if it is doubtful, or the error.
  std::string Choose(const std::string& advertise, const std::string& listen,
                     bool allow_unix = false) {
    const auto chosen = ChooseAddress({.advertise = advertise,
                                       .listen = listen,
                                       .port = 8089,
                                       .endpoints = {"etcd-1:2379", "etcd-2:2379"},
                                       .allow_unix_addresses = allow_unix},
                                      network_);
    if (!chosen.ok()) return std::string{chosen.status().message()};
    return (chosen->doubtful ? "?" : "") + chosen->address;
  }

  ScriptedNetwork network_;
};

TEST_F(AdvertiseTest, WhatIsAdvertisedWins) {
  EXPECT_EQ(Choose("10.1.2.3:80", "0.0.0.0:8089"), "10.1.2.3:80");
  EXPECT_EQ(Choose("10.1.2.3", "127.0.0.1:8089"), "10.1.2.3:8089");
  EXPECT_EQ(Choose("app.example", ""), "app.example:8089");
  EXPECT_EQ(Choose("app.example:81", ""), "app.example:81");
  EXPECT_EQ(Choose("2001:db8::1", ""), "[2001:db8::1]:8089");
  EXPECT_EQ(Choose("[2001:db8::1]", ""), "[2001:db8::1]:8089");
  EXPECT_EQ(Choose("[2001:db8::1]:81", ""), "[2001:db8::1]:81");
}

TEST_F(AdvertiseTest, RefusesWhatNobodyCanConnectTo) {
  const std::string must =
      "advertise: must be host or host:port that clients can connect to, got \"";
  for (const std::string bad : {"0.0.0.0", "0.0.0.0:80", "::", "[::]:80", "host:0", "host:99999",
                                "ho st", ":80", "unix:/tmp/socket", "1.2.3.4.5"}) {
    EXPECT_EQ(Choose(bad, "127.0.0.1:0"), must + bad + "\"");
  }
}

TEST_F(AdvertiseTest, SocketPathsOnlyWhereAllowed) {
  EXPECT_EQ(Choose("unix:/run/app", "", /*allow_unix=*/true), "unix:/run/app");
}

TEST_F(AdvertiseTest, TakesTheHostThatItListensOn) {
  EXPECT_EQ(Choose("", "127.0.0.1:0"), "127.0.0.1:8089");
  EXPECT_EQ(Choose("", "[::1]:0"), "[::1]:8089");
  EXPECT_EQ(Choose("", "localhost:1"), "localhost:8089");
  EXPECT_EQ(Choose("", "nonsense"),
            "listen: must be host:port when advertise is empty, got \"nonsense\"");
}

TEST_F(AdvertiseTest, AsksTheRouteTowardEtcdWhenItListensEverywhere) {
  network_.routes[{"etcd-1:2379", IpFamily::kAny}] = "2001:db8::9";
  network_.routes[{"etcd-1:2379", IpFamily::kV4}] = "10.0.0.9";
  EXPECT_EQ(Choose("", "0.0.0.0:0"), "10.0.0.9:8089");
  EXPECT_EQ(Choose("", "[::]:0"), "[2001:db8::9]:8089");
  EXPECT_EQ(Choose("", ""), "[2001:db8::9]:8089");
}

TEST_F(AdvertiseTest, PassesOverRoutesThatTellNothing) {
  network_.routes[{"etcd-1:2379", IpFamily::kAny}] = "fe80::1%eth0";
  network_.routes[{"etcd-2:2379", IpFamily::kAny}] = "10.0.0.9";
  EXPECT_EQ(Choose("", ""), "10.0.0.9:8089");
  network_.routes[{"etcd-1:2379", IpFamily::kAny}] = "127.0.0.1";
  EXPECT_EQ(Choose("", ""), "10.0.0.9:8089");
}

TEST_F(AdvertiseTest, GuessesWhenEtcdIsOnThisMachine) {
  network_.routes[{"etcd-1:2379", IpFamily::kV4}] = "127.0.0.1";
  network_.global_v4 = "192.168.0.7";
  EXPECT_EQ(Choose("", "0.0.0.0:0"), "?192.168.0.7:8089");
  network_.routes[{"etcd-1:2379", IpFamily::kAny}] = "::1";
  network_.global_any = "2001:db8::7";
  EXPECT_EQ(Choose("", "[::]:0"), "?[2001:db8::7]:8089");
}

TEST_F(AdvertiseTest, EndsAtLoopback) { EXPECT_EQ(Choose("", "0.0.0.0:0"), "?127.0.0.1:8089"); }

TEST(SystemNetworkTest, TheRouteTowardLoopbackIsLoopback) {
  EXPECT_EQ(SystemNetwork().LocalAddressToward("127.0.0.1:2379", IpFamily::kAny), "127.0.0.1");
  EXPECT_EQ(SystemNetwork().LocalAddressToward("nonsense", IpFamily::kAny), std::nullopt);
}

TEST(SystemNetworkTest, GlobalAddressesAreNotLoopback) {
  const auto address = SystemNetwork().GlobalAddress(IpFamily::kV4);
  EXPECT_THAT(address.value_or("none"), Not(StartsWith("127.")));
}

}  // namespace
}  // namespace turnout::registry
