#include "src/base/fork.h"

#include <pthread.h>

#include <atomic>

namespace turnout::base {
namespace {

// A plain flag, set by the child itself: asking costs a load, and no system call.
std::atomic<bool> in_forked_child{false};

void MarkChild() { in_forked_child.store(true, std::memory_order_relaxed); }

}  // namespace

void NoteOwningProcess() {
  [[maybe_unused]] static const int registered = pthread_atfork(nullptr, nullptr, MarkChild);
}

bool InForkedChild() { return in_forked_child.load(std::memory_order_relaxed); }

}  // namespace turnout::base
