// What is known to be wrong with one member, so that errors say it, and nobody tries in vain.
#ifndef TURNOUT_SRC_ETCD_DIAGNOSIS_H_
#define TURNOUT_SRC_ETCD_DIAGNOSIS_H_

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "src/base/backoff.h"
#include "src/etcd/event_loop.h"
#include "src/etcd/transport.h"

namespace turnout::etcd {

// Used on the event loop's thread. Lives as long as its transport.
class Diagnosis {
 public:
  Diagnosis(std::string endpoint, Transport& transport)
      : endpoint_(std::move(endpoint)), transport_(transport) {}

  // OK, or what an attempt to connect would surely fail with now: it may be made when the backoff
  // is over, or files have changed.
  absl::Status Standing() const;

  // After a failed attempt: `then` is called with the cause, or OK if it is not found, or not
  // within a second. At once, if there is nothing to wait for.
  void Explain(std::function<void(const absl::Status&)> then);

  void Forget();  // what was wrong: files have changed

 private:
  using Clock = std::chrono::steady_clock;

  struct Waiter {
    std::function<void(const absl::Status&)> then;
    std::unique_ptr<EventLoop::Timer> limit;
  };

  void OnFinding(const Transport::Finding& finding);
  void GiveUp(std::list<Waiter>::iterator waiter);

  const std::string endpoint_;
  Transport& transport_;
  bool examining_ = false;
  std::list<Waiter> waiters_;
  absl::Status fault_;
  Clock::time_point
      not_before_;  // the next attempt while there is a fault, or the next examination
  base::Backoff backoff_{std::chrono::milliseconds(200), std::chrono::milliseconds(10000)};
};

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_DIAGNOSIS_H_
