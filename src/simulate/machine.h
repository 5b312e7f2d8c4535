// One simulated server: its processor, what disturbs it, and what it says of its load.
#ifndef TURNOUT_SRC_SIMULATE_MACHINE_H_
#define TURNOUT_SRC_SIMULATE_MACHINE_H_

#include <functional>
#include <vector>

#include "src/base/random.h"
#include "src/simulate/event_queue.h"
#include "src/simulate/load_meter.h"
#include "src/simulate/processor.h"
#include "src/simulate/scenario.h"
#include "turnout/load_report.h"

namespace turnout::simulate {

class Machine {
 public:
  using Answer = std::function<void(CallId, const absl::Status&, const LoadReport&)>;

  // `answer` is called whenever a call has been dealt with. Antagonists and failures come from
  // `seed`: the same whatever calls arrive. The queue outlives the machine's events.
  Machine(const ServerGroup& group, bool reports_in_flight, std::uint64_t seed, EventQueue& events,
          Answer answer);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  void Arrive(CallId call, double work);
  void Cancel(CallId call);

  // While stopped, it refuses calls. Stopping ends those that it has.
  void Stop();
  void Start(double speed_factor);
  void SetSpeedFactor(double factor);  // how warm it is
  bool stopped() const { return stopped_; }

  const ServerGroup& group() const { return group_; }
  const Processor& processor() const { return processor_; }

 private:
  void Apply();       // the speed that follows from everything
  void Reschedule();  // the next completion, after any change
  void EndCall(CallId call, const absl::Status& status);
  void Disturb(bool present);

  const ServerGroup& group_;
  const bool reports_in_flight_;
  base::SeededRandom antagonist_random_;
  base::SeededRandom failure_random_;
  EventQueue& events_;
  const Answer answer_;
  Processor processor_;
  LoadMeter meter_;
  double antagonist_share_ = 0;
  double speed_factor_ = 1;
  bool stopped_ = false;
  std::uint64_t schedule_ = 0;  // the completion that was scheduled last; earlier ones are void
};

}  // namespace turnout::simulate

#endif  // TURNOUT_SRC_SIMULATE_MACHINE_H_
