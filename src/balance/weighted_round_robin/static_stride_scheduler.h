// Weighted round robin without a queue and without a lock: whose turn it is follows from the turn's
// number alone (static stride scheduling, as in gRPC's weighted_round_robin).
//
// The numbers 0, 1, 2, … go round the entries again and again. Of every M rounds, M being the
// largest weight, an entry of weight w takes part in exactly w, evenly spaced: those in which
//
//   (w · round + phase) mod M  ≥  M − w
//
// and its numbers in the other rounds are passed over. So the picks repeat after sum(weights) of
// them, and each window of that many picks has each index exactly as often as its weight says.
//
// Indices 0, 1, 2 with weights 3, 1, 2, so M = 3, and phases 0, 1, 0 (see below): 3 rounds give the
// 6 picks 0 0 1 2 0 2.
//
//              index 0 (≥ 0?)   index 1 (≥ 2?)   index 2 (≥ 1?)
//   round 0    0 picked         1                0
//   round 1    0 picked         2 picked         2 picked
//   round 2    0 picked         0                1 picked
//
// Two refinements keep picks cheap and even whatever the weights are:
// - If one is heavier than twice the mean, each that is heavier than the mean is divided into
//   entries of (almost) the same weight: of 999 times 1 and once 65,535, mean 66, the last becomes
//   993 entries of 65 or 66. There are fewer than 2n entries, and a pick looks at fewer than 2 on
//   average (exactly 1 if all weights are equal).
// - Entries that were neighbours, such as the parts of one index, are spread over the round by
// steps
//   of the golden ratio, and so are the phases, lest light ones come all at once.
//
// Making: O(n). Memory: 8 bytes an entry. Immutable, thread-safe.
#ifndef TURNOUT_SRC_BALANCE_WEIGHTED_ROUND_ROBIN_STATIC_STRIDE_SCHEDULER_H_
#define TURNOUT_SRC_BALANCE_WEIGHTED_ROUND_ROBIN_STATIC_STRIDE_SCHEDULER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace turnout::balance {

class StaticStrideScheduler {
 public:
  // None above 65,535, at least one above 0; those of weight 0 are never picked.
  explicit StaticStrideScheduler(std::span<const std::uint32_t> weights);

  // `next` gives consecutive numbers, and is asked until one is somebody's turn.
  template <typename Next>
  std::size_t Pick(Next next) const {
    while (true) {
      const std::uint64_t number = next();
      const Entry& entry = entries_[number % entries_.size()];
      const auto round = static_cast<std::uint32_t>(number / entries_.size() % most_);
      if ((entry.weight * round + entry.phase) % most_ >= most_ - entry.weight) return entry.index;
    }
  }

 private:
  struct Entry {
    std::uint16_t weight;
    std::uint16_t phase;
    std::uint32_t index;
  };

  std::vector<Entry> entries_;
  std::uint32_t most_;  // the largest weight of an entry
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_WEIGHTED_ROUND_ROBIN_STATIC_STRIDE_SCHEDULER_H_
