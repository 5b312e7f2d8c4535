#include "src/cli/changes.h"

#include <algorithm>
#include <map>

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "src/cli/describe.h"

namespace turnout::cli {
namespace {

using Kind = Change::Kind;
using ById = std::map<std::string_view, const Member*>;

ById Index(const Snapshot* snapshot) {
  ById result;
  if (snapshot == nullptr) return result;
  for (const Member& member : snapshot->members) result.emplace(member.instance->id, &member);
  return result;
}

// "version v1 → v2, weight 1 → 5"
std::string Differences(const Instance& before, const Instance& after) {
  std::vector<std::string> parts;
  const auto compare = [&](std::string_view what, std::string_view old_value,
                           std::string_view new_value) {
    const auto shown = [](std::string_view value) {
      return value.empty() ? "none" : Printable(value);
    };
    if (old_value == new_value) return;
    parts.push_back(fmt::format("{} {} → {}", what, shown(old_value), shown(new_value)));
  };
  if (before.create_revision != after.create_revision) parts.emplace_back("registered anew");
  compare("version", before.version, after.version);
  compare("address", AddressText(before), AddressText(after));
  compare("weight", std::to_string(before.weight), std::to_string(after.weight));
  compare("zone", ZoneText(before), ZoneText(after));
  compare("methods off", MethodsOffText(before), MethodsOffText(after));
  if (parts.empty() && before.metadata != after.metadata) parts.emplace_back("metadata");
  if (parts.empty()) parts.emplace_back("record");
  return fmt::format("{}", fmt::join(parts, ", "));
}

Kind KindOfStatus(InstanceStatus status) {
  switch (status) {
    case InstanceStatus::kDraining:
      return Kind::kDraining;
    case InstanceStatus::kLapsed:
      return Kind::kLapsed;
    case InstanceStatus::kRegistered:
      break;
  }
  return Kind::kReturned;
}

std::optional<Change> CompareMember(const Member& before, const Member& after) {
  const std::string& id = after.instance->id;
  if (before.status != after.status) {
    const bool lapsed = after.status == InstanceStatus::kLapsed;
    return Change{KindOfStatus(after.status), id, after,
                  lapsed ? "its record vanished unannounced" : ""};
  }
  if (before.instance == after.instance || *before.instance == *after.instance) return std::nullopt;
  return Change{Kind::kChanged, id, after, Differences(*before.instance, *after.instance)};
}

bool Contains(const Snapshot* snapshot, const Snapshot::Rejected& record) {
  return snapshot != nullptr &&
         std::any_of(snapshot->rejected.begin(), snapshot->rejected.end(), [&](const auto& known) {
           return known.key == record.key && known.reason == record.reason;
         });
}

}  // namespace

std::string_view ToString(Kind kind) {
  switch (kind) {
    case Kind::kPresent:
      return "present";
    case Kind::kJoined:
      return "joined";
    case Kind::kLeft:
      return "left";
    case Kind::kRemoved:
      return "removed";
    case Kind::kDraining:
      return "draining";
    case Kind::kLapsed:
      return "lapsed";
    case Kind::kReturned:
      return "returned";
    case Kind::kChanged:
      return "changed";
    case Kind::kRejected:
      return "rejected";
  }
  return "";
}

std::vector<Change> Compare(const Snapshot* before, const Snapshot& after) {
  std::vector<Change> result;
  const ById old_members = Index(before);
  const ById new_members = Index(&after);
  for (const auto& [id, member] : old_members) {
    if (new_members.contains(id)) continue;
    const bool removed = std::binary_search(after.removed.begin(), after.removed.end(), id);
    result.push_back({removed ? Kind::kRemoved : Kind::kLeft, std::string(id), *member,
                      removed ? "by an operator" : ""});
  }
  // Its record and the decision are watched apart: the record may be seen to go first.
  for (const std::string& id : after.removed) {
    if (before == nullptr || old_members.contains(id) ||
        std::ranges::binary_search(before->removed, id)) {
      continue;
    }
    result.push_back({Kind::kRemoved, id, std::nullopt, "by an operator"});
  }
  const Kind arrival = before == nullptr ? Kind::kPresent : Kind::kJoined;
  for (const auto& [id, member] : new_members) {
    const auto known = old_members.find(id);
    if (known == old_members.end()) {
      result.push_back({arrival, std::string(id), *member, ""});
    } else if (auto change = CompareMember(*known->second, *member)) {
      result.push_back(*std::move(change));
    }
  }
  for (const Snapshot::Rejected& record : after.rejected) {
    if (Contains(before, record)) continue;
    result.push_back({Kind::kRejected, record.key, std::nullopt, record.reason});
  }
  return result;
}

}  // namespace turnout::cli
