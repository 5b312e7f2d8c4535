#include "src/cli/waiting.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace turnout::cli {
namespace {

using std::chrono::milliseconds;

TEST(WaitForTest, AsksOnceWhenThereIsNoTime) {
  int asked = 0;
  EXPECT_FALSE(WaitFor(milliseconds(0), [&] { return ++asked > 2; }));
  EXPECT_EQ(asked, 2);  // at once, and when the time was over
  EXPECT_TRUE(WaitFor(milliseconds(0), [] { return true; }));
}

TEST(WaitForTest, IsWokenUp) {
  std::atomic<bool> changed = false;
  std::thread other([&] {
    changed = true;
    WakeUp();
  });
  EXPECT_TRUE(WaitFor(std::chrono::minutes(5), [&] { return changed.load(); }));
  other.join();
}

}  // namespace
}  // namespace turnout::cli
