#include "src/balance/peak_ewma/peak_ewma.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "src/balance/chi_square.h"
#include "src/balance/testing.h"
#include "src/base/clock.h"

namespace turnout::balance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::BuilderFor;
using testing::FakePickArgs;
using testing::FollowsWeights;
using testing::GroupOf;
using testing::MakeEndpoints;
using testing::ScriptedRandom;
using testing::Show;

constexpr std::string_view kConfig = R"([{"peak_ewma":{}}])";
constexpr std::string_view kLooksAtAll = R"([{"peak_ewma":{"choiceCount":10}}])";

class PeakEwmaTest : public ::testing::Test {
 protected:
  void Answered(std::size_t index, milliseconds latency) {
    endpoints_[index].stats().Answered(latency, now_);
    endpoints_[index].stats().CallFinished(absl::OkStatus(), now_);
  }
  void Failed(std::size_t index) {
    endpoints_[index].stats().CallFinished(absl::UnavailableError(""), now_);
  }
  void Start(std::size_t index, int calls) {
    for (int i = 0; i < calls; ++i) endpoints_[index].stats().CallStarted();
  }
  std::unique_ptr<const Picker> Build(std::string_view config = kConfig) const {
    return BuilderFor(config)->Build(GroupOf(endpoints_));
  }
  std::string One(std::string_view config = kLooksAtAll) const {
    return Show(Build(config)->Pick(FakePickArgs()));
  }
  // Where statistics stay as they are.
  std::vector<int> CountPicks(int picks, std::string_view config = kConfig) const {
    base::SeededRandom source(31);
    const base::ScopedRandom scope(source);
    const auto picker = Build(config);
    std::vector<int> counts(endpoints_.size());
    for (int i = 0; i < picks; ++i) {
      const Endpoint* const picked = picker->Pick(FakePickArgs()).endpoint();
      ++counts[static_cast<std::size_t>(picked - endpoints_.data())];
    }
    return counts;
  }

