// Which versions are meant: one, byte for byte, or all in a range. Pure.
#ifndef TURNOUT_SRC_ROUTE_VERSION_PATTERN_H_
#define TURNOUT_SRC_ROUTE_VERSION_PATTERN_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "src/route/semantic_version.h"

namespace turnout::route {

class VersionPattern {
 public:
  // Text that begins with <, > or = is a range of semantic versions, `>=2.1 <3`; any other is a
  // version. InvalidArgument says what is wrong; `2.1 <3` and `^2` are wrong, since whoever writes
  // them means a range.
  static absl::StatusOr<VersionPattern> Parse(std::string_view text);

  // A version that is not semantic is in no range.
  bool Matches(std::string_view version) const;

  const std::string& text() const { return text_; }

 private:
  VersionPattern(std::string_view text, std::optional<VersionRange> range)
      : text_(text), range_(std::move(range)) {}

  std::string text_;
  std::optional<VersionRange> range_;
};

}  // namespace turnout::route

#endif  // TURNOUT_SRC_ROUTE_VERSION_PATTERN_H_
