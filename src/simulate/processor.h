// The cores of one server, and the calls that they work on. Pure: it is told the time.
//
// Work is counted in seconds of one core at speed 1. All running calls progress at the same rate,
// so one number, how much work each call since the beginning would have got ("served"), stands for
// all of them: a call that starts at served = 7.0 with 0.2 of work is done when served reaches 7.2,
// whatever the rate does in between. Start, Cancel, Finish: O(log calls).
#ifndef TURNOUT_SRC_SIMULATE_PROCESSOR_H_
#define TURNOUT_SRC_SIMULATE_PROCESSOR_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "src/base/clock.h"

namespace turnout::simulate {

using CallId = std::uint64_t;

enum class Discipline {
  kProcessorSharing,  // all calls run; n calls on c cores each get c/n of a core, at most one
  kFifo,              // c calls run, each on a core; the others wait for their turn
};

class Processor {
 public:
  Processor(int cores, double speed, Discipline discipline, base::TimePoint now);

  void Start(CallId call, double work, base::TimePoint now);
  void Cancel(CallId call, base::TimePoint now);  // nothing if it is not here
  void SetSpeed(double speed, base::TimePoint now);
  // Ends all calls.
  std::vector<CallId> Clear(base::TimePoint now);

  // When the first of the running calls is done if nothing changes, and which it is.
  struct Completion {
    base::TimePoint at;
    CallId call;
  };
  std::optional<Completion> Next() const;
  void Finish(CallId call, base::TimePoint now) { Cancel(call, now); }

  std::size_t calls() const { return running_.size() + waiting_.size(); }
  int cores() const { return cores_; }
  double speed() const { return speed_; }
  // Core-seconds that were in use until now, by calls of ours.
  double BusySeconds(base::TimePoint now) const;

  // What one more call with so much work would cost, in seconds. FIFO: how long it would take.
  // Shared cores: how long, at the rate that it would have at first, and by how much it would delay
  // the others in that time.
  double CostOf(double work, base::TimePoint now) const;

 private:
  double Rate(std::size_t running) const;  // of each running call
  double Served(base::TimePoint now) const;
  void Advance(base::TimePoint now);
  void Admit();
  double QueuedSeconds(double work, double served) const;

  const int cores_;
  const Discipline discipline_;
  double speed_;
  double served_ = 0;
  double busy_seconds_ = 0;
  base::TimePoint at_;  // when served_ and busy_seconds_ were right

  struct Waiting {
    CallId call;
    double work;
  };
  std::set<std::pair<double, CallId>> running_;  // by what `served` is when they are done
  std::unordered_map<CallId, double> done_at_;   // of the running ones
  std::deque<Waiting> waiting_;                  // of kFifo alone
};

}  // namespace turnout::simulate

#endif  // TURNOUT_SRC_SIMULATE_PROCESSOR_H_
