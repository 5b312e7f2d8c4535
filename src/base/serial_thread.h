// A named thread that runs closures in order. Never destroyed: process-wide threads outlive main.
#ifndef TURNOUT_SRC_BASE_SERIAL_THREAD_H_
#define TURNOUT_SRC_BASE_SERIAL_THREAD_H_

#include <cstddef>
#include <functional>
#include <string>

namespace turnout::base {

class SerialThread {
 public:
  explicit SerialThread(std::string name);  // started on first use
  ~SerialThread() = delete;

  // From any thread; never blocks. In a forked child the task is dropped.
  void Run(std::function<void()> task);
  bool OnThread() const;
  std::size_t waiting() const;

 private:
  struct Impl;
  Impl* impl_;
};

SerialThread& DeliveryThread();  // snapshots to channels and watchers: "turnout-deliver"
SerialThread& ReportThread();    // log entries and events to the user: "turnout-report"

}  // namespace turnout::base

#endif  // TURNOUT_SRC_BASE_SERIAL_THREAD_H_
