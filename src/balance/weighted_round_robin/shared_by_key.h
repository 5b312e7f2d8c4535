// What the pickers of a group hand on to those that are built after them.
#ifndef TURNOUT_SRC_BALANCE_WEIGHTED_ROUND_ROBIN_SHARED_BY_KEY_H_
#define TURNOUT_SRC_BALANCE_WEIGHTED_ROUND_ROBIN_SHARED_BY_KEY_H_

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "src/base/mutex.h"

namespace turnout::balance {

// One T for each key, for as long as somebody has it. Thread-safe.
template <typename T>
class SharedByKey {
 public:
  // The one that somebody has; a new one, made of `arguments`, if nobody does.
  template <typename... Arguments>
  std::shared_ptr<T> For(const std::string& key, const Arguments&... arguments) {
    const base::MutexLock lock(mutex_);
    if (by_key_.size() >= drop_at_) {
      std::erase_if(by_key_, [](const auto& entry) { return entry.second.expired(); });
      drop_at_ = std::max(kFewest, 2 * by_key_.size());
    }
    std::weak_ptr<T>& known = by_key_[key];
    std::shared_ptr<T> shared = known.lock();
    if (shared == nullptr) {
      shared = std::make_shared<T>(arguments...);
      known = shared;
    }
    return shared;
  }

  std::size_t size() const {  // for tests
    const base::MutexLock lock(mutex_);
    return by_key_.size();
  }

 private:
  static constexpr std::size_t kFewest = 16;

  mutable base::Mutex mutex_;
  // Those that nobody has are dropped whenever the number may have doubled.
  std::map<std::string, std::weak_ptr<T>> by_key_ ABSL_GUARDED_BY(mutex_);
  std::size_t drop_at_ ABSL_GUARDED_BY(mutex_) = kFewest;
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_WEIGHTED_ROUND_ROBIN_SHARED_BY_KEY_H_
