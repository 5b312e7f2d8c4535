// What a call must be like for a rule to decide it: conditions that must all hold. Pure.
#ifndef TURNOUT_SRC_ROUTE_MATCH_H_
#define TURNOUT_SRC_ROUTE_MATCH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "src/route/call.h"
#include "src/route/version_pattern.h"
#include "turnout/rules.h"

namespace re2 {
class RE2;
}  // namespace re2

namespace turnout::route {

// Of one document.
inline constexpr std::size_t kMostKeys = 32;

// Who may make the call. It is the same for all calls of a process.
struct CallerMatch {
  std::optional<std::string> service;
  std::optional<VersionPattern> version;
  std::map<std::string, std::string> labels;

  bool Matches(const Caller& caller) const;
};

// A call's metadata, each key looked up at most once, when a condition asks for it.
class CallMetadata {
 public:
  CallMetadata(const CallFacts& call, const std::vector<std::string>& keys)
      : call_(call), keys_(keys) {}

  const std::optional<std::string_view>& At(std::size_t key) {
    const std::uint32_t bit = std::uint32_t{1} << key;
    if ((looked_up_ & bit) == 0) {
      looked_up_ |= bit;
      values_[key] = call_.Metadata(keys_[key]);
    }
    return values_[key];
  }

 private:
  static_assert(kMostKeys <= 32, "a bit each");

  const CallFacts& call_;
  const std::vector<std::string>& keys_;
  std::uint32_t looked_up_ = 0;
  std::array<std::optional<std::string_view>, kMostKeys> values_;
};

struct Exact {
  std::string value;
};
struct Prefix {
  std::string value;
};
struct Present {
  bool present;  // else absent
};
// RE2's syntax; the whole value must match.
struct Regex {
  std::shared_ptr<const re2::RE2> expression;
};
// A whole number, both ends included.
struct IntegerRange {
  std::int64_t from;
  std::int64_t to;
};

struct MetadataMatch {
  std::size_t key;  // an index into the document's keys
  std::variant<Exact, Prefix, Present, Regex, IntegerRange> condition;

  bool Matches(const std::optional<std::string_view>& value) const;
};

struct MethodMatch {
  std::string path;  // `/package.Service/Method`, or what it begins with
  bool exact;

  bool Matches(std::string_view of_call) const {
    return exact ? of_call == path : of_call.starts_with(path);
  }
};

// A share of the values under a key, always the same ones: those whose hash is low enough. More
// percent keep all that were in.
struct Percentage {
  std::size_t key;
  double percent;
  std::string salt;

  // Where `value` stands, 0 to 100: XXH64 of the value, seeded with XXH64 of the salt, as a
  // fraction of 2^64. With percent 10 and no salt, `u-18` at 8.07 is in, `u-17` at 47.12 is not.
  static double Position(std::string_view value, std::string_view salt);

  bool Matches(const std::optional<std::string_view>& value) const {
    return value.has_value() && Position(*value, salt) < percent;
  }
};

struct Match {
  std::optional<CallerMatch> caller;
  std::optional<MethodMatch> method;
  std::vector<MetadataMatch> metadata;
  std::optional<Percentage> percentage;

  // Whatever concerns the call; the caller has been looked at.
  bool MatchesCall(std::string_view path, CallMetadata& values) const;

  // The first condition that does not hold, in words: `caller.version is v1, not v2`. Empty: all
  // hold.
  std::string WhyNot(const Caller& of_call, std::string_view path, CallMetadata& values,
                     const std::vector<std::string>& keys) const;
};

}  // namespace turnout::route

#endif  // TURNOUT_SRC_ROUTE_MATCH_H_
