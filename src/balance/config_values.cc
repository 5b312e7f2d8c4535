#include "src/balance/config_values.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

namespace turnout::balance {

using nlohmann::json;

namespace {

bool AllDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::optional<std::int64_t> WholeNumber(const json& value) {
  constexpr double kExact = 9007199254740992;  // 2^53
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (std::trunc(number) != number || std::abs(number) > kExact) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  if (!value.is_number_integer()) return std::nullopt;
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
    return std::nullopt;
  }
  return value.get<std::int64_t>();
}

std::optional<std::chrono::nanoseconds> ParseDuration(const json& value) {
  constexpr std::size_t kMostSeconds = 9;  // digits: 31 years
  constexpr std::size_t kMostFraction = 9;
  if (!value.is_string()) return std::nullopt;
  std::string_view text = value.get_ref<const std::string&>();
  if (!text.ends_with('s')) return std::nullopt;
  text.remove_suffix(1);
  const auto point = text.find('.');
  const std::string_view seconds = text.substr(0, point);
  if (!AllDigits(seconds) || seconds.size() > kMostSeconds) return std::nullopt;
  std::chrono::nanoseconds duration = std::chrono::seconds(std::stoll(std::string(seconds)));
  if (point == std::string_view::npos) return duration;
  std::string fraction(text.substr(point + 1));
  if (!AllDigits(fraction) || fraction.size() > kMostFraction) return std::nullopt;
  fraction.resize(kMostFraction, '0');
  return duration + std::chrono::nanoseconds(std::stoll(fraction));
}

std::string Seconds(std::chrono::milliseconds duration) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(duration);
  std::string text = std::to_string(whole.count());
  if (const auto rest = (duration - whole).count(); rest != 0) {
    const std::string digits = std::to_string(1000 + rest).substr(1);
    text += "." + digits.substr(0, digits.find_last_not_of('0') + 1);
  }
  return text + "s";
}

}  // namespace turnout::balance
