#include "src/balance/picker_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "src/balance/testing.h"

namespace turnout {
namespace {

using balance::testing::BuilderFor;
using balance::testing::FakePickArgs;
using balance::testing::GroupOf;
using balance::testing::MakeEndpoints;
using balance::testing::Show;
using ::testing::Contains;

// As a user would write it: the endpoint with the fewest calls under way.
class LeastBusyBuilder final : public ChoosingPickerBuilder {
 protected:
  std::unique_ptr<const Picker> BuildChoice(const EndpointGroup& group) const override {
    class LeastBusy final : public Picker {
     public:
      explicit LeastBusy(std::span<const Endpoint* const> ready) : ready_(ready) {}
      PickResult Pick(const PickArgs&) const override {
        return PickResult::To(**std::ranges::min_element(
            ready_, {}, [](const Endpoint* endpoint) { return endpoint->stats().in_flight(); }));
      }

     private:
      const std::span<const Endpoint* const> ready_;
    };
    return std::make_unique<LeastBusy>(group.candidates());
  }
};

TEST(PickerRegistryTest, KnowsTheBuiltinPickers) {
  for (const char* const name : {"random", "round_robin", "version"}) {
    EXPECT_NE(balance::FindPickerBuilder(name), nullptr) << name;
    EXPECT_THAT(balance::PickerNames(), Contains(name));
  }
  EXPECT_EQ(balance::FindPickerBuilder("rendom"), nullptr);
}

TEST(PickerRegistryTest, AUsersPickerWorksInsideOurs) {
  ASSERT_TRUE(RegisterPickerBuilder("least_busy", std::make_shared<LeastBusyBuilder>()).ok());
  const auto endpoints = MakeEndpoints(4, {"v1", "v2"});
  const auto picker =
      BuilderFor(R"([{"version":{"child":[{"least_busy":{}}]}}])")->Build(GroupOf(endpoints));
  endpoints[1].stats().CallStarted();
  EXPECT_EQ(Show(picker->Pick(FakePickArgs().Version("v2"))), "app-4");
  endpoints[3].stats().CallStarted();
  endpoints[3].stats().CallStarted();
  EXPECT_EQ(Show(picker->Pick(FakePickArgs().Version("v2"))), "app-2");
}

TEST(PickerRegistryTest, RefusesBadNames) {
  for (const char* const name : {"", "Mine", "my-picker", "2nd", "_x", "a b"}) {
    EXPECT_EQ(RegisterPickerBuilder(name, std::make_shared<LeastBusyBuilder>()).code(),
              absl::StatusCode::kInvalidArgument)
        << name;
  }
  EXPECT_EQ(RegisterPickerBuilder("Mine", std::make_shared<LeastBusyBuilder>()).message(),
            "picker name \"Mine\": must be snake_case: a lowercase letter, then [a-z0-9_]");
}

TEST(PickerRegistryTest, RefusesNullAndTakenNames) {
  EXPECT_EQ(RegisterPickerBuilder("nothing", nullptr),
            absl::InvalidArgumentError("picker nothing: the builder is null"));
  EXPECT_EQ(RegisterPickerBuilder("random", std::make_shared<LeastBusyBuilder>()),
            absl::AlreadyExistsError("picker random: another builder has that name"));
}

}  // namespace
}  // namespace turnout
