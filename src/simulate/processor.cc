#include "src/simulate/processor.h"

#include <algorithm>
#include <queue>

#include "src/simulate/event_queue.h"

namespace turnout::simulate {

Processor::Processor(int cores, double speed, Discipline discipline, base::TimePoint now)
    : cores_(cores), discipline_(discipline), speed_(speed), at_(now) {}

double Processor::Rate(std::size_t running) const {
  if (running <= static_cast<std::size_t>(cores_)) return speed_;
  return speed_ * cores_ / static_cast<double>(running);
}

double Processor::Served(base::TimePoint now) const {
  return served_ + Rate(running_.size()) * Seconds(now - at_);
}

double Processor::BusySeconds(base::TimePoint now) const {
  const auto in_use = std::min<std::size_t>(running_.size(), static_cast<std::size_t>(cores_));
  return busy_seconds_ + static_cast<double>(in_use) * Seconds(now - at_);
}

void Processor::Advance(base::TimePoint now) {
  const double served = Served(now);
  busy_seconds_ = BusySeconds(now);
  served_ = served;
  at_ = now;
}

void Processor::Admit() {
  while (!waiting_.empty() && running_.size() < static_cast<std::size_t>(cores_)) {
    const auto [call, work] = waiting_.front();
    waiting_.pop_front();
    running_.emplace(served_ + work, call);
    done_at_.emplace(call, served_ + work);
  }
}

void Processor::Start(CallId call, double work, base::TimePoint now) {
  Advance(now);
  if (discipline_ == Discipline::kFifo) {
    waiting_.push_back({call, work});
    return Admit();
  }
  running_.emplace(served_ + work, call);
  done_at_.emplace(call, served_ + work);
}

void Processor::Cancel(CallId call, base::TimePoint now) {
  Advance(now);
  if (const auto found = done_at_.find(call); found != done_at_.end()) {
    running_.erase({found->second, call});
    done_at_.erase(found);
    return Admit();
  }
  std::erase_if(waiting_, [call](const Waiting& waiting) { return waiting.call == call; });
}

void Processor::SetSpeed(double speed, base::TimePoint now) {
  Advance(now);
  speed_ = speed;
}

std::vector<CallId> Processor::Clear(base::TimePoint now) {
  Advance(now);
  std::vector<CallId> ended;
  ended.reserve(calls());
  for (const auto& [done_at, call] : running_) ended.push_back(call);
  for (const Waiting& waiting : waiting_) ended.push_back(waiting.call);
  running_.clear();
  done_at_.clear();
  waiting_.clear();
  return ended;
}

std::optional<Processor::Completion> Processor::Next() const {
  if (running_.empty() || speed_ <= 0) return std::nullopt;
  const auto& [done_at, call] = *running_.begin();
  const double left = std::max(0.0, done_at - served_);
  return Completion{at_ + Nanoseconds(left / Rate(running_.size())), call};
}

// n calls, the new one included, on c cores of speed s: each progresses at s·c/n, at most s. Up to
// c the new one takes nothing from the others. Above, n - 1 calls fall back from c/(n-1) to c/n:
// all calls together are (n² - (n-1)²)/(c·s) = (2n - 1)/(c·s) slower. On 4 cores of speed 1, the
// fourth call costs its work once, the fifth 9/4 times, the sixth 11/4 times.
double Processor::CostOf(double work, base::TimePoint now) const {
  if (discipline_ == Discipline::kFifo) return QueuedSeconds(work, Served(now));
  const auto count = static_cast<double>(running_.size() + 1);
  return work / speed_ * (count <= cores_ ? 1 : (2 * count - 1) / cores_);
}

// Each waiting call takes the core that is free first; the new one comes last.
double Processor::QueuedSeconds(double work, double served) const {
  std::priority_queue<double, std::vector<double>, std::greater<>> free_at;
  for (const auto& [done_at, call] : running_) free_at.push((done_at - served) / speed_);
  while (free_at.size() < static_cast<std::size_t>(cores_)) free_at.push(0);
  for (const Waiting& waiting : waiting_) {
    const double start = free_at.top();
    free_at.pop();
    free_at.push(start + waiting.work / speed_);
  }
  return free_at.top() + work / speed_;
}

}  // namespace turnout::simulate
