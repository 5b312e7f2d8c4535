#include "src/balance/text.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "src/model/text.h"

namespace turnout::balance {
namespace {

// Levenshtein's, one row at a time.
std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t exchanged = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({exchanged, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string Printable(std::string_view text, std::size_t most_bytes) {
  if (text.empty()) return "\"\"";
  const std::string_view shown = text.substr(0, most_bytes);
  std::string escaped = absl::CHexEscape({shown.data(), shown.size()});
  if (text.size() > most_bytes) escaped += "…";
  return escaped;
}

std::string Counted(std::size_t count, std::string_view noun) {
  return model::Concat({std::to_string(count), " ", noun, count == 1 ? "" : "s"});
}

std::string_view Closest(std::string_view typed, std::span<const std::string> words) {
  constexpr std::size_t kMostTyped = 64;  // longer ones are no misspelling of ours
  if (typed.size() > kMostTyped) return {};
  std::string_view closest;
  std::size_t least = std::min<std::size_t>(3, (typed.size() + 1) / 2);
  for (const std::string& word : words) {
    const std::size_t distance = EditDistance(typed, word);
    if (distance < least) {
      least = distance;
      closest = word;
    }
  }
  return closest;
}

std::string DidYouMean(std::string_view typed, std::span<const std::string> words) {
  const std::string_view closest = Closest(typed, words);
  return closest.empty() ? "" : model::Concat({"; did you mean ", closest, "?"});
}

std::string Listed(std::span<const std::string> words) {
  std::string list;
  for (const std::string& word : words) {
    if (!list.empty()) list += ", ";
    list += word;
  }
  return list;
}

}  // namespace turnout::balance
