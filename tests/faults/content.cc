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
                                            std::int64_t create_revision, std::int64_t lease) {
  const auto json = nlohmann::json::parse(value, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("node")) return std::nullopt;
  const auto& node = json["node"];
  const auto metadata = json.value("metadata", nlohmann::json());
  return Registered{
      .id = key.substr(key.rfind('/') + 1),
      .version = node.value("version", ""),
      .address = node.value("address", ""),
      .create_revision = create_revision,
      .draining = metadata.is_object() && metadata.value("turnout.state", "") == "draining",
      .lease = lease};
}

std::map<std::string, Seen> Visible(const std::vector<Registered>& records,
                                    const Decisions& decisions) {
  std::map<std::string, const Registered*> by_address;
  for (const Registered& record : records) {
    const Registered*& newest = by_address[record.address];
    if (newest == nullptr || newest->create_revision < record.create_revision) newest = &record;
  }
  std::map<std::string, Seen> visible;
  for (const auto& [address, record] : by_address) {
    const auto decision = decisions.find(record->id);
    if (decision != decisions.end() && decision->second == "removed") continue;
    const bool draining = record->draining || decision != decisions.end();
    visible[record->id] = {draining ? "draining" : "registered", record->version, address};
  }
  return visible;
}

std::string Describe(const std::string& id, const Seen& seen) {
  return absl::StrCat(id, " (", seen.status, ", ", seen.version, ", ", seen.address, ")");
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
