// docs/rules.schema.json has the fields that the parser of rules reads, in each object, and no
// others; documents.py and this take and refuse the same documents.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include "src/model/text.h"
#include "src/route/rule_set.h"

namespace turnout::route {
namespace {

using nlohmann::json;

const json& Schema() {
  static const json& schema = *new json(json::parse(std::ifstream(TURNOUT_RULES_SCHEMA)));
  return schema;
}

json Resolved(const json& schema) {
  const auto ref = schema.find("$ref");
  if (ref == schema.end()) return schema;
  return Schema().at(json::json_pointer(ref->get<std::string>().substr(1)));
}

// The fields that the parser knows where `pointer` points, as its complaint about another one says.
std::set<std::string> ReadByTheParser(const json::json_pointer& pointer, const std::string& path) {
  json document;
  document[pointer / "?"] = 1;
  const std::string errors{RuleSet::Parse(document.dump()).status().message()};
  const std::string complaint = path + (path.empty() ? "" : ".") + "?: unknown field; allowed: ";
  const auto found = errors.find(complaint);
  if (found == std::string::npos) return {errors};
  const std::string rest = errors.substr(found + complaint.size());
  const std::string list = rest.substr(0, rest.find(" ("));  // before the next error
  std::set<std::string> fields;
  for (std::string_view field : model::Split(list, ',')) {
    fields.emplace(model::Trimmed(field));
  }
  return fields;
}

// Compares the object at `pointer` and those in it; how many.
int Compare(const json& schema, const json::json_pointer& pointer, const std::string& path) {
  std::set<std::string> fields;
  int objects = 1;
  for (const auto& [name, unresolved] : schema.at("properties").items()) {
    fields.insert(name);
    const json property = Resolved(unresolved);
    EXPECT_TRUE(property.contains("description")) << path << "." << name;
    std::string inner = path;
    inner.append(path.empty() ? "" : ".").append(name);
    if (property.contains("properties")) {
      objects += Compare(property, pointer / name, inner);
    } else if (property.contains("items")) {
      const json items = Resolved(property["items"]);
      if (items.contains("properties")) {
        objects += Compare(items, pointer / name / 0, inner + "[0]");
      }
    }
  }
  EXPECT_EQ(schema.at("additionalProperties"), false) << path;
  EXPECT_EQ(fields, ReadByTheParser(pointer, path)) << path;
  return objects;
}

TEST(RulesSchemaTest, EveryFieldIsInTheSchemaAndNoOther) {
  EXPECT_EQ(Compare(Schema(), json::json_pointer(), ""), 17);
}

// The same documents that documents.py holds against the schema.
TEST(RulesSchemaTest, TheParserTakesWhatIsGoodAndRefusesWhatIsBad) {
  int good = 0;
  int bad = 0;
  for (const char* const folder : {TURNOUT_RULES_CORPUS, TURNOUT_RULES_EXAMPLES}) {
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
      std::ostringstream text;
      text << std::ifstream(file.path()).rdbuf();
      const bool is_bad = file.path().filename().string().starts_with("bad_");
      ++(is_bad ? bad : good);
      const auto rules = RuleSet::Parse(text.str());
      EXPECT_EQ(rules.ok(), !is_bad) << file.path() << ": " << rules.status();
    }
  }
  EXPECT_GE(good, 20);
  EXPECT_GE(bad, 20);
}

}  // namespace
}  // namespace turnout::route