  base::TimePoint now_{seconds(1'000)};
  const base::ScopedClock clock_{now_};
  std::vector<Endpoint> endpoints_ = MakeEndpoints(3, {"v1"});
};

TEST_F(PeakEwmaTest, TheCheaperOfTwoByTheScript) {
  endpoints_ = MakeEndpoints(10, {"v1"});
  for (std::size_t i = 0; i < 10; ++i) Answered(i, milliseconds(10 + i));
  Start(0, 1);
  // Pairs of 3 and 7, 7 and 3, 9 and 0. The second is drawn among the nine others.
  ScriptedRandom source(10, {3, 7, 7, 3, 9, 0});
  const base::ScopedRandom scope(source);
  const auto picker = Build();
  std::string sequence;
  for (int i = 0; i < 3; ++i) sequence += Show(picker->Pick(FakePickArgs())) + " ";
  EXPECT_EQ(sequence, "app-4 app-4 app-10 ");  // 10 ms twice is more than 19 ms
}

TEST_F(PeakEwmaTest, LatencyAndInFlightDecide) {
  Answered(0, milliseconds(10));
  Answered(1, milliseconds(30));
  Answered(2, milliseconds(50));
  EXPECT_EQ(One(), "app-1");
  Start(0, 3);  // 40 ms
  EXPECT_EQ(One(), "app-2");
  Start(1, 1);  // 60 ms
  EXPECT_EQ(One(), "app-1");
  Start(0, 2);  // 60 ms
  EXPECT_EQ(One(), "app-3");
}

TEST_F(PeakEwmaTest, ASlowInstanceIsTriedAgainAfterAWhile) {
  Answered(0, milliseconds(10));
  Answered(1, milliseconds(12));
  Answered(2, milliseconds(1'000));
  const auto picker = Build(kLooksAtAll);
  // After 47 s of 10 ms for the others, 1 s has decayed to 9.1 ms.
  for (int i = 0; i < 47; ++i) {
    ASSERT_NE(Show(picker->Pick(FakePickArgs())), "app-3");
    now_ += seconds(1);
    Answered(0, milliseconds(10));
    Answered(1, milliseconds(12));
  }
  EXPECT_EQ(Show(picker->Pick(FakePickArgs())), "app-3");
}

TEST_F(PeakEwmaTest, AFastFailureDoesNotAttractCalls) {
  Answered(0, milliseconds(20));
  Answered(1, milliseconds(20));
  Answered(2, milliseconds(1));
  Failed(2);
  const auto picker = Build();
  for (int i = 0; i < 1'000; ++i) {
    const PickResult result = picker->Pick(FakePickArgs());
    ASSERT_NE(Show(result), "app-3");
    // As such instances do: at once, and with an error.
    Failed(2);
  }
  // Once its failures are forgotten, it is asked again.
  now_ += seconds(100);
  Answered(0, milliseconds(20));
  Answered(1, milliseconds(20));
  EXPECT_EQ(One(), "app-3");
}

TEST_F(PeakEwmaTest, ThePenaltyIsAParameter) {
  Answered(0, milliseconds(20));
  Answered(1, milliseconds(20));
  Answered(2, milliseconds(1));
  Failed(2);  // one of ten
  EXPECT_NE(One(), "app-3");
  EXPECT_EQ(One(R"([{"peak_ewma":{"choiceCount":3,"failurePenalty":"0.1s"}}])"), "app-3");
}

TEST_F(PeakEwmaTest, ANewInstanceIsAsFastAsTheMean) {
  Answered(0, milliseconds(10));
  Answered(1, milliseconds(30));  // 20 ms is taken for the third
  Start(0, 1);
  Start(1, 1);
  EXPECT_EQ(CountPicks(10, R"([{"peak_ewma":{"choiceCount":3}}])")[1], 0);
  Start(0, 1);
  EXPECT_EQ(One(), "app-3");
  Start(2, 1);
  EXPECT_EQ(One(), "app-1");  // 30 ms, 60 ms, 40 ms
}

TEST_F(PeakEwmaTest, AHangingNewInstanceIsNotFlooded) {
  const auto picker = Build();  // nothing is known of any
  Answered(0, milliseconds(10));
  Answered(1, milliseconds(10));
  base::SeededRandom source(32);
  const base::ScopedRandom scope(source);
  for (int i = 0; i < 1'000; ++i) {
    const Endpoint& picked = *picker->Pick(FakePickArgs()).endpoint();
    if (&picked == &endpoints_[2]) picked.stats().CallStarted();  // and never ends
  }
  EXPECT_EQ(endpoints_[2].stats().in_flight(), 1);
}

TEST_F(PeakEwmaTest, WithoutAnyKnowledgeAllAreAlike) {
  EXPECT_TRUE(FollowsWeights(CountPicks(10'000), {1, 1, 1}));
  Start(1, 1);
  EXPECT_EQ(CountPicks(100, kLooksAtAll)[1], 0);
}

TEST_F(PeakEwmaTest, NoneOneAndTwo) {
  endpoints_ = {};
  EXPECT_EQ(
      One(),
      "fail: UNAVAILABLE: no match found conn: no instance of hwholiday.srv.app is registered");
  endpoints_ = MakeEndpoints(1, {"v1"});
  EXPECT_EQ(CountPicks(3), (std::vector<int>{3}));
  endpoints_ = MakeEndpoints(2, {"v1"});
  Answered(0, milliseconds(10));
  Answered(1, milliseconds(11));
  EXPECT_EQ(CountPicks(100), (std::vector<int>{100, 0}));
}

TEST_F(PeakEwmaTest, AHundredThousand) {
  endpoints_ = MakeEndpoints(100'000, {"v1"});
  for (std::size_t i = 0; i < endpoints_.size(); ++i) Answered(i, milliseconds(i < 50'000 ? 9 : 5));
  const auto counts = CountPicks(10'000);
  int slow = 0;
  for (std::size_t i = 0; i < 50'000; ++i) slow += counts[i];
  EXPECT_TRUE(FollowsWeights({slow, 10'000 - slow}, {1, 3}));  // only where both are slow
}

TEST_F(PeakEwmaTest, WhatWasLearntSurvivesTheNextPicker) {
  Answered(0, milliseconds(10));
  Answered(1, milliseconds(20));
  Answered(2, milliseconds(30));
  EXPECT_EQ(One(), "app-1");
  endpoints_[0].state = ConnectionState::kFailing;
  EXPECT_EQ(One(), "app-2");
  endpoints_[0].state = ConnectionState::kReady;
  EXPECT_EQ(One(), "app-1");
}

}  // namespace
}  // namespace turnout::balance
