#include "src/balance/slow_start/slow_start.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "src/balance/chi_square.h"
#include "src/balance/policy_config.h"
#include "src/balance/testing.h"
#include "src/base/clock.h"

namespace turnout::balance {
namespace {

using base::TimePoint;
using testing::BuilderFor;
using testing::FakePickArgs;
using testing::FollowsWeights;
using testing::GroupOf;
using testing::MakeEndpoint;
using testing::MakeEndpoints;
using testing::ScriptedRandom;
using testing::Show;
using namespace std::chrono_literals;

const TimePoint kStart = TimePoint() + 1000h;
constexpr auto kAlways = TimePoint::duration::max();

// app-1, app-2, …, each of the age at kStart that is given.
std::vector<Endpoint> Aged(const std::vector<TimePoint::duration>& ages) {
  auto endpoints = MakeEndpoints(ages.size(), {"v1"});
  for (std::size_t i = 0; i < ages.size(); ++i) {
    endpoints[i].serving_since = ages[i] == kAlways ? TimePoint::min() : kStart - ages[i];
  }
  return endpoints;
}

std::shared_ptr<const PickerBuilder> BuilderWith(std::string_view parameters) {
  return BuilderFor("[{\"slow_start\":" + std::string(parameters) + "}]");
}

std::string ErrorOf(std::string_view parameters) {
  const std::string policy = R"({"picker":[{"slow_start":)" + std::string(parameters) + "}]}";
  return std::string(ParsePolicyConfig("turnout", policy).status().message());
}

std::string Sequence(const Picker& picker, int picks) {
  std::string sequence;
  for (int i = 0; i < picks; ++i) sequence += Show(picker.Pick(FakePickArgs())) + " ";
  return sequence;
}

constexpr std::string_view kInTurn = R"({"child":[{"round_robin":{}}]})";

// app-2 is 30 s old: every second of its turns stands.
TEST(SlowStartTest, TheRandomSourceDecidesWhatStands) {
  const auto endpoints = Aged({kAlways, 30s});
  const base::ScopedClock clock(kStart);
  ScriptedRandom source(10, {0, 4, 5, 4, 9});  // first the beginning of the turn
  const base::ScopedRandom scope(source);
  const auto picker = BuilderWith(kInTurn)->Build(GroupOf(endpoints));
  EXPECT_EQ(Sequence(*picker, 7), "app-1 app-2 app-1 app-1 app-2 app-1 app-1 ");
}

TEST(SlowStartTest, AfterEightRefusalsTheChoiceStands) {
  const auto endpoints = Aged({kAlways, 0s});
  const base::ScopedClock clock(kStart);
  // Below(2) of the leaf in turn with whether it stands: never.
  std::vector<std::uint64_t> numbers(16, 9);
  numbers.insert(numbers.end(), {9, 0, 9, 9, 0});
  ScriptedRandom source(10, numbers);
  const base::ScopedRandom scope(source);
  const auto picker = BuilderWith("{}")->Build(GroupOf(endpoints));
  EXPECT_EQ(Sequence(*picker, 3), "app-2 app-1 app-1 ");
}

// The shares of a choice with equal chances of which `refused` stands with probability `grown`, and
// which is asked for at most nine times.
std::vector<double> SharesOf(std::size_t old, std::size_t young, double grown) {
  const double all = static_cast<double>(old + young);
  const double refused = static_cast<double>(young) / all * (1 - grown);
  const double asked = (1 - std::pow(refused, 8)) / (1 - refused);  // and heard, on average
  const double last = std::pow(refused, 8);
  std::vector<double> shares(old, (asked + last) / all);
  shares.insert(shares.end(), young, (asked * grown + last) / all);
  return shares;
}

TEST(SlowStartTest, SharesGrowWithTheAge) {
  constexpr int kPicks = 100'000;
  const struct {
    std::size_t old, young;
    TimePoint::duration age;
    double grown;
  } cases[] = {{1, 1, 0s, 0.1},   {1, 1, 15s, 0.25}, {9, 1, 6s, 0.1}, {9, 1, 30s, 0.5},
               {5, 5, 45s, 0.75}, {1, 9, 30s, 0.5},  {1, 9, 0s, 0.1}, {5, 5, 60s, 1}};
  for (const auto& each : cases) {
    SCOPED_TRACE(each.grown);
    std::vector<TimePoint::duration> ages(each.old, kAlways);
    ages.insert(ages.end(), each.young, each.age);
    const auto endpoints = Aged(ages);
    const base::ScopedClock clock(kStart);
    base::SeededRandom source(21);
    const base::ScopedRandom scope(source);
    const auto picker = BuilderWith("{}")->Build(GroupOf(endpoints));
    std::vector<int> counts(endpoints.size());
    for (int i = 0; i < kPicks; ++i) {
      ++counts[static_cast<std::size_t>(picker->Pick(FakePickArgs()).endpoint() -
                                        endpoints.data())];
    }
    EXPECT_TRUE(FollowsWeights(counts, SharesOf(each.old, each.young, each.grown)));
  }
}

TEST(SlowStartTest, ParametersCount) {
  const auto endpoints = Aged({kAlways, 5s});
  const base::ScopedClock clock(kStart);
  const auto stands = [&](std::string_view parameters, std::uint64_t percent) {
    ScriptedRandom source(100, {99, percent, 0});
    const base::ScopedRandom scope(source);
    return Show(BuilderWith(parameters)->Build(GroupOf(endpoints))->Pick(FakePickArgs())) ==
           "app-2";
  };
  // A share of (5/20)^(1/2).
  constexpr std::string_view kEarly = R"({"window":"20s","aggression":2})";
  EXPECT_TRUE(stands(kEarly, 49));
  EXPECT_FALSE(stands(kEarly, 50));
  EXPECT_TRUE(stands(R"({"minWeightPercent":30})", 29));
}

TEST(SlowStartTest, TheOldestOfTheYoungIsNotSlowed) {
  const auto endpoints = Aged({30s, 15s, 30s});
  const base::ScopedClock clock(kStart);
  // Only app-2's turns are drawn for: it has half of what the others have.
  ScriptedRandom source(10, {0, 4, 5});
  const base::ScopedRandom scope(source);
  const auto picker = BuilderWith(kInTurn)->Build(GroupOf(endpoints));
  EXPECT_EQ(Sequence(*picker, 6), "app-1 app-2 app-3 app-1 app-3 app-1 ");
}

TEST(SlowStartTest, ThoseOfOneAgeAreNotSlowed) {
  const base::ScopedClock clock(kStart);
  for (const auto age : {TimePoint::duration(0s), TimePoint::duration(30s), kAlways}) {
    const auto endpoints = Aged({age, age});
    ScriptedRandom source(2, {0});
    const base::ScopedRandom scope(source);
    EXPECT_EQ(Sequence(*BuilderWith(kInTurn)->Build(GroupOf(endpoints)), 4),
              "app-1 app-2 app-1 app-2 ");
  }
}

TEST(SlowStartTest, AfterTheWindowTimeIsLookedAtNoMore) {
  const auto endpoints = Aged({kAlways, 30s});
  TimePoint now = kStart;
  const base::ScopedClock clock(now);
  ScriptedRandom source(10, {0, 9});
  const base::ScopedRandom scope(source);
  const auto picker = BuilderWith(kInTurn)->Build(GroupOf(endpoints));
  EXPECT_EQ(Sequence(*picker, 2), "app-1 app-1 ");
  now = kStart + 30s;
  EXPECT_EQ(Sequence(*picker, 2), "app-2 app-1 ");
  now = kStart;  // whoever looked again would need a random number
  EXPECT_EQ(Sequence(*picker, 2), "app-2 app-1 ");
}

TEST(SlowStartTest, WhoServesNotYetIsNotSlowed) {
  auto endpoints = Aged({30s, 15s});
  endpoints[1].serving_since.reset();
  const base::ScopedClock clock(kStart);
  ScriptedRandom source(10, {9, 0, 9});  // the beginning of the turn, then app-1's
  const base::ScopedRandom scope(source);
  const auto picker = BuilderWith(kInTurn)->Build(GroupOf(endpoints));
  EXPECT_EQ(Sequence(*picker, 3), "app-2 app-1 app-2 ");
}

TEST(SlowStartTest, WhatMapsCallsToInstancesKeepsItsAnswer) {
  const auto endpoints = Aged({kAlways, 0s, kAlways});
  const base::ScopedClock clock(kStart);
  const auto picker = BuilderWith(R"({"child":[{"ring_hash":{"requestHashHeader":"user"}}]})")
                          ->Build(GroupOf(endpoints));
  std::set<std::string> reached;
  for (int user = 0; user < 50; ++user) {
    const FakePickArgs args = FakePickArgs().Set("user", std::to_string(user));
    const std::string first = Show(picker->Pick(args));
    reached.insert(first);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(Show(picker->Pick(args)), first);
  }
  EXPECT_EQ(reached.size(), 3u);
}

TEST(SlowStartTest, ConnectionsThatARefusedChoiceAskedForAreMade) {
  auto endpoints = Aged({kAlways, 0s});
  endpoints.push_back(MakeEndpoint({.id = "app-3", .state = ConnectionState::kIdle}));
  const base::ScopedClock clock(kStart);
  ScriptedRandom source(10, {9, 9});
  const base::ScopedRandom scope(source);
  const auto picker = BuilderWith(kInTurn)->Build(GroupOf(endpoints));
  EXPECT_EQ(Show(picker->Pick(FakePickArgs())), "app-1, connect app-3");
}

// In turn, each choice with a callback that counts.
class CountingBuilder final : public ChoosingPickerBuilder {
 public:
  explicit CountingBuilder(std::vector<std::string>* finished) : finished_(finished) {}

