#include "src/route/version_pattern.h"

#include <utility>

#include "src/model/names.h"
#include "src/model/text.h"

namespace turnout::route {

absl::StatusOr<VersionPattern> VersionPattern::Parse(std::string_view text) {
  if (!text.empty() && std::string_view("<>=").find(text.front()) != std::string_view::npos) {
    auto range = VersionRange::Parse(text);
    if (!range.ok()) return range.status();
    return VersionPattern(text, *std::move(range));
  }
  if (!model::CheckVersion(text).ok()) {
    return absl::InvalidArgumentError(model::Concat(
        {"must be 1 to 256 bytes without control characters, got ", model::Quoted(text)}));
  }
  return VersionPattern(text, std::nullopt);
}

bool VersionPattern::Matches(std::string_view version) const {
  if (!range_.has_value()) return version == text_;
  const auto semantic = SemanticVersion::Parse(version);
  return semantic.has_value() && range_->Contains(*semantic);
}

}  // namespace turnout::route
