// Changes, so many a second, from a thread of its own, until it goes.
#ifndef TURNOUT_TESTS_SUPPORT_STORM_H_
#define TURNOUT_TESTS_SUPPORT_STORM_H_

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>

namespace turnout::testing {

class Storm {
 public:
  // Calls `change` with 0, 1, 2, …
  Storm(int per_second, std::function<void(int)> change)
      : change_(std::move(change)), thread_([this, per_second] { Run(per_second / 1000.0); }) {}
  ~Storm() {
    stopped_ = true;
    thread_.join();
  }
  Storm(const Storm&) = delete;
  Storm& operator=(const Storm&) = delete;

  int changes() const { return changes_; }

 private:
  // A millisecond's worth each millisecond; what a busy machine was late with is made up for.
  void Run(double per_millisecond) {
    auto next = std::chrono::steady_clock::now();
    for (double due = 0; !stopped_; std::this_thread::sleep_until(next)) {
      next += std::chrono::milliseconds(1);
      for (due += per_millisecond; due >= 1 && !stopped_; due -= 1) change_(changes_++);
    }
  }

  const std::function<void(int)> change_;
  std::atomic<bool> stopped_{false};
  std::atomic<int> changes_{0};
  std::thread thread_;
};

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_STORM_H_
