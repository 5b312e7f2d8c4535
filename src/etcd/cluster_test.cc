#include "src/etcd/cluster.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace turnout::etcd {
namespace {

const absl::Status kWhy = absl::UnavailableError("it is a test");

// Scripted: the top of the 64 bits decides.
class Scripted final : public base::RandomSource {
 public:
  explicit Scripted(std::uint64_t bits) : bits_(bits) {}
  std::uint64_t Next() override { return bits_; }

 private:
  std::uint64_t bits_;
};

TEST(Cluster, GoesRoundTheMembersFromARandomOne) {
  Scripted middle(1ULL << 63);
  Cluster cluster({"a:1", "b:2", "c:3"}, middle);
  EXPECT_EQ(cluster.endpoints(), "a:1, b:2, c:3");
  for (const std::string expected : {"b:2", "c:3", "a:1", "b:2"}) {
    EXPECT_EQ(cluster.current().endpoint, expected);
    cluster.Failed(cluster.current(), kWhy);
  }
}

TEST(Cluster, AFailureThatIsKnownAlreadyDoesNotSkipAMember) {
  Scripted first(0);
  Cluster cluster({"a:1", "b:2", "c:3"}, first);
  const Member& a = cluster.current();
  cluster.Failed(a, kWhy);
  cluster.Failed(a, kWhy);
  EXPECT_EQ(cluster.current().endpoint, "b:2");
}

TEST(Cluster, KeepsAMembersChannel) {
  Scripted first(0);
  Cluster cluster({"a:1"}, first);
  const Member& member = cluster.current();
  const auto channel = member.channel;
  ASSERT_NE(channel, nullptr);
  cluster.Failed(member, kWhy);
  EXPECT_EQ(cluster.current().channel, channel);
}

}  // namespace
}  // namespace turnout::etcd
