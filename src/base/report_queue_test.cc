#include "src/base/report_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "src/base/serial_thread.h"

namespace turnout::base {
namespace {

using testing::ElementsAre;

void Flush() {
  std::promise<void> done;
  ReportThread().Run([&] { done.set_value(); });
  done.get_future().wait();
}

TEST(ReportQueue, DropsAndCountsWhatABlockedThreadCannotTake) {
  static std::vector<std::string>& order = *new std::vector<std::string>;
  static ReportQueue& queue = *new ReportQueue(
      2, [](std::uint64_t dropped) { order.push_back(std::to_string(dropped) + " dropped"); });
  std::promise<void> entered, let_go;
  ReportThread().Run([&] {
    entered.set_value();
    let_go.get_future().wait();
  });
  entered.get_future().wait();
  const auto held = std::make_shared<int>(0);
  for (const char* name : {"a", "b", "c", "d"}) {
    queue.Run([held, name] { order.emplace_back(name); });
  }
  EXPECT_EQ(held.use_count(), 3);  // of what is dropped, nothing stays
  let_go.set_value();
  Flush();
  EXPECT_THAT(order, ElementsAre("a", "b", "2 dropped"));
  queue.Run([] { order.emplace_back("room again"); });
  Flush();
  EXPECT_THAT(order, ElementsAre("a", "b", "2 dropped", "room again"));
}

// What runs counts no more: it may itself report as much as may wait.
TEST(ReportQueue, TasksMayRunFurtherTasks) {
  static int runs = 0;
  static ReportQueue& queue = *new ReportQueue(1, [](std::uint64_t) { runs = -1; });
  queue.Run([] { queue.Run([] { ++runs; }); });
  Flush();
  Flush();
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace turnout::base
