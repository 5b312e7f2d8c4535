#include "src/balance/locality/priority_load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace turnout::balance {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

auto Near(double load) { return DoubleNear(load, 1e-12); }

std::vector<double> Loads(const std::vector<LevelHealth>& levels) {
  return PriorityLoads(levels, 1.4);
}

TEST(PriorityLoadTest, WhatTheFirstCannotTakeSpills) {
  EXPECT_THAT(Loads({{5, 10}, {9, 9}}), ElementsAre(Near(0.7), Near(0.3)));
  EXPECT_THAT(Loads({{1, 10}, {1, 2}, {100, 100}}), ElementsAre(Near(0.14), Near(0.7), Near(0.16)));
}

TEST(PriorityLoadTest, TheFirstTakesAllUntilFiveSeventhsAreLeft) {
  EXPECT_THAT(Loads({{10, 10}, {10, 10}}), ElementsAre(1, 0));
  EXPECT_THAT(Loads({{8, 10}, {9, 9}}), ElementsAre(1, 0));
  EXPECT_THAT(Loads({{5, 7}, {9, 9}}), ElementsAre(Near(1), Near(0)));
  EXPECT_THAT(Loads({{70, 100}, {9, 9}}), ElementsAre(Near(0.98), Near(0.02)));
}

TEST(PriorityLoadTest, AllTogetherTakeEverything) {
  EXPECT_THAT(Loads({{2, 10}, {1, 10}}), ElementsAre(Near(2. / 3), Near(1. / 3)));
  EXPECT_THAT(Loads({{0, 10}, {1, 1000}}), ElementsAre(0, 1));
}

TEST(PriorityLoadTest, EmptyLevelsTakeNothing) {
  EXPECT_THAT(Loads({{0, 0}, {3, 3}}), ElementsAre(0, 1));
  EXPECT_THAT(Loads({{0, 0}, {0, 3}}), ElementsAre(0, 0));
  EXPECT_THAT(Loads({}), IsEmpty());
}

TEST(PriorityLoadTest, OverprovisioningSetsTheThreshold) {
  const LevelHealth levels[] = {{5, 10}, {9, 9}};
  EXPECT_THAT(PriorityLoads(levels, 1), ElementsAre(0.5, 0.5));
  EXPECT_THAT(PriorityLoads(levels, 2), ElementsAre(1, 0));
}

}  // namespace
}  // namespace turnout::balance
