// For threads of the user's: asking etcd, and waiting for what the event loop answers.
#ifndef TURNOUT_SRC_REGISTRY_ASK_H_
#define TURNOUT_SRC_REGISTRY_ASK_H_

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/base/backoff.h"
#include "src/base/fork.h"
#include "src/base/mutex.h"
#include "src/etcd/client.h"
#include "src/etcd/event_loop.h"
#include "src/model/text.h"

namespace turnout::registry {

using Deadline = std::chrono::steady_clock::time_point;

inline absl::Status CheckProcess() {
  if (!base::InForkedChild()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "etcd cannot be asked in a forked child: its threads do not exist");
}

// `start` is run on the event loop, and hands its callback to a request. Nothing if there was no
// answer until the deadline; then `start` may run later still, and what it refers to must live.
template <typename T>
std::optional<absl::StatusOr<T>> AskOnce(const std::function<void(etcd::Callback<T>)>& start,
                                         Deadline deadline) {
  struct Answer {
    base::Mutex mutex;
    base::CondVar given;
    std::optional<absl::StatusOr<T>> outcome ABSL_GUARDED_BY(mutex);
  };
  auto answer = std::make_shared<Answer>();
  etcd::EventLoop::Get().Post([start, answer] {
    start([answer](absl::StatusOr<T> outcome) {
      base::MutexLock lock(answer->mutex);
      answer->outcome = std::move(outcome);
      answer->given.NotifyAll();
    });
  });
  base::MutexLock lock(answer->mutex);
  while (!answer->outcome.has_value()) {
    if (!answer->given.WaitUntil(answer->mutex, deadline)) break;
  }
  return std::move(answer->outcome);
}

// The same of requests that may be repeated: as long as etcd cannot be reached, each time the
// client asks another member. Unavailable at the deadline.
template <typename T>
absl::StatusOr<T> AskUntil(etcd::Client& client,
                           const std::function<void(etcd::Callback<T>)>& start, Deadline deadline) {
  base::Backoff backoff(std::chrono::milliseconds(50), std::chrono::milliseconds(1000));
  std::string last_error = "no answer in time";
  while (true) {
    auto outcome = AskOnce<T>(start, deadline);
    if (outcome.has_value()) {
      const absl::Status& status = outcome->status();
      if (!absl::IsUnavailable(status) && !absl::IsDeadlineExceeded(status)) {
        return *std::move(outcome);
      }
      last_error = model::Message(status);
    }
    const auto next = std::chrono::steady_clock::now() + backoff.Next();
    if (!outcome.has_value() || next >= deadline) {
      return absl::UnavailableError(
          model::Concat({"cannot reach etcd at ", client.endpoints(), ": ", last_error}));
    }
    std::this_thread::sleep_until(next);
  }
}

}  // namespace turnout::registry

#endif  // TURNOUT_SRC_REGISTRY_ASK_H_