 protected:
  std::unique_ptr<const Picker> BuildChoice(const EndpointGroup& group) const override {
    class InTurn final : public Picker {
     public:
      InTurn(std::span<const Endpoint* const> all, std::vector<std::string>* finished)
          : all_(all), finished_(finished) {}
      PickResult Pick(const PickArgs&) const override {
        const Endpoint* const chosen = all_[next_++ % all_.size()];
        return PickResult::To(*chosen).OnFinish([chosen, finished = finished_](const auto&) {
          finished->push_back(chosen->instance().id);
        });
      }

     private:
      const std::span<const Endpoint* const> all_;
      std::vector<std::string>* const finished_;
      mutable std::size_t next_ = 0;
    };
    return std::make_unique<InTurn>(group.candidates(), finished_);
  }

 private:
  std::vector<std::string>* const finished_;
};

TEST(SlowStartTest, ARefusedChoiceHasNoEffect) {
  const auto endpoints = Aged({0s, 0s, kAlways});
  const base::ScopedClock clock(kStart);
  ScriptedRandom source(10, {9, 9});
  const base::ScopedRandom scope(source);
  std::vector<std::string> finished;
  const SlowStartBuilder builder({.child = std::make_shared<CountingBuilder>(&finished)});
  PickResult result = builder.Build(GroupOf(endpoints))->Pick(FakePickArgs());
  EXPECT_EQ(Show(result), "app-3");
  result.TakeFinishCallback()({});
  EXPECT_THAT(finished, ::testing::ElementsAre("app-3"));
}

TEST(SlowStartTest, VerdictsStand) {
  const base::ScopedClock clock(kStart);
  EXPECT_THAT(Show(BuilderWith("{}")->Build(GroupOf({}))->Pick(FakePickArgs())),
              ::testing::StartsWith("fail: UNAVAILABLE: no match found conn"));
  auto endpoints = Aged({kAlways, 0s});
  const auto builder = BuilderWith(R"({"child":[{"version":{}}]})");
  const auto picker = builder->Build(GroupOf(endpoints));
  EXPECT_THAT(Show(picker->Pick(FakePickArgs().Version("v3"))),
              ::testing::HasSubstr("asked for version v3"));
}

TEST(SlowStartTest, WhatTheChildWantsIsWanted) {
  std::vector<TimePoint::duration> ages(50, 10s);
  ages.front() = kAlways;
  const auto endpoints = Aged(ages);
  const base::ScopedClock clock(kStart);
  const auto picker =
      BuilderWith(R"({"child":[{"subset":{"subsetSize":3}}]})")->Build(GroupOf(endpoints));
  int wanted = 0;
  for (const Endpoint& each : endpoints) wanted += picker->Wants(each) ? 1 : 0;
  EXPECT_EQ(wanted, 3);
}

TEST(SlowStartTest, AHundredThousandOfAllAges) {
  std::vector<TimePoint::duration> ages;
  for (int i = 0; i < 100'000; ++i) ages.push_back(i * 1ms);
  const auto endpoints = Aged(ages);
  const base::ScopedClock clock(kStart);
  const auto picker = BuilderWith("{}")->Build(GroupOf(endpoints));
  EXPECT_EQ(picker->Pick(FakePickArgs()).kind(), PickResult::Kind::kEndpoint);
}

TEST(SlowStartConfigTest, ParametersAreChecked) {
  const std::string at = "turnout.picker[0].slow_start.";
  EXPECT_EQ(ErrorOf(R"({"window":"0s"})"), at + "window: must be 0.001s to 86400s, got \"0s\"");
  EXPECT_EQ(ErrorOf(R"({"window":60})"),
            at + "window: must be a string of seconds like \"1.5s\", 0.001s to 86400s, got 60");
  EXPECT_EQ(ErrorOf(R"({"aggression":0})"), at + "aggression: must be 0.01 to 100.0, got 0");
  EXPECT_EQ(ErrorOf(R"({"minWeightPercent":101})"),
            at + "minWeightPercent: must be 1.0 to 100.0, got 101");
  EXPECT_EQ(ErrorOf(R"({"windows":"60s"})"),
            at +
                "windows: unknown field; allowed: window, aggression, minWeightPercent, child; did "
                "you mean window?");
  EXPECT_THAT(ErrorOf(R"({"child":[{}]})"),
              ::testing::StartsWith(at + "child[0]: must be an object"));
}

}  // namespace
}  // namespace turnout::balance
