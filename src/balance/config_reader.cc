#include "turnout/config_reader.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "src/balance/config_place.h"
#include "src/balance/config_values.h"
#include "src/balance/json.h"
#include "src/balance/picker_list.h"
#include "src/balance/text.h"
#include "src/model/text.h"

namespace turnout {

using balance::ParseDuration;
using balance::Seconds;
using balance::Shown;
using balance::WholeNumber;
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

  // As Find; tells whoever describes the parameters what this one is.
  const json* Find(std::string_view key, const std::string& otherwise, std::string_view allowed) {
    if (place_.parameters != nullptr) {
      const std::string name = place_.At(key).path.substr(1);
      place_.parameters->push_back({name, otherwise, std::string(allowed)});
    }
    return Find(key);
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

std::string Quoted(std::string_view text) { return json(text).dump(); }

}  // namespace

ConfigReader::ConfigReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ConfigReader::~ConfigReader() = default;

std::int64_t ConfigReader::Integer(std::string_view key, const Range<std::int64_t>& range) {
  const std::string allowed = Between(range.least, range.most);
  const json* const value = impl_->Find(key, json(range.otherwise).dump(), "integer, " + allowed);
  if (value == nullptr) return range.otherwise;
  const std::optional<std::int64_t> number = WholeNumber(*value);
  if (number && *number >= range.least && *number <= range.most) return *number;
  const char* const kind = number || value->is_number_unsigned() ? "" : "an integer, ";
  impl_->Mismatch(key, kind + allowed, *value);
  return range.otherwise;
}

double ConfigReader::Number(std::string_view key, const Range<double>& range) {
  const std::string allowed = Between(range.least, range.most);
  const json* const value = impl_->Find(key, json(range.otherwise).dump(), "number, " + allowed);
  if (value == nullptr) return range.otherwise;
  if (value->is_number()) {
    const double number = value->get<double>();
    if (number >= range.least && number <= range.most) return number;
  }
  const char* const kind = value->is_number() ? "" : "a number, ";
  impl_->Mismatch(key, kind + allowed, *value);
  return range.otherwise;
}

bool ConfigReader::Bool(std::string_view key, bool otherwise) {
  const json* const value = impl_->Find(key, json(otherwise).dump(), "true or false");
  if (value == nullptr) return otherwise;
  if (value->is_boolean()) return value->get<bool>();
  impl_->Mismatch(key, "true or false", *value);
  return otherwise;
}

std::string ConfigReader::String(std::string_view key, std::string_view otherwise) {
  const json* const value = impl_->Find(key, Quoted(otherwise), "string");
  if (value == nullptr) return std::string(otherwise);
  if (value->is_string()) return value->get<std::string>();
  impl_->Mismatch(key, "a string", *value);
  return std::string(otherwise);
}

std::size_t ConfigReader::Choice(std::string_view key, std::span<const std::string_view> allowed,
                                 std::size_t otherwise) {
  const std::vector<std::string> words(allowed.begin(), allowed.end());
  const json* const value =
      impl_->Find(key, Quoted(words[otherwise]), "one of " + balance::Listed(words));
  if (value == nullptr) return otherwise;
  if (value->is_string()) {
    const auto found = std::ranges::find(allowed, value->get_ref<const std::string&>());
    if (found != allowed.end()) return static_cast<std::size_t>(found - allowed.begin());
  }
  impl_->Mismatch(key, "one of " + balance::Listed(words), *value);
  return otherwise;
}

std::chrono::milliseconds ConfigReader::Duration(std::string_view key,
                                                 const Range<std::chrono::milliseconds>& range) {
  const std::string allowed = Concat({Seconds(range.least), " to ", Seconds(range.most)});
  const json* const value =
      impl_->Find(key, Quoted(Seconds(range.otherwise)), "duration, " + allowed);
  if (value == nullptr) return range.otherwise;
  const std::optional<std::chrono::nanoseconds> duration = ParseDuration(*value);
  if (duration && *duration >= range.least && *duration <= range.most) {
    return std::chrono::floor<std::chrono::milliseconds>(*duration);
  }
  const char* const kind = duration ? "" : R"(a string of seconds like "1.5s", )";
  impl_->Mismatch(key, kind + allowed, *value);
  return range.otherwise;
}

std::vector<std::string> ConfigReader::Strings(std::string_view key) {
  const json* const value = impl_->Find(key, "[]", "list of strings");
  if (value == nullptr) return {};
  const auto is_string = [](const json& element) { return element.is_string(); };
  if (value->is_array() && std::ranges::all_of(*value, is_string)) {
    return value->get<std::vector<std::string>>();
  }
  impl_->Mismatch(key, "a list of strings", *value);
  return {};
}

std::map<std::string, std::string> ConfigReader::StringMap(std::string_view key) {
  const json* const value = impl_->Find(key, "{}", "object of strings");
  if (value == nullptr) return {};
  const auto is_string = [](const json& element) { return element.is_string(); };
  if (value->is_object() && std::ranges::all_of(*value, is_string)) {
    return value->get<std::map<std::string, std::string>>();
  }
  impl_->Mismatch(key, "an object of strings", *value);
  return {};
}

void ConfigReader::Object(std::string_view key, const std::function<void(ConfigReader&)>& read) {
  const json* const value = impl_->Find(key, "{}", "object");
  const balance::Place place = impl_->At(key);
  if (value != nullptr) return balance::ReadObject(*value, place, read);
  if (place.parameters != nullptr) balance::ReadObject(json::object(), place, read);
}

void ConfigReader::Objects(std::string_view key, const std::function<void(ConfigReader&)>& read) {
  const json* const value = impl_->Find(key, "[]", "list of objects");
  const balance::Place place = impl_->At(key);
  if (place.parameters != nullptr) {  // one for all
    return balance::ReadObject(
        json::object(), {place.path + "[]", place.nesting, place.errors, place.parameters}, read);
  }
  if (value == nullptr) return;
  if (!value->is_array()) return impl_->Mismatch(key, "a list of objects", *value);
  for (std::size_t i = 0; i < value->size(); ++i) {
    balance::ReadObject((*value)[i], place.At(i), read);
  }
}

std::shared_ptr<const PickerBuilder> ConfigReader::Child(std::string_view key,
                                                         std::string_view otherwise) {
  json named = json::object();
  named[std::string(otherwise)] = json::object();
  const json list = json::array({std::move(named)});
  const json* const value = impl_->Find(key, list.dump(), "list of pickers");
  balance::Place place = impl_->At(key);
  place.parameters = nullptr;  // the child's are its own
  return balance::ReadPickers(value == nullptr ? list : *value, place);
}

bool ConfigReader::Has(std::string_view key) { return impl_->Find(key) != nullptr; }

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

std::vector<balance::Parameter> balance::DescribeParameters(const PickerBuilder& builder) {
  std::vector<Parameter> parameters;
  std::vector<std::string> errors;  // of an empty object: what is required
  ReadObject(json::object(), {.path = "", .errors = &errors, .parameters = &parameters},
             [&](ConfigReader& reader) { builder.Configure(reader); });
  return parameters;
}

}  // namespace turnout
