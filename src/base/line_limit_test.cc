#include "src/base/line_limit.h"

#include <gtest/gtest.h>

namespace turnout::base {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class LineLimitTest : public testing::Test {
 protected:
  int Admitted(int lines) {
    int admitted = 0;
    for (int i = 0; i < lines; ++i) admitted += limit_.Admit(now_) ? 1 : 0;
    return admitted;
  }

  TimePoint now_{std::chrono::hours(1)};
  LineLimit limit_;
};

TEST_F(LineLimitTest, TenAtOnceAndTheOthersAreCounted) {
  EXPECT_EQ(Admitted(10), 10);
  EXPECT_EQ(limit_.left_out(), 0U);
  EXPECT_EQ(Admitted(502), 0);
  EXPECT_EQ(limit_.left_out(), 502U);
  now_ += seconds(1);
  EXPECT_EQ(limit_.TakeLeftOut(now_), 502U);
  EXPECT_EQ(limit_.left_out(), 0U);
}

TEST_F(LineLimitTest, ThenTheLineThatTellsOfThemIsTheOnlyOne) {
  Admitted(11);
  for (int second = 0; second < 100; ++second) {
    for (int i = 0; i < 1000; ++i) {
      now_ += milliseconds(1);
      EXPECT_EQ(Admitted(1), 0);
    }
    EXPECT_EQ(limit_.TakeLeftOut(now_), second == 0 ? 1001U : 1000U);
  }
}

TEST_F(LineLimitTest, WhatIsRareIsNeverLeftOut) {
  EXPECT_EQ(Admitted(9), 9);
  for (int second = 0; second < 100; ++second) {
    EXPECT_EQ(Admitted(1), 1);
    now_ += seconds(1);
  }
}

TEST_F(LineLimitTest, QuietTimesEarnTheTenAgain) {
  Admitted(11);
  now_ += seconds(1);
  limit_.TakeLeftOut(now_);
  now_ += seconds(4);
  EXPECT_EQ(Admitted(10), 4);
  now_ += seconds(1);
  limit_.TakeLeftOut(now_);
  now_ += std::chrono::hours(1);
  EXPECT_EQ(Admitted(100), 10);
}

}  // namespace
}  // namespace turnout::base
