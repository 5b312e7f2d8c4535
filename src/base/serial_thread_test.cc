#include "src/base/serial_thread.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <future>
#include <string>
#include <thread>
#include <vector>

namespace turnout::base {
namespace {

TEST(SerialThread, RunsTasksInOrderOnOneNamedThread) {
  static SerialThread& thread = *new SerialThread("turnout-test");
  std::vector<int> order;
  std::string name(16, '\0');
  sigset_t mask;
  sigemptyset(&mask);
  for (int i = 0; i < 100; ++i) thread.Run([&order, i] { order.push_back(i); });
  std::promise<bool> done;
  thread.Run([&] {
    pthread_getname_np(pthread_self(), name.data(), name.size());
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    done.set_value(thread.OnThread());
  });
  EXPECT_TRUE(done.get_future().get());
  EXPECT_FALSE(thread.OnThread());
  EXPECT_STREQ(name.c_str(), "turnout-test");
  EXPECT_TRUE(sigismember(&mask, SIGTERM));
  ASSERT_EQ(order.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(SerialThread, CountsWhatWaits) {
  static SerialThread& thread = *new SerialThread("turnout-test");
  EXPECT_EQ(thread.waiting(), 0U);
  std::promise<void> entered, let_go;
  thread.Run([&] {
    entered.set_value();
    let_go.get_future().wait();
  });
  entered.get_future().wait();
  std::promise<void> done;
  thread.Run([] {});
  thread.Run([&] { done.set_value(); });
  EXPECT_EQ(thread.waiting(), 2U);
  let_go.set_value();
  done.get_future().wait();
  EXPECT_EQ(thread.waiting(), 0U);
}

TEST(SerialThread, TasksMayRunFurtherTasks) {
  std::promise<void> done;
  DeliveryThread().Run([&] { DeliveryThread().Run([&] { done.set_value(); }); });
  done.get_future().wait();
  EXPECT_NE(&DeliveryThread(), &ReportThread());
}

}  // namespace
}  // namespace turnout::base
