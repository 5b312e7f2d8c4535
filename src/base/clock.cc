#include "src/base/clock.h"

#include <utility>

namespace turnout::base {
namespace {

thread_local constinit const TimePoint* scoped_now = nullptr;

}  // namespace

TimePoint Now() {
  return scoped_now == nullptr ? std::chrono::steady_clock::now() : *scoped_now;
}

ScopedClock::ScopedClock(const TimePoint& now) : before_(std::exchange(scoped_now, &now)) {}
ScopedClock::~ScopedClock() { scoped_now = before_; }

}  // namespace turnout::base
