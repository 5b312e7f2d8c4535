// The numbers of turns, which go on when a picker is built anew.
#ifndef TURNOUT_SRC_BALANCE_WEIGHTED_ROUND_ROBIN_SEQUENCES_H_
#define TURNOUT_SRC_BALANCE_WEIGHTED_ROUND_ROBIN_SEQUENCES_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "src/base/mutex.h"

namespace turnout::balance {

// One sequence for each key that a picker uses. Thread-safe; Next is lock-free.
class Sequences {
 public:
  class Sequence {
   public:
    explicit Sequence(std::uint64_t first) : next_(first) {}
    std::uint64_t Next() { return next_.fetch_add(1, std::memory_order_relaxed); }

   private:
    std::atomic<std::uint64_t> next_;  // 64 bits do not run over
  };

  // That of the picker that has `key` now; a new one, from `first` on, if there is none.
  std::shared_ptr<Sequence> For(const std::string& key, std::uint64_t first);

  std::size_t size() const;  // for tests

 private:
  mutable base::Mutex mutex_;
  // Those whose pickers have gone are dropped whenever their number may have doubled.
  std::map<std::string, std::weak_ptr<Sequence>> by_key_ ABSL_GUARDED_BY(mutex_);
  std::size_t drop_at_ ABSL_GUARDED_BY(mutex_) = kFewest;

  static constexpr std::size_t kFewest = 16;
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_WEIGHTED_ROUND_ROBIN_SEQUENCES_H_
