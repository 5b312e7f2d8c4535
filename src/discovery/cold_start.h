// A start while etcd is away: what the cache holds is used if etcd does not answer in time.
//
// Lives on one thread, as the cache does.
#ifndef TURNOUT_SRC_DISCOVERY_COLD_START_H_
#define TURNOUT_SRC_DISCOVERY_COLD_START_H_

#include <chrono>
#include <functional>
#include <optional>

#include "src/discovery/cache.h"

namespace turnout::discovery {

class ColdStart {
 public:
  // Long enough for an election among etcd's members to end; calls wait longer than that for a
  // first snapshot.
  static constexpr std::chrono::milliseconds kPatience{2000};

  // Begins to wait, and calls `use` at most once, never from within. `cache` ends no later than
  // this.
  ColdStart(Cache& cache, const Cache::Environment& environment,
            std::function<void(const Lists&)> use);
  ColdStart(const ColdStart&) = delete;
  ColdStart& operator=(const ColdStart&) = delete;

  // etcd has answered.
  void End();

 private:
  void UseIfDue();

  const std::function<void(const Lists&)> use_;
  std::optional<Lists> lists_;
  Cache::Environment::Timer patience_;  // null: it is at its end
  bool ended_ = false;
};

}  // namespace turnout::discovery

#endif  // TURNOUT_SRC_DISCOVERY_COLD_START_H_
