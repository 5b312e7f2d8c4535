// What can be wrong with gRPC's outlier detection in a service config without gRPC minding.
#ifndef TURNOUT_SRC_BALANCE_OUTLIER_DETECTION_H_
#define TURNOUT_SRC_BALANCE_OUTLIER_DETECTION_H_

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "src/balance/config_place.h"

namespace turnout::balance {

inline constexpr std::string_view kOutlierDetection = "outlier_detection_experimental";

// `config`: the policy's object. Reports what gRPC takes but cannot be meant: algorithms that never
// eject because `enforcementPercentage` is missing, and an interval of no length.
void CheckOutlierDetection(const nlohmann::json& config, const Place& place);

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_OUTLIER_DETECTION_H_
