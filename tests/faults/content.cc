#include "tests/faults/content.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "nlohmann/json.hpp"

namespace turnout::faults {
namespace {

std::vector<std::string> Without(const std::set<std::string>& all,
                                 const std::set<std::string>& others) {
  std::vector<std::string> rest;
  std::set_difference(all.begin(), all.end(), others.begin(), others.end(),
                      std::back_inserter(rest));
  return rest;
}

}  // namespace

std::optional<Registered> Registered::Parse(const std::string& key, const std::string& value,
                                            std::int64_t create_revision) {
  const auto json = nlohmann::json::parse(value, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("node")) return std::nullopt;
  const auto& node = json["node"];
  return Registered{key.substr(key.rfind('/') + 1), node.value("version", ""),
                    node.value("address", ""), create_revision};
}

std::set<std::string> VisibleIds(const std::vector<Registered>& records) {
  std::map<std::string, const Registered*> by_address;
  for (const Registered& record : records) {
    const Registered*& newest = by_address[record.address];
    if (newest == nullptr || newest->create_revision < record.create_revision) newest = &record;
  }
  std::set<std::string> ids;
  for (const auto& [address, record] : by_address) ids.insert(record->id);
  return ids;
}

std::string Difference(const std::set<std::string>& wanted, const std::set<std::string>& found) {
  std::vector<std::string> parts;
  if (const auto missing = Without(wanted, found); !missing.empty()) {
    parts.push_back(absl::StrCat("missing: ", absl::StrJoin(missing, ", ")));
  }
  if (const auto extra = Without(found, wanted); !extra.empty()) {
    parts.push_back(absl::StrCat("too many: ", absl::StrJoin(extra, ", ")));
  }
  return absl::StrJoin(parts, "; ");
}

}  // namespace turnout::faults
