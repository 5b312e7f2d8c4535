#include "src/cli/rules/compare.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "src/model/text.h"

namespace turnout::cli {
namespace {

using nlohmann::json;

// The order of an object's keys does not count.
using NamedRules = std::vector<std::pair<std::string, json>>;

NamedRules RulesOf(const RuleSetPtr& rules) {
  NamedRules named;
  if (rules == nullptr) return named;
  const json document = json::parse(rules->text(), nullptr, /*allow_exceptions=*/false);
  if (const auto list = document.find("rules"); list != document.end()) {
    for (const json& rule : *list) named.emplace_back(rule.at("name").get<std::string>(), rule);
  }
  if (const auto rule = document.find("default"); rule != document.end()) {
    named.emplace_back(route::RuleSet::kDefaultName, *rule);
  }
  return named;
}

const json* Find(const NamedRules& rules, const std::string& name) {
  const auto found = std::ranges::find(rules, name, &NamedRules::value_type::first);
  return found == rules.end() ? nullptr : &found->second;
}

// "/route/destinations/0/weight" → "route.destinations[0].weight"
std::string PathText(std::string_view pointer) {
  std::string path;
  for (const std::string_view part : model::Split(pointer.substr(1), '/')) {
    const bool index = !part.empty() && part.find_first_not_of("0123456789") == part.npos;
    path += index ? fmt::format("[{}]", part) : fmt::format("{}{}", path.empty() ? "" : ".", part);
  }
  return path;
}

std::vector<std::string> Differences(const json& before, const json& after) {
  std::vector<std::string> differences;
  for (const json& step : json::diff(before, after)) {
    const auto pointer = step.at("path").get<std::string>();
    const std::string op = step.at("op").get<std::string>();
    const std::string old_value =
        op == "add" ? "nothing" : Dump(before.at(json::json_pointer(pointer)));
    const std::string new_value = op == "remove" ? "nothing" : Dump(step.at("value"));
    differences.push_back(fmt::format("{}: {} → {}", PathText(pointer), old_value, new_value));
  }
  return differences;
}

// The names that both have, in the order of the first.
std::vector<std::string> Common(const NamedRules& first, const NamedRules& second) {
  std::vector<std::string> names;
  for (const auto& [name, rule] : first) {
    if (Find(second, name) != nullptr) names.push_back(name);
  }
  return names;
}

// Of the names that both have, those that stand behind one now that they stood before.
std::set<std::string> Moved(const NamedRules& before, const NamedRules& after) {
  const std::vector<std::string> old_order = Common(before, after);
  std::set<std::string> moved;
  std::ptrdiff_t furthest = -1;
  for (const std::string& name : Common(after, before)) {
    const std::ptrdiff_t place = std::ranges::find(old_order, name) - old_order.begin();
    if (place < furthest) moved.insert(name);
    furthest = std::max(furthest, place);
  }
  return moved;
}

}  // namespace

std::vector<RuleChange> CompareRules(const RuleSetPtr& before, const RuleSetPtr& after) {
  const NamedRules old_rules = RulesOf(before);
  const NamedRules new_rules = RulesOf(after);
  const std::set<std::string> moved = Moved(old_rules, new_rules);
  std::vector<RuleChange> changes;
  for (const auto& [name, rule] : old_rules) {
    if (Find(new_rules, name) == nullptr) changes.push_back({name, "removed", {}});
  }
  for (const auto& [name, rule] : new_rules) {
    const json* const old_rule = Find(old_rules, name);
    if (old_rule == nullptr) {
      changes.push_back({name, "added", {}});
      continue;
    }
    if (moved.contains(name)) changes.push_back({name, "moved", {}});
    if (*old_rule != rule) changes.push_back({name, "changed", Differences(*old_rule, rule)});
  }
  return changes;
}

std::string RuleChangeTable(const std::vector<RuleChange>& changes, const Paint& paint) {
  Table table({"RULE", "CHANGE", "WHAT"});
  for (const RuleChange& change : changes) {
    const std::string painted = change.change == "added"     ? paint.Green(change.change)
                                : change.change == "removed" ? paint.Red(change.change)
                                                             : paint.Yellow(change.change);
    if (change.differences.empty()) table.Add({paint.Bold(Printable(change.rule)), painted, ""});
    for (std::size_t i = 0; i < change.differences.size(); ++i) {
      table.Add({i == 0 ? paint.Bold(Printable(change.rule)) : "", i == 0 ? painted : "",
                 Printable(change.differences[i])});
    }
  }
  return table.empty() ? "" : table.ToString(paint);
}

Json ToJson(const RuleChange& change) {
  return {{"rule", change.rule}, {"change", change.change}, {"differences", change.differences}};
}

std::vector<CallGroup> CompareCalls(const RuleSetPtr& before, const RuleSetPtr& after,
                                    const std::vector<CountedCall>& calls) {
  std::map<std::tuple<std::string, std::string, std::string, std::string>, CallGroup> groups;
  for (const CountedCall& counted : calls) {
    route::Ruling old_ruling = Judge(before, counted.call);
    route::Ruling new_ruling = Judge(after, counted.call);
    CallGroup& group = groups[{CallerText(counted.call.caller), counted.call.path,
                               Dump(ToJson(old_ruling)), Dump(ToJson(new_ruling))}];
    if (group.count == 0) {
      group.example = counted.call;
      group.before = std::move(old_ruling);
      group.after = std::move(new_ruling);
    }
    group.count += counted.count;
  }
  std::vector<CallGroup> result;
  for (auto& [key, group] : groups) result.push_back(std::move(group));
  std::ranges::stable_sort(result, [](const CallGroup& a, const CallGroup& b) {
    return std::pair(a.differs(), a.count) > std::pair(b.differs(), b.count);
  });
  return result;
}

std::string PercentText(double share) {
  const double percent = std::round(share * 1000) / 10;
  return fmt::format("{}%", percent);
}

std::string RulingText(const route::Ruling& ruling) {
  if (ruling.rule.empty()) return "no rule";
  std::vector<std::string> parts;
  if (!ruling.denial.ok()) {
    parts.push_back(fmt::format("deny {} {}", absl::StatusCodeToString(ruling.denial.code()),
                                std::string{ruling.denial.message()}));
  }
  for (const auto& destination : ruling.destinations) {
    parts.push_back(fmt::format("{} {}", PercentText(destination.share), destination.text));
  }
  parts.insert(parts.end(), ruling.settings.begin(), ruling.settings.end());
  return Printable(fmt::format("{}: {}", ruling.rule, fmt::join(parts, ", ")));
}

Json ToJson(const route::Ruling& ruling) {
  Json json = {{"rule", nullptr},
               {"deny", nullptr},
               {"destinations", Json::array()},
               {"settings", ruling.settings}};
  if (!ruling.rule.empty()) json["rule"] = ruling.rule;
  if (!ruling.denial.ok()) {
    json["deny"] = {{"status", absl::StatusCodeToString(ruling.denial.code())},
                    {"message", std::string{ruling.denial.message()}}};
  }
  for (const auto& destination : ruling.destinations) {
    json["destinations"].push_back({{"to", destination.text}, {"share", destination.share}});
  }
  return json;
}

}  // namespace turnout::cli
