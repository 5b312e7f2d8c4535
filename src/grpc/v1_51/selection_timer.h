// Times what a channel does for each new call before its first pick: the rules' decision, with
// gRPC's own metadata and arenas. For benchmarks: not part of the library.
#ifndef TURNOUT_SRC_GRPC_V1_51_SELECTION_TIMER_H_
#define TURNOUT_SRC_GRPC_V1_51_SELECTION_TIMER_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "src/route/router.h"

namespace turnout::adapter {

class SelectionTimer {
 public:
  // `router`: null for a service without rules. Calls are to `path`, with `metadata`.
  SelectionTimer(std::shared_ptr<const route::Router> router, const std::string& path,
                 const std::vector<std::pair<std::string, std::string>>& metadata);
  ~SelectionTimer();
  SelectionTimer(const SelectionTimer&) = delete;
  SelectionTimer& operator=(const SelectionTimer&) = delete;

  // Nanoseconds for one of `calls` that are made one after another.
  double Measure(int calls);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace turnout::adapter

#endif  // TURNOUT_SRC_GRPC_V1_51_SELECTION_TIMER_H_
