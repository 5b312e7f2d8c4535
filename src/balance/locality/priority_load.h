// How calls spread over levels of preference, by how much of each level is healthy. Pure.
#ifndef TURNOUT_SRC_BALANCE_LOCALITY_PRIORITY_LOAD_H_
#define TURNOUT_SRC_BALANCE_LOCALITY_PRIORITY_LOAD_H_

#include <cstddef>
#include <span>
#include <vector>

namespace turnout::balance {

struct LevelHealth {
  std::size_t healthy = 0;  // of `total`
  std::size_t total = 0;
};

// The share of calls for each level, best first; their sum is 1, or 0 if nothing is healthy.
//
// A level can take min(1, overprovisioning × healthy / total) of the calls: with 1.4, it takes all
// of them until less than 5/7 of it are healthy. Each takes what it can, and the rest spills to the
// next. If all together can't take everything, each takes more, in proportion.
//
//   healthy/total    can take            load
//   5/10, 9/9        0.7, 1              0.7, 0.3
//   8/10, 9/9        1 (not 1.12), 1     1, 0
//   2/10, 1/10       0.28, 0.14          0.667, 0.333
//
// Source: Envoy's priority levels.
std::vector<double> PriorityLoads(std::span<const LevelHealth> levels, double overprovisioning);

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_LOCALITY_PRIORITY_LOAD_H_
