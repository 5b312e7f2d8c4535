#include "src/simulate/event_queue.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace turnout::simulate {

bool EventQueue::IsLater(const Event& a, const Event& b) {
  return std::tie(a.time, a.number) > std::tie(b.time, b.number);
}

void EventQueue::At(base::TimePoint time, Action action) {
  heap_.push_back({std::max(time, now_), added_++, std::move(action)});
  std::ranges::push_heap(heap_, IsLater);
}

bool EventQueue::RunNext() {
  if (heap_.empty()) return false;
  std::ranges::pop_heap(heap_, IsLater);
  const Event event = std::move(heap_.back());
  heap_.pop_back();
  now_ = event.time;
  event.action();
  return true;
}

std::chrono::nanoseconds Nanoseconds(double seconds) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::ceil(seconds * 1e9)));
}

double Seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace turnout::simulate
