#include "src/model/text.h"

#include "absl/strings/escaping.h"

namespace turnout::model {

std::string Concat(std::initializer_list<std::string_view> parts) {
  std::string whole;
  for (const std::string_view part : parts) whole += part;
  return whole;
}

std::string_view Message(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

std::string Quoted(std::string_view text, std::size_t most_bytes) {
  const std::string_view shown = text.substr(0, most_bytes);
  const std::string escaped = absl::CHexEscape({shown.data(), shown.size()});
  return Concat({"\"", escaped, text.size() > most_bytes ? "…\"" : "\""});
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace turnout::model
