#include "src/balance/round_robin/round_robin.h"

#include <atomic>
#include <cstdint>

#include "src/base/random.h"

namespace turnout::balance {
namespace {

class RoundRobinPicker final : public Picker {
 public:
  RoundRobinPicker(std::span<const Endpoint* const> ready, std::uint64_t first)
      : ready_(ready), next_(first) {}

  PickResult Pick(const PickArgs&) const override {
    const std::uint64_t turn = next_.fetch_add(1, std::memory_order_relaxed);
    return PickResult::To(*ready_[turn % ready_.size()]);
  }

 private:
  const std::span<const Endpoint* const> ready_;
  mutable std::atomic<std::uint64_t> next_;  // 64 bits do not run over
};

}  // namespace

std::unique_ptr<const Picker> RoundRobinBuilder::BuildChoice(const EndpointGroup& group) const {
  const auto ready = group.candidates();
  return std::make_unique<RoundRobinPicker>(ready, base::ThreadRandom().Below(ready.size()));
}

}  // namespace turnout::balance
