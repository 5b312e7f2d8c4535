#include "src/cli/text.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace turnout::cli {
namespace {

constexpr char kEscape = '\x1b';
constexpr std::size_t kGap = 2;  // columns between cells

bool IsContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

bool IsControl(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  return value < 0x20U || value == 0x7FU;
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    // U+0080 to U+009F are control characters too; in UTF-8 they are C2 80 to C2 9F.
    const bool c1 = text[i] == '\xC2' && i + 1 < text.size() && IsContinuation(text[i + 1]) &&
                    static_cast<unsigned char>(text[i + 1]) < 0xA0U;
    result += IsControl(text[i]) || c1 ? '?' : text[i];
    if (c1) ++i;
  }
  return result;
}

std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == kEscape) {
      i = std::min(text.find('m', i), text.size() - 1);
    } else if (!IsContinuation(text[i])) {
      ++width;
    }
  }
  return width;
}

bool WantsColour(int file) {
  const char* no_colour = std::getenv("NO_COLOR");
  if (no_colour != nullptr && *no_colour != '\0') return false;
  const char* terminal = std::getenv("TERM");
  return isatty(file) != 0 && (terminal == nullptr || std::string_view(terminal) != "dumb");
}

std::string Paint::Wrap(std::string_view code, std::string_view text) const {
  std::string result;
  if (on_ && !text.empty()) {
    result.append("\x1b[").append(code).append("m").append(text).append("\x1b[0m");
  } else {
    result = text;
  }
  return result;
}

void Table::Add(std::vector<std::string> row) {
  row.resize(headings_.size());
  rows_.push_back(std::move(row));
}

std::string Table::ToString(const Paint& paint, std::string_view indent) const {
  std::vector<std::size_t> widths;  // 0: left out
  for (std::size_t column = 0; column < headings_.size(); ++column) {
    std::size_t width = 0;
    for (const auto& row : rows_) width = std::max(width, DisplayWidth(row[column]));
    widths.push_back(width == 0 ? 0 : std::max(width, DisplayWidth(headings_[column])));
  }

  std::string result;
  const auto add_line = [&](const std::vector<std::string>& cells) {
    std::string line(indent);
    std::size_t blanks = 0;  // owed before the next cell, so that no line ends with them
    for (std::size_t column = 0; column < widths.size(); ++column) {
      if (widths[column] == 0) continue;
      if (!cells[column].empty()) {
        line.append(std::exchange(blanks, 0), ' ').append(cells[column]);
      }
      blanks += widths[column] - DisplayWidth(cells[column]) + kGap;
    }
    result += line + '\n';
  };
  std::vector<std::string> headings = headings_;
  for (std::string& heading : headings) heading = paint.Dim(heading);
  add_line(headings);
  for (const auto& row : rows_) add_line(row);
  return result;
}

}  // namespace turnout::cli
