#include "src/route/semantic_version.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <utility>

#include "src/model/text.h"

namespace turnout::route {
namespace {

constexpr std::size_t kMostBytes = 256;  // as long as a version may be
constexpr std::size_t kMostComparisons = 16;

bool AllDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<std::uint64_t> ParseNumber(std::string_view text) {
  if (!AllDigits(text) || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;  // beyond 64 bits
  return number;
}

bool IsIdentifier(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
  });
}

// The dotted identifiers of a pre-release or of build metadata.
std::optional<std::vector<std::string>> ParseIdentifiers(std::string_view text) {
  std::vector<std::string> identifiers;
  for (const std::string_view part : model::Split(text, '.')) {
    if (!IsIdentifier(part)) return std::nullopt;
    identifiers.emplace_back(part);
  }
  return identifiers;
}

// Numbers are lower than words, and compared as numbers.
std::strong_ordering CompareIdentifiers(std::string_view a, std::string_view b) {
  const bool a_number = AllDigits(a);
  const bool b_number = AllDigits(b);
  if (a_number != b_number) {
    return a_number ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  if (a_number) {  // however long they are
    a.remove_prefix(std::min(a.find_first_not_of('0'), a.size() - 1));
    b.remove_prefix(std::min(b.find_first_not_of('0'), b.size() - 1));
    if (a.size() != b.size()) return a.size() <=> b.size();
  }
  return a <=> b;
}

}  // namespace

std::optional<SemanticVersion> SemanticVersion::Parse(std::string_view text) {
  if (text.size() > kMostBytes) return std::nullopt;
  if (text.starts_with('v')) text.remove_prefix(1);
  SemanticVersion version;
  if (const auto plus = text.find('+'); plus != std::string_view::npos) {
    if (!ParseIdentifiers(text.substr(plus + 1)).has_value()) return std::nullopt;
    text = text.substr(0, plus);
  }
  if (const auto dash = text.find('-'); dash != std::string_view::npos) {
    auto identifiers = ParseIdentifiers(text.substr(dash + 1));
    if (!identifiers.has_value()) return std::nullopt;
    version.pre_release = *std::move(identifiers);
    text = text.substr(0, dash);
  }
  const std::vector<std::string_view> numbers = model::Split(text, '.');
  const std::array<std::uint64_t*, 3> places = {&version.major, &version.minor, &version.patch};
  if (numbers.size() > places.size()) return std::nullopt;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto number = ParseNumber(numbers[i]);
    if (!number.has_value()) return std::nullopt;
    *places[i] = *number;
  }
  return version;
}

std::strong_ordering SemanticVersion::operator<=>(const SemanticVersion& other) const {
  if (const auto order = major <=> other.major; std::is_neq(order)) return order;
  if (const auto order = minor <=> other.minor; std::is_neq(order)) return order;
  if (const auto order = patch <=> other.patch; std::is_neq(order)) return order;
  if (pre_release.empty() || other.pre_release.empty()) {  // a release is higher
    return pre_release.empty() <=> other.pre_release.empty();
  }
  return std::lexicographical_compare_three_way(pre_release.begin(), pre_release.end(),
                                                other.pre_release.begin(), other.pre_release.end(),
                                                CompareIdentifiers);
}

absl::StatusOr<VersionRange> VersionRange::Parse(std::string_view text) {
  constexpr std::pair<std::string_view, Relation> kRelations[] = {{">=", Relation::kAtLeast},
                                                                  {"<=", Relation::kAtMost},
                                                                  {">", Relation::kMoreThan},
                                                                  {"<", Relation::kLessThan},
                                                                  {"=", Relation::kEqual}};
  VersionRange range;
  for (std::string_view part : model::Split(text, ' ')) {
    if (part.empty()) continue;
    const auto* const found = std::ranges::find_if(
        kRelations, [part](const auto& relation) { return part.starts_with(relation.first); });
    const auto version = found == std::end(kRelations)
                             ? std::nullopt
                             : SemanticVersion::Parse(part.substr(found->first.size()));
    if (!version.has_value()) {
      return absl::InvalidArgumentError(
          model::Concat({"must be comparisons with semantic versions like \">=2.1 <3\", got ",
                         model::Quoted(part), " in it"}));
    }
    range.comparisons_.push_back({found->second, *version});
  }
  if (range.comparisons_.empty() || range.comparisons_.size() > kMostComparisons) {
    return absl::InvalidArgumentError(
        model::Concat({"must be 1 to ", std::to_string(kMostComparisons), " comparisons, got ",
                       std::to_string(range.comparisons_.size())}));
  }
  return range;
}

bool VersionRange::Holds(const Comparison& comparison, const SemanticVersion& version) {
  const auto order = version <=> comparison.version;
  switch (comparison.relation) {
    case Relation::kAtLeast:
      return std::is_gteq(order);
    case Relation::kMoreThan:
      return std::is_gt(order);
    case Relation::kAtMost:
      return std::is_lteq(order);
    case Relation::kLessThan:
      return std::is_lt(order);
    case Relation::kEqual:
      break;
  }
  return std::is_eq(order);
}

bool VersionRange::Contains(const SemanticVersion& version) const {
  if (!version.pre_release.empty() &&
      std::ranges::none_of(comparisons_, [&version](const Comparison& comparison) {
        return !comparison.version.pre_release.empty() && comparison.version.SameTriple(version);
      })) {
    return false;
  }
  return std::ranges::all_of(comparisons_, [&version](const Comparison& comparison) {
    return Holds(comparison, version);
  });
}

}  // namespace turnout::route
