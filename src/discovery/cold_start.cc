#include "src/discovery/cold_start.h"

#include <utility>

namespace turnout::discovery {

ColdStart::ColdStart(Cache& cache, const Cache::Environment& environment,
                     std::function<void(const Lists&)> use)
    : use_(std::move(use)) {
  cache.Load([this](Lists lists) {
    // An empty list would only hide why calls fail.
    if (ended_ || lists.records.kvs.empty()) return;
    lists_ = std::move(lists);
    UseIfDue();
  });
  patience_ = environment.run_after(kPatience, [this] {
    patience_.reset();
    UseIfDue();
  });
}

void ColdStart::End() {
  ended_ = true;
  patience_.reset();
  lists_.reset();
}

void ColdStart::UseIfDue() {
  if (ended_ || patience_ != nullptr || !lists_.has_value()) return;
  ended_ = true;
  const Lists lists = *std::exchange(lists_, std::nullopt);
  use_(lists);
}

}  // namespace turnout::discovery
