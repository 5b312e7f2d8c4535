// docs/policies.md says what the code does: the same policies, the same parameters with the same
// defaults and ranges, and configurations that are right.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "src/balance/builtins.h"
#include "src/balance/config_place.h"
#include "src/balance/policy_config.h"
#include "src/model/text.h"

namespace turnout::balance {
namespace {

using ::testing::ElementsAreArray;

constexpr std::string_view kTableHeader = "| parameter | default | allowed | meaning |";

std::vector<std::string> Lines() {
  std::ifstream file(TURNOUT_POLICIES_PAGE);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// "| `a` | `b` | `c` | words |" as "a | b | c".
std::string ThreeCells(std::string_view row) {
  std::string cells;
  for (int cell = 0; cell < 3; ++cell) {
    const auto begin = row.find("| `");
    const auto end = row.find("` |", begin);
    if (begin == std::string_view::npos || end == std::string_view::npos) return std::string(row);
    if (cell > 0) cells += " | ";
    cells += row.substr(begin + 3, end - begin - 3);
    row.remove_prefix(end + 2);
  }
  return cells;
}

// The rows of the parameter tables, by the title of the section in which they stand. Every section
// has an entry.
std::map<std::string, std::vector<std::string>> TablesOfThePage() {
  std::map<std::string, std::vector<std::string>> tables;
  std::vector<std::string>* section = nullptr;
  bool in_table = false;
  for (const std::string& line : Lines()) {
    if (line.starts_with("## ")) section = &tables[line.substr(3)];
    if (!line.starts_with("|")) in_table = false;
    if (in_table && !line.starts_with("| ---")) section->push_back(ThreeCells(line));
    if (section != nullptr && line == kTableHeader) in_table = true;
  }
  return tables;
}

std::vector<std::string> TableOf(const PickerBuilder& builder) {
  std::vector<std::string> rows;
  for (const Parameter& parameter : DescribeParameters(builder)) {
    rows.push_back(
        model::Concat({parameter.name, " | ", parameter.otherwise, " | ", parameter.allowed}));
  }
  return rows;
}

TEST(PoliciesPageTest, EveryParameterIsOnThePageAndNoOther) {
  const auto tables = TablesOfThePage();
  for (const auto& [name, builder] : BuiltinPickerBuilders()) {
    const auto section = tables.find(name);
    ASSERT_NE(section, tables.end()) << "no section ## " << name;
    EXPECT_THAT(section->second, ElementsAreArray(TableOf(*builder))) << name;
  }
}

// A section with a table is of a policy that exists, or of what all share.
TEST(PoliciesPageTest, NoTableIsOfAPolicyThatIsNot) {
  const auto builders = BuiltinPickerBuilders();
  for (const auto& [title, rows] : TablesOfThePage()) {
    if (title == "turnout" || title == "outlier_detection_experimental") continue;
    EXPECT_TRUE(rows.empty() || builders.contains(title)) << title;
  }
}

TEST(PoliciesPageTest, TheOverviewListsEveryPolicy) {
  std::ostringstream page;
  for (const std::string& line : Lines()) page << line << '\n';
  for (const auto& [name, builder] : BuiltinPickerBuilders()) {
    EXPECT_THAT(page.str(),
                ::testing::HasSubstr(model::Concat({"\n| [`", name, "`](#", name, ") | "})));
  }
}

// What the `turnout` policy itself takes, as its errors say it.
TEST(PoliciesPageTest, ParametersOfTheChannelAreOnThePage) {
  const auto error = [](const std::string& json) {
    return std::string{ParsePolicyConfig("turnout", json).status().message()};
  };
  const auto tables = TablesOfThePage();
  std::string names;
  for (const std::string& row : tables.at("turnout")) {
    const std::string name = row.substr(0, row.find(" | "));
    const std::string rest = row.substr(name.size() + 3);
    const std::string otherwise = rest.substr(0, rest.find(" | "));
    const std::string allowed = rest.substr(otherwise.size() + 3);
    EXPECT_EQ(error(model::Concat({"{\"", name, "\":", otherwise, "}"})), "");
    const std::string refused = error(model::Concat({"{\"", name, "\":7}"}));
    EXPECT_THAT(refused, ::testing::HasSubstr(allowed.substr(allowed.find(", ") == 8 ? 10 : 0)));
    if (!names.empty()) names += ", ";
    names += name;
  }
  EXPECT_THAT(error(R"({"no":1})"), ::testing::EndsWith("allowed: " + names));
}

TEST(PoliciesPageTest, EveryConfigurationIsRight) {
  std::string json;
  bool in_fence = false;
  int checked = 0;
  for (const std::string& line : Lines()) {
    if (in_fence && line == "```") {
      EXPECT_EQ(CheckServiceConfig(json), absl::OkStatus()) << json;
      EXPECT_THAT(json, ::testing::HasSubstr("loadBalancingConfig"));
      ++checked;
      in_fence = false;
    } else if (in_fence) {
      json += line + '\n';
    } else if (line == "```json") {
      in_fence = true;
      json.clear();
    }
  }
  EXPECT_FALSE(in_fence) << "an open fence at the end";
  EXPECT_GE(checked, static_cast<int>(BuiltinPickerBuilders().size()));
}

}  // namespace
}  // namespace turnout::balance
