#include "src/route/caller.h"

#include <map>
#include <optional>
#include <utility>

#include "src/base/fork.h"
#include "src/base/mutex.h"

namespace turnout {
namespace {

struct State {
  base::Mutex mutex;
  std::optional<Caller> stated ABSL_GUARDED_BY(mutex);
  std::optional<Caller> registered ABSL_GUARDED_BY(mutex);
  int next_id ABSL_GUARDED_BY(mutex) = 0;
  std::map<int, std::function<void()>> listeners ABSL_GUARDED_BY(mutex);

  Caller Current() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    return stated.has_value() ? *stated : registered.value_or(Caller());
  }
};

State& TheState() {
  static State& state = *new State;
  return state;
}

template <typename Change>
void Apply(const Change& change) {
  State& state = TheState();
  const base::MutexLock lock(state.mutex);
  const Caller before = state.Current();
  change(state);
  if (state.Current() == before) return;
  for (const auto& [id, changed] : state.listeners) changed();
}

class Listening final : public route::CallerSubscription {
 public:
  explicit Listening(int id) : id_(id) {}
  ~Listening() override {
    if (base::InForkedChild()) return;  // where the mutex may be held for ever
    State& state = TheState();
    const base::MutexLock lock(state.mutex);
    state.listeners.erase(id_);
  }

 private:
  const int id_;
};

}  // namespace

void SetCaller(Caller caller) {
  Apply([&](State& state) ABSL_NO_THREAD_SAFETY_ANALYSIS { state.stated = std::move(caller); });
}

Caller GetCaller() {
  State& state = TheState();
  const base::MutexLock lock(state.mutex);
  return state.Current();
}

void route::SetCallerByRegistration(Caller caller) {
  Apply([&](State& state) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (!state.registered.has_value()) state.registered = std::move(caller);
  });
}

std::unique_ptr<route::CallerSubscription> route::OnCallerChange(std::function<void()> changed) {
  State& state = TheState();
  const base::MutexLock lock(state.mutex);
  const int id = state.next_id++;
  state.listeners.emplace(id, std::move(changed));
  return std::make_unique<Listening>(id);
}

}  // namespace turnout
