// Each call goes to the one of a few randomly chosen endpoints at which it should be answered
// first: by the latency that its calls have had lately, times the calls that it has in flight
// (Finagle's Peak EWMA with the power of two choices).
//
//   {"peak_ewma": {"choiceCount": 2, "failurePenalty": "1s"}}
//
// The latency rises at once with a slow answer and decays with a time constant of 10 s (see
// turnout/stats.h). Failures count as latency of failurePenalty, so that an instance that fails
// fast does not attract calls. One that is new is taken to be as fast as the group. See cost.h.
//
// Pick: O(choiceCount); reads the clock and the statistics of those drawn, writes nothing.
// Build: O(endpoints), and reads the statistics of all.
#ifndef TURNOUT_SRC_BALANCE_PEAK_EWMA_PEAK_EWMA_H_
#define TURNOUT_SRC_BALANCE_PEAK_EWMA_PEAK_EWMA_H_

#include <chrono>
#include <cstddef>

#include "turnout/picker.h"

namespace turnout::balance {

struct PeakEwmaConfig {
  // How many endpoints are compared.
  std::size_t choice_count = 2;

  // How long a call that fails counts as having taken: about what a caller loses by it. More than
  // the service's usual latency, or failures are no disadvantage.
  std::chrono::milliseconds failure_penalty{1'000};
};

class PeakEwmaBuilder final : public ChoosingPickerBuilder {
 public:
  explicit PeakEwmaBuilder(PeakEwmaConfig config = {}) : config_(config) {}

  std::shared_ptr<const PickerBuilder> Configure(ConfigReader& config) const override;

 protected:
  std::unique_ptr<const Picker> BuildChoice(const EndpointGroup& group) const override;

 private:
  const PeakEwmaConfig config_;
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_PEAK_EWMA_PEAK_EWMA_H_
