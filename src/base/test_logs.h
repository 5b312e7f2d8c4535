// For tests: what is logged while this object lives.
#ifndef TURNOUT_SRC_BASE_TEST_LOGS_H_
#define TURNOUT_SRC_BASE_TEST_LOGS_H_

#include <algorithm>
#include <future>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/serial_thread.h"
#include "turnout/log.h"

namespace turnout::base {

class TestLogs {
 public:
  TestLogs() {
    SetLogSink([this](const LogEntry& entry) {
      const std::lock_guard<std::mutex> lock(mutex_);
      messages_.emplace_back(entry.message);
    });
  }
  ~TestLogs() {
    SetLogSink(nullptr);
    AwaitDelivery();
  }
  TestLogs(const TestLogs&) = delete;
  TestLogs& operator=(const TestLogs&) = delete;

  // Of all that has been logged until now.
  std::vector<std::string> Messages() {
    AwaitDelivery();
    const std::lock_guard<std::mutex> lock(mutex_);
    return messages_;
  }
  // How many of them contain `text`.
  int Count(std::string_view text) {
    const auto messages = Messages();
    return static_cast<int>(std::count_if(
        messages.begin(), messages.end(),
        [&](const std::string& message) { return message.find(text) != std::string::npos; }));
  }

 private:
  static void AwaitDelivery() {
    std::promise<void> delivered;
    ReportThread().Run([&] { delivered.set_value(); });
    delivered.get_future().wait();
  }

  std::mutex mutex_;
  std::vector<std::string> messages_;
};

}  // namespace turnout::base

#endif  // TURNOUT_SRC_BASE_TEST_LOGS_H_
