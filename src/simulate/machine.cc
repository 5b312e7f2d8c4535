#include "src/simulate/machine.h"

#include <utility>

#include "src/simulate/variates.h"

namespace turnout::simulate {

Machine::Machine(const ServerGroup& group, bool reports_in_flight, std::uint64_t seed,
                 EventQueue& events, Answer answer)
    : group_(group),
      reports_in_flight_(reports_in_flight),
      antagonist_random_(seed),
      failure_random_(~seed),
      events_(events),
      answer_(std::move(answer)),
      processor_(static_cast<int>(group.cores), group.speed, group.discipline, events.now()),
      meter_(events.now()) {
  const Antagonist& antagonist = group.antagonist;
  if (!antagonist.present()) return;
  // As if it had come and gone for ever.
  const double on = Seconds(antagonist.mean_on);
  const double share_of_time = on / (on + Seconds(antagonist.mean_off));
  Disturb(antagonist_random_.Fraction() < share_of_time);
}

void Machine::Disturb(bool present) {
  const Antagonist& antagonist = group_.antagonist;
  antagonist_share_ =
      present ? Uniform(antagonist_random_, antagonist.least_share, antagonist.most_share) : 0;
  const double mean = Seconds(present ? antagonist.mean_on : antagonist.mean_off);
  events_.After(Nanoseconds(Exponential(antagonist_random_, mean)),
                [this, present] { Disturb(!present); });
  Apply();
}

void Machine::Apply() {
  processor_.SetSpeed(group_.speed * speed_factor_ * (1 - antagonist_share_), events_.now());
  Reschedule();
}

void Machine::Reschedule() {
  meter_.Observe(processor_.BusySeconds(events_.now()) / processor_.cores(), events_.now());
  const auto next = processor_.Next();
  const std::uint64_t schedule = ++schedule_;
  if (!next.has_value()) return;
  events_.At(next->at, [this, schedule, call = next->call] {
    if (schedule == schedule_) EndCall(call, absl::OkStatus());
  });
}

void Machine::EndCall(CallId call, const absl::Status& status) {
  processor_.Cancel(call, events_.now());
  Reschedule();
  meter_.CallEnded(status.ok());
  LoadReport report = meter_.Report();
  if (reports_in_flight_) {
    report.request_cost.emplace(
        LoadReport::kApplicationUtilization,
        static_cast<double>(processor_.calls()) / static_cast<double>(processor_.cores()));
  }
  answer_(call, status, report);
}

void Machine::Arrive(CallId call, double work) {
  if (stopped_) return answer_(call, absl::UnavailableError("connection refused"), {});
  if (group_.failing_share > 0 && failure_random_.Fraction() < group_.failing_share) {
    return EndCall(call, absl::UnavailableError("this server fails"));
  }
  processor_.Start(call, work, events_.now());
  Reschedule();
}

void Machine::Cancel(CallId call) {
  processor_.Cancel(call, events_.now());
  Reschedule();
}

void Machine::Stop() {
  stopped_ = true;
  const std::vector<CallId> ended = processor_.Clear(events_.now());
  Reschedule();
  for (const CallId call : ended) answer_(call, absl::UnavailableError("the server has ended"), {});
}

void Machine::Start(double speed_factor) {
  stopped_ = false;
  SetSpeedFactor(speed_factor);
}

void Machine::SetSpeedFactor(double factor) {
  speed_factor_ = factor;
  Apply();
}

}  // namespace turnout::simulate
