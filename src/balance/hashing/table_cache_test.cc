#include "src/balance/hashing/table_cache.h"

#include <gtest/gtest.h>

#include "src/balance/testing.h"

namespace turnout::balance {
namespace {

using testing::EndpointSpec;
using testing::GroupOf;
using testing::MakeEndpoint;
using testing::MakeEndpoints;

class OneSlot final : public SlotTable {
 public:
  OneSlot() : SlotTable({0}) {}
  std::size_t SlotOf(std::uint64_t) const override { return 0; }
};

class TableCacheTest : public ::testing::Test {
 protected:
  std::shared_ptr<const SlotTable> Get(const EndpointGroup& group) {
    auto table = cache_.Get(group, [this](std::span<const WeightedAddress> addresses) {
      ++built_;
      seen_.assign(addresses.begin(), addresses.end());
      return absl::StatusOr<std::unique_ptr<const SlotTable>>(std::make_unique<OneSlot>());
    });
    return *table;
  }
  std::shared_ptr<const SlotTable> Get(const std::vector<Endpoint>& endpoints) {
    return Get(GroupOf(endpoints));
  }

  TableCache cache_;
  int built_ = 0;
  std::vector<WeightedAddress> seen_;
};

TEST_F(TableCacheTest, TheSameSetSharesATable) {
  const auto first = Get(MakeEndpoints(3, {"v1"}));
  EXPECT_EQ(Get(MakeEndpoints(3, {"v1"})), first);  // other objects, the same addresses
  EXPECT_EQ(built_, 1);
}

TEST_F(TableCacheTest, OnlyThoseThatCanTakeCallsCount) {
  auto endpoints = MakeEndpoints(3, {"v1"});
  const auto first = Get(endpoints);
  endpoints.push_back(MakeEndpoint({.id = "app-4", .state = ConnectionState::kFailing}));
  EXPECT_EQ(Get(endpoints), first);
  endpoints[0].state = ConnectionState::kFailing;
  EXPECT_NE(Get(endpoints), first);
}

TEST_F(TableCacheTest, AnotherIdIsTheSameServer) {
  auto endpoints = MakeEndpoints(2, {"v1"});
  const auto first = Get(endpoints);
  auto restarted = std::make_shared<Instance>(endpoints[1].instance());
  restarted->id = "app-77";
  endpoints[1].member.instance = restarted;
  EXPECT_EQ(Get(endpoints), first);
}

TEST_F(TableCacheTest, AnotherWeightAddressOrderOrSizeIsAnotherTable) {
  const std::vector<std::vector<EndpointSpec>> sets = {
      {{.id = "app-1"}, {.id = "app-2"}},
      {{.id = "app-1"}, {.id = "app-2", .weight = 2}},
      {{.id = "app-1"}, {.id = "app-3", .weight = 2}},
      {{.id = "app-3", .weight = 2}, {.id = "app-1"}},
      {{.id = "app-3", .weight = 2}},
  };
  std::vector<std::shared_ptr<const SlotTable>> kept;
  for (const auto& set : sets) {
    std::vector<Endpoint> endpoints;
    for (const EndpointSpec& spec : set) endpoints.push_back(MakeEndpoint(spec));
    kept.push_back(Get(endpoints));
    EXPECT_EQ(built_, static_cast<int>(kept.size()));
    EXPECT_EQ(seen_.size(), set.size());
    EXPECT_EQ(seen_.back().weight, set.back().weight);
  }
}

TEST_F(TableCacheTest, PartsHaveTablesOfTheirOwn) {
  const auto endpoints = MakeEndpoints(2, {"v1"});
  const auto group = GroupOf(endpoints);
  const auto part = group.With({&endpoints[0]}, "v1");
  const auto first = Get(group);
  const auto second = Get(part);
  EXPECT_NE(first, second);
  EXPECT_EQ(Get(group), first);
  EXPECT_EQ(Get(part), second);
  EXPECT_EQ(built_, 2);
}

TEST_F(TableCacheTest, KeepsNoTableThatNobodyUses) {
  const auto endpoints = MakeEndpoints(2, {"v1"});
  std::weak_ptr<const SlotTable> table = Get(endpoints);
  EXPECT_TRUE(table.expired());
  Get(endpoints);
  EXPECT_EQ(built_, 2);
}

TEST_F(TableCacheTest, PartsThatComeAndGoDoNotPileUp) {
  const auto endpoints = MakeEndpoints(1, {"v1"});
  const auto group = GroupOf(endpoints);
  std::shared_ptr<const SlotTable> last;
  for (int i = 0; i < 5'000; ++i) last = Get(group.With({&endpoints[0]}, std::to_string(i)));
  EXPECT_EQ(built_, 5'000);
  EXPECT_EQ(Get(group.With({&endpoints[0]}, "4999")), last);
  EXPECT_EQ(built_, 5'000);
}

TEST_F(TableCacheTest, AnErrorIsNotKept) {
  const auto endpoints = MakeEndpoints(2, {"v1"});
  const auto refused = cache_.Get(GroupOf(endpoints), [](std::span<const WeightedAddress>) {
    return absl::StatusOr<std::unique_ptr<const SlotTable>>(absl::UnavailableError("too many"));
  });
  EXPECT_EQ(refused.status(), absl::UnavailableError("too many"));
  EXPECT_NE(Get(endpoints), nullptr);
}

}  // namespace
}  // namespace turnout::balance
