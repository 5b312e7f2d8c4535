#include "src/etcd/event_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <thread>
#include <vector>

namespace turnout::etcd {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

EventLoop& Loop() { return EventLoop::Get(); }

TEST(EventLoop, RunsPostedTasksInOrderOnItsThread) {
  std::vector<int> order;
  for (int i = 0; i < 1000; ++i) {
    Loop().Post([&order, i] {
      EXPECT_TRUE(Loop().OnThread());
      order.push_back(i);
    });
  }
  EXPECT_TRUE(Loop().RunAndWait([] {}));
  EXPECT_FALSE(Loop().OnThread());
  ASSERT_EQ(order.size(), 1000U);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(EventLoop, TasksMayPostAndWait) {
  std::vector<int> order;
  std::promise<void> done;
  Loop().Post([&] {
    Loop().Post([&] {
      order.push_back(2);
      done.set_value();
    });
    EXPECT_TRUE(Loop().RunAndWait([&] { order.push_back(1); }));
  });
  done.get_future().wait();
  EXPECT_THAT(order, ElementsAre(1, 2));
}

TEST(EventLoop, TakesTasksFromManyThreadsAtOnce) {
  int count = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) Loop().Post([&] { ++count; });
    });
  }
  for (std::thread& thread : threads) thread.join();
  Loop().RunAndWait([] {});
  EXPECT_EQ(count, 4000);
}

TEST(EventLoop, TimersFireInTheOrderOfTheirTimes) {
  std::vector<int> order;
  std::promise<void> done;
  std::vector<std::unique_ptr<EventLoop::Timer>> timers;
  Loop().RunAndWait([&] {
    const auto start = std::chrono::steady_clock::now();
    timers.push_back(Loop().RunAfter(milliseconds(20), [&, start] {
      order.push_back(2);
      EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(20));
      done.set_value();
    }));
    timers.push_back(Loop().RunAfter(milliseconds(1), [&] { order.push_back(1); }));
    timers.push_back(Loop().RunAfter(milliseconds(0), [&] { order.push_back(0); }));
  });
  done.get_future().wait();
  EXPECT_THAT(order, ElementsAre(0, 1, 2));
  Loop().RunAndWait([&] { timers.clear(); });
}

TEST(EventLoop, ADestroyedTimerDoesNotFire) {
  std::promise<void> done;
  std::unique_ptr<EventLoop::Timer> later;
  Loop().RunAndWait([&] {
    auto timer = Loop().RunAfter(milliseconds(1), [] { ADD_FAILURE() << "fired"; });
    timer.reset();
    later = Loop().RunAfter(milliseconds(5), [&] {
      later.reset();  // a timer may destroy itself
      done.set_value();
    });
  });
  done.get_future().wait();
}

TEST(EventLoop, DoesNothingInAForkedChild) {
  Loop().RunAndWait([] {});
  const pid_t pid = fork();
  if (pid == 0) {
    Loop().Post([] { _exit(1); });
    _exit(Loop().RunAndWait([] { _exit(2); }) ? 3 : 42);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 42);
}

}  // namespace
}  // namespace turnout::etcd
