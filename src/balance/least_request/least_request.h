// Each call goes to the one of a few randomly chosen endpoints that has the fewest calls in flight
// (the power of two choices: Mitzenmacher, 2001; Envoy's least_request).
//
//   {"least_request": {"choiceCount": 2, "activeRequestBias": 1.0}}
//
// In flight are this process's calls, streams included. Where several have the fewest, the first
// drawn gets the call. With as many endpoints as choices or fewer, all are looked at.
//
// If the weights in the records differ, an endpoint stands for
//
//   weight / (in_flight + 1) ^ activeRequestBias
//
// as in Envoy: endpoints are drawn by weight (one may be drawn twice), and the call goes to one of
// those drawn with probability in proportion to 1 / (in_flight + 1) ^ activeRequestBias. So idle
// endpoints share calls exactly by weight. Drawn with 0 and 3 calls in flight, the first gets the
// call with probability 1 / (1 + 1/4) = 80%. An endpoint of weight 0 gets no calls, unless all have
// weight 0: then all count alike.
//
// Pick: O(choiceCount); reads the statistics of those drawn, writes nothing. Build: O(endpoints).
#ifndef TURNOUT_SRC_BALANCE_LEAST_REQUEST_LEAST_REQUEST_H_
#define TURNOUT_SRC_BALANCE_LEAST_REQUEST_LEAST_REQUEST_H_

#include <cstddef>

#include "turnout/picker.h"

namespace turnout::balance {

struct LeastRequestConfig {
  // How many endpoints are compared: more find a less loaded one, but herd towards it where many
  // clients see the same.
  std::size_t choice_count = 2;

  // How much calls in flight count against weight: 0 is weighted random. Equal weights need none.
  double active_request_bias = 1.0;
};

class LeastRequestBuilder final : public ChoosingPickerBuilder {
 public:
  explicit LeastRequestBuilder(LeastRequestConfig config = {}) : config_(config) {}

  std::shared_ptr<const PickerBuilder> Configure(ConfigReader& config) const override;

 protected:
  std::unique_ptr<const Picker> BuildChoice(const EndpointGroup& group) const override;

 private:
  const LeastRequestConfig config_;
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_LEAST_REQUEST_LEAST_REQUEST_H_
