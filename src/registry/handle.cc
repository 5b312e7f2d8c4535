#include "src/registry/handle.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/etcd/client.h"
#include "src/etcd/event_loop.h"
#include "src/model/names.h"

namespace turnout::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using enum RegistrationState;

// Announcing and deleting may each take so long: with a margin, they make the 2 s that
// DrainAndShutdown states beside its delay and deadline.
constexpr milliseconds kAnnounceLimit{900};
constexpr milliseconds kDeleteLimit{900};
constexpr milliseconds kDestructorLimit{1000};

// What a user may give as "for ever" must not overflow a time point.
constexpr milliseconds kLongestWait = std::chrono::hours(24 * 365);

steady_clock::time_point After(milliseconds wait) {
  return steady_clock::now() + std::min(wait, kLongestWait);
}

}  // namespace

Handle::Handle(Instance instance, const RegistrarOptions& options)
    : drain_delay_(options.drain_delay),
      id_(instance.id),
      address_(instance.address()),
      key_(model::Keys(options.registry.prefix).Record(instance.service, instance.id)) {
  Registration::Plan plan{
      .instance = std::move(instance),
      .key = key_,
      .state_key = model::Keys(options.registry.prefix).State(options.service, id_),
      .lease_ttl = options.lease_ttl};
  registration_ = std::make_shared<Registration>(
      std::move(plan), etcd::Client::For(options.registry),
      [](milliseconds delay, std::function<void()> task) {
        return etcd::EventLoop::Get().RunAfter(delay, std::move(task));
      },
      [this](RegistrationState state, const absl::Status& error) { OnState(state, error); });
  Post([](Registration& registration) { registration.Begin(); });
}

Handle::~Handle() {
  if (BeginToEnd()) EndWithin(kDestructorLimit);
  // An end that has not come about yet goes on without us.
  etcd::EventLoop::Get().RunAndWait([this] {
    registration_->Detach();
    registration_.reset();
  });
}

absl::Status Handle::WaitUntilRegistered(milliseconds timeout) {
  const auto deadline = After(timeout);
  base::MutexLock lock(mutex_);
  bool in_time = true;
  while (state_ != kRegistered && !ending_ && in_time) {
    in_time = changed_.WaitUntil(mutex_, deadline);
  }
  if (state_ == kRegistered) return absl::OkStatus();
  if (ending_) return absl::FailedPreconditionError(absl::StrCat(key_, ": has been ended"));
  return absl::DeadlineExceededError(
      absl::StrCat(key_, " is ", std::string(ToString(state_)), " after ", timeout.count(),
                   " ms: ", last_error_.ok() ? "no error so far" : last_error_.message()));
}

bool Handle::DrainAndDeregister() {
  if (!BeginToEnd()) return false;
  if (AnnounceDraining()) std::this_thread::sleep_for(drain_delay_);
  EndWithin(kDeleteLimit);
  return true;
}

RegistrationState Handle::state() const {
  base::MutexLock lock(mutex_);
  return state_;
}

absl::Status Handle::last_error() const {
  base::MutexLock lock(mutex_);
  return last_error_;
}

void Handle::Post(std::function<void(Registration&)> task) {
  etcd::EventLoop::Get().Post(
      [registration = registration_, task = std::move(task)] { task(*registration); });
}

bool Handle::BeginToEnd() {
  base::MutexLock lock(mutex_);
  changed_.NotifyAll();
  return !std::exchange(ending_, true);
}

bool Handle::AnnounceDraining() {
  Post([this](Registration& registration) {
    registration.Drain([this](bool listed) {
      base::MutexLock lock(mutex_);
      announced_ = true;
      listed_ = listed;
      changed_.NotifyAll();
    });
  });
  const auto deadline = After(kAnnounceLimit);
  base::MutexLock lock(mutex_);
  while (!announced_ && changed_.WaitUntil(mutex_, deadline)) {
  }
  return listed_;
}

void Handle::EndWithin(milliseconds limit) {
  Post([this](Registration& registration) {
    registration.End([this] {
      base::MutexLock lock(mutex_);
      ended_ = true;
      changed_.NotifyAll();
    });
  });
  const auto deadline = After(limit);
  base::MutexLock lock(mutex_);
  while (!ended_ && changed_.WaitUntil(mutex_, deadline)) {
  }
  ended_ = true;
  state_ = kEnded;
}

void Handle::OnState(RegistrationState state, const absl::Status& error) {
  base::MutexLock lock(mutex_);
  last_error_ = error;
  if (!ended_) state_ = state;
  changed_.NotifyAll();
}

}  // namespace turnout::registry
