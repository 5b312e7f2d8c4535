#include "src/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

#include "src/base/serial_thread.h"

namespace turnout::base {
namespace {

using testing::ElementsAre;

// Waits until everything that was reported so far has been delivered.
void Flush() {
  std::promise<void> done;
  ReportThread().Run([&] { done.set_value(); });
  done.get_future().wait();
}

class LogTest : public testing::Test {
 protected:
  ~LogTest() override {
    SetLogSink({});
    Flush();
  }

  void Collect(LogSeverity least) {
    SetLogSink(
        [this](const LogEntry& entry) {
          EXPECT_TRUE(ReportThread().OnThread());
          lines_.push_back(std::string(ToString(entry.severity)) + " " +
                           std::string(entry.component) + ": " + std::string(entry.message));
        },
        least);
  }

  std::vector<std::string> lines_;  // touched by the report thread, read after Flush
};

TEST_F(LogTest, DeliversWantedEntriesInOrder) {
  Collect(LogSeverity::kInfo);
  Log(LogSeverity::kError, "etcd", "one");
  Log(LogSeverity::kDebug, "etcd", "unwanted");
  Log(LogSeverity::kInfo, "adapter", "two");
  Flush();
  EXPECT_THAT(lines_, ElementsAre("error etcd: one", "info adapter: two"));
}

TEST_F(LogTest, WithoutASinkNothingIsWanted) {
  EXPECT_FALSE(LogWanted(LogSeverity::kError));
  Collect(LogSeverity::kWarning);
  EXPECT_FALSE(LogWanted(LogSeverity::kInfo));
  EXPECT_TRUE(LogWanted(LogSeverity::kWarning));
  SetLogSink({});
  Log(LogSeverity::kError, "etcd", "nobody listens");
  Flush();
  EXPECT_FALSE(LogWanted(LogSeverity::kError));
  EXPECT_TRUE(lines_.empty());
}

TEST_F(LogTest, DropsAndCountsWhatABlockedSinkCannotTake) {
  Collect(LogSeverity::kInfo);
  std::promise<void> entered, let_go;
  ReportThread().Run([&] {
    entered.set_value();
    let_go.get_future().wait();
  });
  entered.get_future().wait();
  for (int i = 0; i < 10'003; ++i) Log(LogSeverity::kInfo, "etcd", std::to_string(i));
  let_go.set_value();
  Flush();
  ASSERT_EQ(lines_.size(), 10'001U);
  EXPECT_EQ(lines_[9'999], "info etcd: 9999");
  EXPECT_EQ(lines_[10'000], "warning log: 3 entries dropped");

  Log(LogSeverity::kInfo, "etcd", "room again");
  Flush();
  EXPECT_EQ(lines_.back(), "info etcd: room again");
}

TEST(LogSeverity, HasNames) {
  EXPECT_EQ(ToString(LogSeverity::kDebug), "debug");
  EXPECT_EQ(ToString(LogSeverity::kInfo), "info");
  EXPECT_EQ(ToString(LogSeverity::kWarning), "warning");
  EXPECT_EQ(ToString(LogSeverity::kError), "error");
}

}  // namespace
}  // namespace turnout::base
