#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/model/names.h"

namespace turnout::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(HostPort, Ip) {
  const auto v4 = ParseHostPort("10.1.2.3:8089");
  ASSERT_TRUE(v4.ok()) << v4.status();
  EXPECT_EQ(v4->host, "10.1.2.3");
  EXPECT_EQ(v4->port, 8089);
  EXPECT_TRUE(v4->is_ip);
  EXPECT_EQ(v4->ToString(), "10.1.2.3:8089");

  const auto v6 = ParseHostPort("[0:0::1]:65535");
  ASSERT_TRUE(v6.ok()) << v6.status();
  EXPECT_EQ(v6->host, "::1");
  EXPECT_TRUE(v6->is_ip);
  EXPECT_EQ(v6->ToString(), "[::1]:65535");
}

TEST(HostPort, HostName) {
  for (const char* text : {"localhost:1", "a-b.example.com:443", "pod_7.svc:80", "4u:80"}) {
    const auto parsed = ParseHostPort(text);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_FALSE(parsed->is_ip);
    EXPECT_EQ(parsed->ToString(), text);
  }
}

TEST(HostPort, Port0WhereAllowed) {
  EXPECT_FALSE(ParseHostPort("127.0.0.1:0").ok());
  const auto parsed = ParseHostPort("127.0.0.1:0", /*allow_port_0=*/true);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->port, 0);
}

TEST(HostPort, Refused) {
  for (const char* text : {"",
                           ":",
                           "10.0.0.1",
                           ":80",
                           "host:",
                           "host:x",
                           "host:-1",
                           "host:+1",
                           "host:65536",
                           "host:080",
                           "host:999999999999",
                           "host:1 ",
                           " host:1",
                           "::1:80",
                           "[::1]",
                           "[::1]80",
                           "[]:80",
                           "[10.0.0.1]:80",
                           "[::g]:80",
                           "[fe80::1%eth0]:80",
                           "10.0.0:80",
                           "300.1.1.1:80",
                           "1:80",
                           "a..b:80",
                           ".a:80",
                           "-a:80",
                           "a-:80",
                           "a b:80",
                           "http://a:80",
                           "user@host:80",
                           "hôst:80",
                           "a/b:80"}) {
    EXPECT_FALSE(ParseHostPort(text).ok()) << text;
  }
  EXPECT_FALSE(ParseHostPort(std::string_view("1.2.3.4\0:80", 11)).ok());
  EXPECT_FALSE(ParseHostPort(std::string(254, 'a') + ":80").ok());
  EXPECT_EQ(ParseHostPort("10.0.0.1").status().message(),
            "must be host:port or [v6]:port, port 1 to 65535, got \"10.0.0.1\"");
}

TEST(Endpoints, TrimmedAndWithoutDuplicates) {
  const auto endpoints = ParseEndpoints(" a:1 , [::1]:2379,a:1,[0::1]:2379,\tb:2\n");
  ASSERT_TRUE(endpoints.ok()) << endpoints.status();
  EXPECT_THAT(*endpoints, ElementsAre("a:1", "[::1]:2379", "b:2"));
}

TEST(Endpoints, NamesTheBadOne) {
  EXPECT_THAT(ParseEndpoints("a:1,b").status().message(), HasSubstr("got \"b\""));
  EXPECT_FALSE(ParseEndpoints("").ok());
  EXPECT_FALSE(ParseEndpoints("a:1,").ok());
}

}  // namespace
}  // namespace turnout::model
