#include "turnout/config_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "src/balance/config_place.h"
#include "src/balance/json.h"
#include "src/balance/picker_list.h"
#include "src/balance/text.h"
#include "src/model/text.h"

namespace turnout {

using balance::Shown;
using model::Concat;
using nlohmann::json;

class ConfigReader::Impl {
 public:
  Impl(const json& object, balance::Place place) : object_(object), place_(std::move(place)) {}

  // Null if it is missing.
  const json* Find(std::string_view key) {
    if (std::ranges::find(asked_, key) == asked_.end()) asked_.emplace_back(key);
    const auto found = object_.find(std::string(key));
    return found == object_.end() ? nullptr : &*found;
  }

  balance::Place At(std::string_view key) const { return place_.At(key); }

  void Mismatch(std::string_view key, std::string_view expected, const json& found) {
    At(key).Error(Concat({"must be ", expected, ", got ", Shown(found)}));
  }

  void ReportUnknown() const {
    for (const auto& [key, value] : object_.items()) {
      if (std::ranges::find(asked_, key) != asked_.end()) continue;
      At(key).Error(asked_.empty() ? std::string("unknown field; none is allowed here")
                                   : Concat({"unknown field; allowed: ", balance::Listed(asked_),
                                             balance::DidYouMean(key, asked_)}));
    }
  }

 private:
  const json& object_;
  const balance::Place place_;
  std::vector<std::string> asked_;  // in this order in messages
};

namespace {

template <typename T>
std::string Between(T least, T most) {
  return Concat({json(least).dump(), " to ", json(most).dump()});
}

// 2 and 2.0, within what a double holds exactly.
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

bool AllDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "1.5s": digits, at most nine after the point.
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

// "0.001s", as it may be written in a configuration.
std::string Seconds(std::chrono::milliseconds duration) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(duration);
  std::string text = std::to_string(whole.count());
  if (const auto rest = (duration - whole).count(); rest != 0) {
    const std::string digits = std::to_string(1000 + rest).substr(1);
    text += "." + digits.substr(0, digits.find_last_not_of('0') + 1);
  }
  return text + "s";
}

}  // namespace

ConfigReader::ConfigReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ConfigReader::~ConfigReader() = default;

std::int64_t ConfigReader::Integer(std::string_view key, const Range<std::int64_t>& range) {
  const json* const value = impl_->Find(key);
  if (value == nullptr) return range.otherwise;
  const std::optional<std::int64_t> number = WholeNumber(*value);
  if (number && *number >= range.least && *number <= range.most) return *number;
  const char* const kind = number || value->is_number_unsigned() ? "" : "an integer, ";
  impl_->Mismatch(key, kind + Between(range.least, range.most), *value);
  return range.otherwise;
}

double ConfigReader::Number(std::string_view key, const Range<double>& range) {
  const json* const value = impl_->Find(key);
  if (value == nullptr) return range.otherwise;
  if (value->is_number()) {
    const double number = value->get<double>();
    if (number >= range.least && number <= range.most) return number;
  }
  const char* const kind = value->is_number() ? "" : "a number, ";
  impl_->Mismatch(key, kind + Between(range.least, range.most), *value);
  return range.otherwise;
}

bool ConfigReader::Bool(std::string_view key, bool otherwise) {
  const json* const value = impl_->Find(key);
  if (value == nullptr) return otherwise;
  if (value->is_boolean()) return value->get<bool>();
  impl_->Mismatch(key, "true or false", *value);
  return otherwise;
}

std::string ConfigReader::String(std::string_view key, std::string_view otherwise) {
  const json* const value = impl_->Find(key);
  if (value == nullptr) return std::string(otherwise);
  if (value->is_string()) return value->get<std::string>();
  impl_->Mismatch(key, "a string", *value);
  return std::string(otherwise);
}

std::size_t ConfigReader::Choice(std::string_view key, std::span<const std::string_view> allowed,
                                 std::size_t otherwise) {
  const json* const value = impl_->Find(key);
  if (value == nullptr) return otherwise;
  if (value->is_string()) {
    const auto found = std::ranges::find(allowed, value->get_ref<const std::string&>());
    if (found != allowed.end()) return static_cast<std::size_t>(found - allowed.begin());
  }
  const std::vector<std::string> words(allowed.begin(), allowed.end());
  impl_->Mismatch(key, "one of " + balance::Listed(words), *value);
  return otherwise;
}

std::chrono::milliseconds ConfigReader::Duration(std::string_view key,
                                                 const Range<std::chrono::milliseconds>& range) {
  const json* const value = impl_->Find(key);
  if (value == nullptr) return range.otherwise;
  const std::optional<std::chrono::nanoseconds> duration = ParseDuration(*value);
  if (duration && *duration >= range.least && *duration <= range.most) {
    return std::chrono::floor<std::chrono::milliseconds>(*duration);
  }
  const char* const kind = duration ? "" : R"(a string of seconds like "1.5s", )";
  impl_->Mismatch(key, Concat({kind, Seconds(range.least), " to ", Seconds(range.most)}), *value);
  return range.otherwise;
}

std::shared_ptr<const PickerBuilder> ConfigReader::Child(std::string_view key,
                                                         std::string_view otherwise) {
  const json* const value = impl_->Find(key);
  if (value != nullptr) return balance::ReadPickers(*value, impl_->At(key));
  json named = json::object();
  named[std::string(otherwise)] = json::object();
  return balance::ReadPickers(json::array({std::move(named)}), impl_->At(key));
}

void ConfigReader::Error(std::string_view key, std::string_view what) {
  impl_->At(key).Error(what);
}

void balance::ReadObject(const json& value, const Place& place,
                         const std::function<void(ConfigReader&)>& read) {
  if (!value.is_object()) {
    place.Error("must be an object, got " + Shown(value));
    return;
  }
  auto impl = std::make_unique<ConfigReader::Impl>(value, place);
  const ConfigReader::Impl& asked = *impl;
  ConfigReader reader(std::move(impl));
  read(reader);
  asked.ReportUnknown();
}

}  // namespace turnout
