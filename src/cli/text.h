// Text for terminals: harmless, aligned, coloured where that is wanted. Pure but for WantsColour.
#ifndef TURNOUT_SRC_CLI_TEXT_H_
#define TURNOUT_SRC_CLI_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace turnout::cli {

// `text`, which others wrote, without what a terminal would act on: control characters become "?".
std::string Printable(std::string_view text);

// How many columns UTF-8 `text` takes, one for each code point; colour codes take none.
std::size_t DisplayWidth(std::string_view text);

// Is `file` a terminal whose user has not asked for plain text (NO_COLOR, TERM=dumb)?
bool WantsColour(int file);

// Colours, or nothing.
class Paint {
 public:
  explicit Paint(bool on) : on_(on) {}

  std::string Bold(std::string_view text) const { return Wrap("1", text); }
  std::string Dim(std::string_view text) const { return Wrap("2", text); }
  std::string Red(std::string_view text) const { return Wrap("31", text); }
  std::string Green(std::string_view text) const { return Wrap("32", text); }
  std::string Yellow(std::string_view text) const { return Wrap("33", text); }

 private:
  std::string Wrap(std::string_view code, std::string_view text) const;

  bool on_;
};

// Rows of cells in aligned columns. Columns that are empty in every row are left out.
class Table {
 public:
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}

  void Add(std::vector<std::string> row);  // as many cells as there are headings
  bool empty() const { return rows_.empty(); }

  // Every line begins with `indent` and ends with a newline.
  std::string ToString(const Paint& paint, std::string_view indent = "") const;

 private:
  std::vector<std::string> headings_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_TEXT_H_
