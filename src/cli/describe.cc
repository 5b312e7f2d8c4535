#include "src/cli/describe.h"

#include <algorithm>
#include <map>

#include "fmt/format.h"
#include "fmt/ranges.h"

namespace turnout::cli {
namespace {

std::string RejectedTable(const Snapshot& snapshot, const Paint& paint, std::string_view indent) {
  Table table({"NOT USED", "REASON"});
  for (const Snapshot::Rejected& rejected : snapshot.rejected) {
    table.Add({paint.Yellow(Printable(rejected.key)), Printable(rejected.reason)});
  }
  return table.ToString(paint, indent);
}

Json MethodsJson(const Instance& instance) {
  Json methods = Json::object();
  for (const auto& [name, settings] : instance.methods) {
    methods[name] = {{"online", settings.online},
                     {"limiting_switch", settings.limiting_switch},
                     {"limiting", settings.limiting},
                     {"fuse", settings.fuse}};
  }
  return methods;
}

}  // namespace

std::string VersionText(const Instance& instance) { return Printable(instance.version); }

std::string AddressText(const Instance& instance) {
  return Printable(fmt::format("{}", fmt::join(instance.addresses, ", ")));
}

std::string WeightText(const Instance& instance) {
  return instance.weight == 1 ? "" : std::to_string(instance.weight);
}

std::string ZoneText(const Instance& instance) {
  const Locality& locality = instance.locality;
  if (locality.region.empty()) return Printable(locality.zone);
  return Printable(locality.region + "/" + locality.zone);
}

std::string MethodsOffText(const Instance& instance) {
  std::vector<std::string> off;
  for (const auto& [name, settings] : instance.methods) {
    if (!settings.online) off.push_back(Printable(name));
  }
  return fmt::format("{}", fmt::join(off, ", "));
}

std::string StatusText(const Member& member, const Paint& paint) {
  std::string text(ToString(member.status));
  switch (member.status) {
    case InstanceStatus::kRegistered:
      return paint.Green(text);
    case InstanceStatus::kDraining:
      return paint.Yellow(text);
    case InstanceStatus::kLapsed:
      return paint.Red(text);
  }
  return text;
}

std::string VersionCounts(const std::vector<Member>& members) {
  std::map<std::string, int> counts;
  for (const Member& member : members) ++counts[VersionText(*member.instance)];
  std::vector<std::string> parts;
  parts.reserve(counts.size());
  for (const auto& [version, count] : counts)
    parts.push_back(fmt::format("{} ×{}", version, count));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string InstanceTable(const Snapshot& snapshot, const Paint& paint, std::string_view indent) {
  std::vector<Member> members = snapshot.members;
  std::stable_sort(members.begin(), members.end(), [](const Member& a, const Member& b) {
    return a.instance->version < b.instance->version;
  });
  Table table({"VERSION", "ADDRESS", "STATUS", "WEIGHT", "ZONE", "METHODS OFF", "ID"});
  for (const Member& member : members) {
    const Instance& instance = *member.instance;
    table.Add({paint.Bold(VersionText(instance)), AddressText(instance), StatusText(member, paint),
               WeightText(instance), ZoneText(instance), MethodsOffText(instance),
               paint.Dim(Printable(instance.id))});
  }
  std::string result;
  if (!table.empty()) result += table.ToString(paint, indent);
  if (!snapshot.rejected.empty()) {
    if (!result.empty()) result += '\n';
    result += RejectedTable(snapshot, paint, indent);
  }
  return result;
}

std::string ServiceTable(const std::vector<Snapshot>& services,
                         const std::vector<OperatorDecision>& decisions, const Paint& paint) {
  Table table({"SERVICE", "INSTANCES", "VERSIONS", "DRAINING", "LAPSED", "REMOVED", "NOT USED"});
  const auto unless_0 = [](auto n) { return n == 0 ? "" : std::to_string(n); };
  for (const Snapshot& service : services) {
    const auto count = [&](InstanceStatus status) {
      return std::count_if(service.members.begin(), service.members.end(),
                           [&](const Member& member) { return member.status == status; });
    };
    const auto removed =
        std::count_if(decisions.begin(), decisions.end(), [&](const OperatorDecision& decision) {
          return decision.removed && decision.service == service.service;
        });
    table.Add({paint.Bold(Printable(service.service)), std::to_string(service.members.size()),
               VersionCounts(service.members),
               paint.Yellow(unless_0(count(InstanceStatus::kDraining))),
               paint.Red(unless_0(count(InstanceStatus::kLapsed))), paint.Red(unless_0(removed)),
               paint.Yellow(unless_0(service.rejected.size()))});
  }
  return table.ToString(paint);
}

std::string DecisionTable(const std::vector<OperatorDecision>& decisions, const Paint& paint) {
  Table table({"DECIDED", "FOR ANOTHER", "ID"});
  for (const OperatorDecision& decision : decisions) {
    table.Add({decision.removed ? paint.Red("removed") : paint.Yellow("draining"),
               decision.left.has_value() ? TimeText(*decision.left) : "until restored",
               paint.Dim(Printable(decision.id))});
  }
  return table.empty() ? "" : table.ToString(paint);
}

std::string TimeText(std::chrono::seconds time) {
  const auto seconds = time.count();
  const auto minutes = seconds / 60;
  const auto hours = minutes / 60;
  if (hours >= 48) return fmt::format("{}d {}h", hours / 24, hours % 24);
  if (hours > 0) return fmt::format("{}h {}m", hours, minutes % 60);
  if (minutes > 0) return fmt::format("{}m {}s", minutes, seconds % 60);
  return fmt::format("{}s", seconds);
}

Json ToJson(const OperatorDecision& decision) {
  Json json = {{"id", decision.id},
               {"state", decision.removed ? "removed" : "draining"},
               {"seconds_left", nullptr}};
  if (decision.left.has_value()) json["seconds_left"] = decision.left->count();
  return json;
}

Json ToJson(const Member& member) {
  const Instance& instance = *member.instance;
  return {{"id", instance.id},
          {"version", instance.version},
          {"address", instance.address()},
          {"addresses", instance.addresses},
          {"status", std::string(ToString(member.status))},
          {"weight", instance.weight},
          {"region", instance.locality.region},
          {"zone", instance.locality.zone},
          {"metadata", instance.metadata},
          {"methods", MethodsJson(instance)},
          {"proves_identity", !instance.health_service.empty()},
          {"create_revision", instance.create_revision},
          {"mod_revision", instance.mod_revision}};
}

Json ToJson(const Snapshot& snapshot) {
  Json instances = Json::array();
  for (const Member& member : snapshot.members) instances.push_back(ToJson(member));
  Json rejected = Json::array();
  for (const Snapshot::Rejected& record : snapshot.rejected) {
    rejected.push_back({{"key", record.key}, {"reason", record.reason}});
  }
  return {{"service", snapshot.service},
          {"revision", snapshot.revision},
          {"instances", std::move(instances)},
          {"rejected", std::move(rejected)}};
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace turnout::cli
