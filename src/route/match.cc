#include "src/route/match.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>

#include "src/balance/hash.h"
#include "src/balance/text.h"
#include "src/model/text.h"

namespace turnout::route {
namespace {

using balance::Printable;
using model::Concat;

template <typename... Each>
struct Overloaded : Each... {
  using Each::operator()...;
};
template <typename... Each>
Overloaded(Each...) -> Overloaded<Each...>;

std::optional<std::int64_t> ParseInteger(std::string_view text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

// What the condition wants, to follow "not": `"x"`, `what begins with "x"`.
std::string Wanted(const MetadataMatch& match) {
  return std::visit(
      Overloaded{
          [](const Exact& exact) { return Printable(exact.value); },
          [](const Prefix& prefix) { return "what begins with " + Printable(prefix.value); },
          [](const Present& present) { return std::string(present.present ? "there" : "absent"); },
          [](const Regex& regex) {
            return "what matches " + Printable(regex.expression->pattern());
          },
          [](const IntegerRange& range) {
            return Concat({std::to_string(range.from), " to ", std::to_string(range.to)});
          }},
      match.condition);
}

std::string Found(const std::optional<std::string_view>& value) {
  return value.has_value() ? Printable(*value) : "absent";
}

// "8.3", to six places.
std::string Percent(double number) {
  std::string text = std::to_string(number);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string WhyNotCaller(const CallerMatch& match, const Caller& caller) {
  const auto not_so = [](std::string_view what, std::string_view is, std::string_view wanted) {
    return Concat({"caller.", what, " is ", is.empty() ? "not set" : Printable(is), ", not ",
                   Printable(wanted)});
  };
  if (match.service.has_value() && *match.service != caller.service) {
    return not_so("service", caller.service, *match.service);
  }
  if (match.version.has_value() && !match.version->Matches(caller.version)) {
    return not_so("version", caller.version, match.version->text());
  }
  for (const auto& [label, value] : match.labels) {
    const auto found = caller.labels.find(label);
    const std::string_view is = found == caller.labels.end() ? std::string_view() : found->second;
    if (found == caller.labels.end() || is != value) {
      return not_so(Concat({"labels.", Printable(label)}), is, value);
    }
  }
  return "";
}

}  // namespace

bool CallerMatch::Matches(const Caller& caller) const {
  return WhyNotCaller(*this, caller).empty();
}

bool MetadataMatch::Matches(const std::optional<std::string_view>& value) const {
  return std::visit(
      Overloaded{[&](const Exact& exact) { return value.has_value() && *value == exact.value; },
                 [&](const Prefix& prefix) {
                   return value.has_value() && value->starts_with(prefix.value);
                 },
                 [&](const Present& present) { return value.has_value() == present.present; },
                 [&](const Regex& regex) {
                   return value.has_value() &&
                          RE2::FullMatch(re2::StringPiece(value->data(), value->size()),
                                         *regex.expression);
                 },
                 [&](const IntegerRange& range) {
                   if (!value.has_value()) return false;
                   const std::optional<std::int64_t> number = ParseInteger(*value);
                   return number.has_value() && *number >= range.from && *number <= range.to;
                 }},
      condition);
}

double Percentage::Position(std::string_view value, std::string_view salt) {
  const std::uint64_t hash = balance::Hash(value, balance::Hash(salt));
  return static_cast<double>(hash >> 11) * 0x1.0p-53 * 100;
}

bool Match::MatchesCall(std::string_view path, CallMetadata& values) const {
  if (method.has_value() && !method->Matches(path)) return false;
  for (const MetadataMatch& each : metadata) {
    if (!each.Matches(values.At(each.key))) return false;
  }
  return !percentage.has_value() || percentage->Matches(values.At(percentage->key));
}

std::string Match::WhyNot(const Caller& of_call, std::string_view path, CallMetadata& values,
                          const std::vector<std::string>& keys) const {
  if (caller.has_value()) {
    if (std::string why = WhyNotCaller(*caller, of_call); !why.empty()) return why;
  }
  if (method.has_value() && !method->Matches(path)) {
    return Concat({"the method is ", Printable(path), method->exact ? ", not " : ", not one of ",
                   Printable(method->path), method->exact ? "" : "…"});
  }
  for (const MetadataMatch& each : metadata) {
    if (const auto& value = values.At(each.key); !each.Matches(value)) {
      return Concat({"metadata ", keys[each.key], " is ", Found(value), ", not ", Wanted(each)});
    }
  }
  if (percentage.has_value()) {
    if (const auto& value = values.At(percentage->key); !percentage->Matches(value)) {
      const std::string& key = keys[percentage->key];
      if (!value.has_value()) return Concat({"metadata ", key, " is absent, which is in no share"});
      return Concat({"metadata ", key, " is ", Found(value), ", which stands at ",
                     Percent(Percentage::Position(*value, percentage->salt)), "%, not below ",
                     Percent(percentage->percent), "%"});
    }
  }
  return "";
}

}  // namespace turnout::route
