// The weights that instances state in their records.
#ifndef TURNOUT_SRC_BALANCE_RECORD_WEIGHTS_H_
#define TURNOUT_SRC_BALANCE_RECORD_WEIGHTS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "turnout/endpoint.h"

namespace turnout::balance {

// One for each endpoint, none above 65,535. If all are 0, all are 1: an endpoint of weight 0 gets
// no calls, but a service gets its calls. O(n), and reads every record.
std::vector<std::uint32_t> RecordWeights(std::span<const Endpoint* const> endpoints);

// Are they all the same? Of none, they are.
bool AllEqual(std::span<const std::uint32_t> weights);

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_RECORD_WEIGHTS_H_
