#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <utility>

#include "src/balance/testing.h"

namespace turnout {
namespace {

using balance::testing::FakePickArgs;
using balance::testing::GroupOf;
using balance::testing::MakeEndpoint;
using balance::testing::MakeEndpoints;
using balance::testing::Show;
using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

// A leaf whose choices are a function of the endpoints and the number of choices made before.
class ScriptedBuilder final : public ChoosingPickerBuilder {
 public:
  using Choose = std::function<PickResult(std::span<const Endpoint* const>, int asked)>;
  explicit ScriptedBuilder(Choose choose) : choose_(std::move(choose)) {}

  int asked() const { return *asked_; }

 protected:
  std::unique_ptr<const Picker> BuildChoice(const EndpointGroup& group) const override {
    class Scripted final : public Picker {
     public:
      Scripted(std::span<const Endpoint* const> ready, Choose choose, std::shared_ptr<int> asked)
          : ready_(ready), choose_(std::move(choose)), asked_(std::move(asked)) {}
      PickResult Pick(const PickArgs&) const override { return choose_(ready_, (*asked_)++); }

     private:
      const std::span<const Endpoint* const> ready_;
      const Choose choose_;
      const std::shared_ptr<int> asked_;
    };
    return std::make_unique<Scripted>(group.candidates(), choose_, asked_);
  }

 private:
  const Choose choose_;
  const std::shared_ptr<int> asked_ = std::make_shared<int>(0);
};

PickResult First(std::span<const Endpoint* const> ready, int) { return PickResult::To(*ready[0]); }

TEST(ChoosingPickerTest, WithoutCandidatesTheGroupDecides) {
  const ScriptedBuilder builder(First);
  const std::vector<Endpoint> connecting = {MakeEndpoint({.state = ConnectionState::kConnecting})};
  EXPECT_EQ(Show(builder.Build(GroupOf(connecting))->Pick(FakePickArgs())), "queue");

  const std::vector<Endpoint> idle = {MakeEndpoint({.state = ConnectionState::kIdle})};
  EXPECT_EQ(Show(builder.Build(GroupOf(idle))->Pick(FakePickArgs())), "queue, connect app-1");

  EXPECT_EQ(Show(builder.Build(GroupOf({}))->Pick(FakePickArgs())),
            "fail: UNAVAILABLE: no match found conn: no instance of hwholiday.srv.app is "
            "registered");
  EXPECT_EQ(builder.asked(), 0);
}

TEST(ChoosingPickerTest, AFirstAttemptAsksOnce) {
  const ScriptedBuilder builder(First);
  const auto endpoints = MakeEndpoints(3, {"v1"});
  EXPECT_EQ(Show(builder.Build(GroupOf(endpoints))->Pick(FakePickArgs())), "app-1");
  EXPECT_EQ(builder.asked(), 1);
}

TEST(ChoosingPickerTest, ARetryTakesAnUntriedChoice) {
  const ScriptedBuilder builder([](std::span<const Endpoint* const> ready, int asked) {
    return PickResult::To(*ready[asked < 3 ? 0 : 1]);
  });
  const auto endpoints = MakeEndpoints(2, {"v1"});
  FakePickArgs args;
  EXPECT_EQ(Show(builder.Build(GroupOf(endpoints))->Pick(args.Retry(endpoints[0]))), "app-2");
  EXPECT_EQ(builder.asked(), 4);
}

TEST(ChoosingPickerTest, ARetryGoesPastAStubbornChoice) {
  const ScriptedBuilder builder(First);
  const auto endpoints = MakeEndpoints(4, {"v1"});
  const auto picker = builder.Build(GroupOf(endpoints));
  FakePickArgs args;
  args.Retry(endpoints[0]).Retry(endpoints[2]);
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) seen.insert(Show(picker->Pick(args)));
  EXPECT_THAT(seen, UnorderedElementsAre("app-2", "app-4"));
}

TEST(ChoosingPickerTest, ARetryReturnsToATriedOneIfNoOtherIsLeft) {
  const ScriptedBuilder builder(First);
  const auto endpoints = MakeEndpoints(2, {"v1"});
  FakePickArgs args;
  args.Retry(endpoints[0]).Retry(endpoints[1]);
  EXPECT_EQ(Show(builder.Build(GroupOf(endpoints))->Pick(args)), "app-1");
}

TEST(ChoosingPickerTest, AVerdictIsNotAskedAgain) {
  const ScriptedBuilder builder([](std::span<const Endpoint* const>, int) {
    return PickResult::Drop(absl::UnavailableError("shed"));
  });
  const auto endpoints = MakeEndpoints(2, {"v1"});
  FakePickArgs args;
  EXPECT_EQ(Show(builder.Build(GroupOf(endpoints))->Pick(args.Retry(endpoints[0]))),
            "drop: UNAVAILABLE: shed");
  EXPECT_EQ(builder.asked(), 1);
}

TEST(ChoosingPickerTest, MetadataAndFinishCallbacksComeThrough) {
  int finished = 0;
  const ScriptedBuilder builder([&](std::span<const Endpoint* const> ready, int asked) {
    return PickResult::To(*ready[static_cast<std::size_t>(asked) % ready.size()])
        .AddMetadata("asked", std::to_string(asked))
        .OnFinish([&](const CallOutcome&) { ++finished; });
  });
  const auto endpoints = MakeEndpoints(2, {"v1"});
  const auto picker = builder.Build(GroupOf(endpoints));

  PickResult first = picker->Pick(FakePickArgs());
  EXPECT_THAT(first.metadata(), ElementsAre(Pair("asked", "0")));
  first.TakeFinishCallback()({});
  EXPECT_EQ(finished, 1);

  FakePickArgs args;
  PickResult retry = picker->Pick(args.Retry(endpoints[1]));
  EXPECT_EQ(Show(retry), "app-1");
  EXPECT_THAT(retry.metadata(), ElementsAre(Pair("asked", "2")));
  retry.TakeFinishCallback()({});
  EXPECT_EQ(finished, 2);
}

}  // namespace
}  // namespace turnout
