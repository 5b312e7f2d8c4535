#include "src/route/caller.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "turnout/rules.h"

namespace turnout::route {
namespace {

// The caller is the process's.
void GoThroughALife() {
  EXPECT_EQ(GetCaller(), Caller());
  int changes = 0;
  int others = 0;
  auto subscription = OnCallerChange([&] { ++changes; });
  const auto other = OnCallerChange([&] { ++others; });

  SetCallerByRegistration({.service = "shop.app", .version = "v1", .labels = {{"zone", "a"}}});
  EXPECT_EQ(GetCaller(),
            (Caller{.service = "shop.app", .version = "v1", .labels = {{"zone", "a"}}}));
  EXPECT_EQ(changes, 1);

  SetCallerByRegistration({.service = "shop.pay", .version = "v1", .labels = {}});
  EXPECT_EQ(GetCaller().service, "shop.app") << "the first registration counts";
  EXPECT_EQ(changes, 1);

  SetCaller({.service = "shop.app", .version = "v2", .labels = {}});
  EXPECT_EQ(GetCaller(), (Caller{.service = "shop.app", .version = "v2", .labels = {}}));
  EXPECT_EQ(changes, 2);

  SetCaller({.service = "shop.app", .version = "v2", .labels = {}});
  EXPECT_EQ(changes, 2) << "it is the same one";

  SetCaller(Caller());
  EXPECT_EQ(GetCaller(), Caller()) << "that is stated, too";
  EXPECT_EQ(changes, 3);

  subscription.reset();
  SetCaller({.service = "shop.app", .version = "v3", .labels = {}});
  EXPECT_EQ(changes, 3);
  EXPECT_EQ(others, 4);
}

TEST(CallerTest, WhatTheApplicationStatesComesBeforeItsRegistration) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // a process in which nothing has been stated
  EXPECT_EXIT(
      {
        GoThroughALife();
        std::exit(::testing::Test::HasFailure() ? 1 : 0);
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace turnout::route
