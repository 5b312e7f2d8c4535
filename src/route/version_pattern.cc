#include "src/route/version_pattern.h"

#include <utility>

#include "src/model/names.h"
#include "src/model/text.h"

namespace turnout::route {

absl::StatusOr<VersionPattern> VersionPattern::Parse(std::string_view text) {
  constexpr std::string_view kRelations = "<>=";
  if (!text.empty() && kRelations.find(text.front()) != std::string_view::npos) {
    auto range = VersionRange::Parse(text);
    if (!range.ok()) return range.status();
    return VersionPattern(text, *std::move(range));
  }
  if (!model::CheckVersion(text).ok()) {
    return absl::InvalidArgumentError(model::Concat(
        {"must be 1 to 256 bytes without control characters, got ", model::Quoted(text)}));
  }
  if (text.find_first_of(kRelations) != std::string_view::npos || text.front() == '^' ||
      text.front() == '~' || text != model::Trimmed(text)) {
    return absl::InvalidArgumentError(
        model::Concat({"must be a version, or a range that begins with <, > or = like "
                       "\">=2.1 <3\", got ",
                       model::Quoted(text)}));
  }
  return VersionPattern(text, std::nullopt);
}

bool VersionPattern::Matches(std::string_view version) const {
  if (!range_.has_value()) return version == text_;
  const auto semantic = SemanticVersion::Parse(version);
  return semantic.has_value() && range_->Contains(*semantic);
}

}  // namespace turnout::route
