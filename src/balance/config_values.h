// Single values of a configuration: what they may look like, and how they are shown.
#ifndef TURNOUT_SRC_BALANCE_CONFIG_VALUES_H_
#define TURNOUT_SRC_BALANCE_CONFIG_VALUES_H_

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace turnout::balance {

// 2 and 2.0, within what a double holds exactly.
std::optional<std::int64_t> WholeNumber(const nlohmann::json& value);

// "1.5s": digits, at most nine after the point.
std::optional<std::chrono::nanoseconds> ParseDuration(const nlohmann::json& value);

// "0.001s", as it may be written in a configuration.
std::string Seconds(std::chrono::milliseconds duration);

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_CONFIG_VALUES_H_
