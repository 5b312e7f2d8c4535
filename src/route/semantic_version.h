// Semantic versions, and ranges of them. Pure.
//
// Source: semver.org 2.0.0; for pre-releases in ranges, what npm and Cargo do.
#ifndef TURNOUT_SRC_ROUTE_SEMANTIC_VERSION_H_
#define TURNOUT_SRC_ROUTE_SEMANTIC_VERSION_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace turnout::route {

struct SemanticVersion {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::uint64_t patch = 0;
  std::vector<std::string> pre_release;  // rc.1 → "rc", "1"; empty: a release

  // `2.1.0`, `2.1.0-rc.1+build.7`; also what people write for short: `2`, `2.1`, `v2.1`. What is
  // left out is 0. Nothing for text that is none of these.
  static std::optional<SemanticVersion> Parse(std::string_view text);

  bool SameTriple(const SemanticVersion& other) const {
    return major == other.major && minor == other.minor && patch == other.patch;
  }

  // By precedence: 1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-beta.2 < 1.0.0-beta.11 < 1.0.0. Build
  // metadata does not count.
  std::strong_ordering operator<=>(const SemanticVersion& other) const;
  bool operator==(const SemanticVersion& other) const { return std::is_eq(*this <=> other); }
};

// Comparisons that must all hold: `>=2.1 <3`.
//
// A pre-release is in a range only if one of the comparisons names a pre-release of the same three
// numbers: 3.0.0-rc.1 is not in `>=2.1 <3`, though it is lower than 3, but it is in `>=3.0.0-rc.0`.
// Who asks for less than 3 does not want a first taste of it.
class VersionRange {
 public:
  // `>=`, `>`, `<=`, `<`, `=`, each before a version; separated by blanks. InvalidArgument says
  // what is wrong.
  static absl::StatusOr<VersionRange> Parse(std::string_view text);

  bool Contains(const SemanticVersion& version) const;

 private:
  enum class Relation { kAtLeast, kMoreThan, kAtMost, kLessThan, kEqual };
  struct Comparison {
    Relation relation;
    SemanticVersion version;
  };

  static bool Holds(const Comparison& comparison, const SemanticVersion& version);

  std::vector<Comparison> comparisons_;
};

}  // namespace turnout::route

#endif  // TURNOUT_SRC_ROUTE_SEMANTIC_VERSION_H_
