// The thread that keeps leases alive and watches running: one for the process, on a completion
// queue of its own. User code never runs on it, and nothing on it blocks.
//
// Everything in etcd/, registry/ and discovery/ that has state lives on this thread, and so needs
// no locks: other threads come in by Post.
#ifndef TURNOUT_SRC_ETCD_EVENT_LOOP_H_
#define TURNOUT_SRC_ETCD_EVENT_LOOP_H_

#include <chrono>
#include <functional>
#include <memory>

namespace grpc {
class CompletionQueue;
}

namespace turnout::etcd {

class EventLoop {
 public:
  // Started on first use, never destroyed.
  static EventLoop& Get();

  // Runs `task` on the loop's thread, after those posted before. From any thread.
  void Post(std::function<void()> task);

  // Runs `task` on the loop's thread after `delay`, unless the timer is destroyed or Cancelled
  // before. Timers are made, cancelled and destroyed on the loop's thread only.
  class Timer {
   public:
    virtual ~Timer() = default;
  };
  std::unique_ptr<Timer> RunAfter(std::chrono::milliseconds delay, std::function<void()> task);

  // Post, and wait until it has run; runs it at once when called on the loop's thread. False,
  // without running it, in a forked child, where the thread does not exist.
  bool RunAndWait(const std::function<void()>& task);

  bool OnThread() const;

  // Operations are started with a Tag and end with one call of Done, on the loop's thread.
  class Tag {
   public:
    virtual ~Tag() = default;
    virtual void Done(bool ok) = 0;
  };
  grpc::CompletionQueue* queue();

 private:
  EventLoop();
  ~EventLoop() = delete;
  struct Impl;
  Impl* impl_;
};

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_EVENT_LOOP_H_
