#include "src/etcd/diagnosis.h"

#include <utility>

namespace turnout::etcd {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{1000};
// While a member is merely away, it is not connected to a second time at every request.
constexpr milliseconds kBetweenExaminations{1000};

}  // namespace

absl::Status Diagnosis::Standing() const {
  return Clock::now() < not_before_ ? fault_ : absl::OkStatus();
}

void Diagnosis::Explain(std::function<void(const absl::Status&)> then) {
  if (!examining_ && Clock::now() < not_before_) return then(fault_);
  const auto waiter = waiters_.insert(waiters_.end(), {std::move(then), nullptr});
  waiter->limit = EventLoop::Get().RunAfter(kPatience, [this, waiter] { GiveUp(waiter); });
  if (std::exchange(examining_, true)) return;
  transport_.Examine(endpoint_, [this](const Transport::Finding& finding) { OnFinding(finding); });
}

void Diagnosis::Forget() {
  fault_ = absl::OkStatus();
  not_before_ = {};
  backoff_.Reset();
}

void Diagnosis::OnFinding(const Transport::Finding& finding) {
  examining_ = false;
  fault_ = finding.fault;
  if (fault_.ok()) backoff_.Reset();
  not_before_ = Clock::now() + (fault_.ok() ? kBetweenExaminations : backoff_.Next());
  const absl::Status cause =
      fault_.ok() && finding.files_have_changed
          ? absl::UnavailableError("the TLS files have changed; trying again with them")
          : fault_;
  for (const Waiter& waiter : std::exchange(waiters_, {})) waiter.then(cause);
}

void Diagnosis::GiveUp(std::list<Waiter>::iterator waiter) {
  const Waiter taken = std::move(*waiter);
  waiters_.erase(waiter);
  taken.then(absl::OkStatus());
}

}  // namespace turnout::etcd
