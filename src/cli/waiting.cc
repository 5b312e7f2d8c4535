#include "src/cli/waiting.h"

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <thread>

namespace turnout::cli {
namespace {

struct Changes {
  std::mutex mutex;
  std::condition_variable happened;
  std::uint64_t count = 0;
};

// Leaked: threads may wake us up while the process ends.
Changes& ProcessChanges() {
  static auto& changes = *new Changes;
  return changes;
}

std::atomic<int> stop_signal{0};

}  // namespace

void CatchStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([signals] {
    int signal = 0;
    while (sigwait(&signals, &signal) != 0) {
    }
    stop_signal = signal;
    WakeUp();
  }).detach();
}

int StopSignal() { return stop_signal; }

bool WaitFor(std::chrono::milliseconds limit, const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  Changes& changes = ProcessChanges();
  std::unique_lock lock(changes.mutex);
  for (;;) {
    // `done` is asked without the lock, so that it may take others.
    const std::uint64_t seen = changes.count;
    lock.unlock();
    if (done()) return true;
    if (StopSignal() != 0) return false;
    lock.lock();
    if (!changes.happened.wait_until(lock, deadline, [&] { return changes.count != seen; })) {
      lock.unlock();
      return done();
    }
  }
}

void WakeUp() {
  Changes& changes = ProcessChanges();
  const std::lock_guard lock(changes.mutex);
  ++changes.count;
  changes.happened.notify_all();
}

}  // namespace turnout::cli
