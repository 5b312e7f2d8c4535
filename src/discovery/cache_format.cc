#include "src/discovery/cache_format.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "src/model/json.h"
#include "src/model/names.h"
#include "src/model/record.h"
#include "src/model/text.h"
#include "src/route/rule_set.h"

namespace turnout::discovery {
namespace {

using Json = nlohmann::json;
using model::Concat;

constexpr std::string_view kMagic = "turnout-cache ";
constexpr std::string_view kVersion = "1";
constexpr int kDepth = 4;  // members are objects of a list of an object; one to spare

// With its ends, a file name has at most 255 bytes.
constexpr std::size_t kLongestServicePart = 180;
constexpr std::string_view kSuffix = ".cache";

std::string Hex(std::uint64_t value, int digits) {
  std::string text;
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    text += "0123456789abcdef"[(value >> shift) & 0xf];
  }
  return text;
}

// FNV-1a, 64 bits: the same in every process, which std::hash does not promise.
std::uint64_t Hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

std::string Header(std::string_view body) {
  const auto* bytes = reinterpret_cast<const Bytef*>(body.data());
  return Concat({kMagic, kVersion, " ", Hex(crc32_z(0, bytes, body.size()), 8), " ",
                 std::to_string(body.size()), "\n"});
}

absl::Status Wrong(std::initializer_list<std::string_view> parts) {
  return absl::InvalidArgumentError(Concat(parts));
}

// What follows the header, if that is the one that belongs there, byte for byte.
absl::StatusOr<std::string_view> CheckedBody(std::string_view text) {
  if (!text.starts_with(kMagic)) return Wrong({"it is not a cache file of Turnout's"});
  const std::string_view line = text.substr(0, text.find('\n'));
  if (line.size() == text.size()) return Wrong({"it is truncated"});
  const auto fields = model::Split(line, ' ');
  if (fields[1] != kVersion) {
    return Wrong(
        {"its format is ", model::Quoted(fields[1]), ", this program reads \"", kVersion, "\""});
  }
  const std::string_view body = text.substr(line.size() + 1);
  if (fields.size() != 4 || fields[3] != std::to_string(body.size())) {
    return Wrong({"its size is not as its header says"});
  }
  if (text.substr(0, line.size() + 1) != Header(body)) {
    return Wrong({"its content does not match its checksum"});
  }
  return body;
}

Json IdentityJson(const CacheIdentity& identity) {
  return {{"service", identity.service},
          {"prefix", identity.prefix},
          {"endpoints", identity.endpoints}};
}

bool Belongs(const Json& document, const CacheIdentity& identity) {
  const Json wanted = IdentityJson(identity);
  return std::all_of(wanted.items().begin(), wanted.items().end(), [&](const auto& item) {
    const auto found = document.find(item.key());
    return found != document.end() && *found == item.value();
  });
}

const std::string* String(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

// A revision: etcd begins to count at 1.
std::optional<etcd::Revision> Positive(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  const auto value = found->get<etcd::Revision>();
  return value > 0 ? std::optional(value) : std::nullopt;
}

// Appends the member to the lists; false if it is not as it should be.
bool ReadMember(const CacheIdentity& identity, const Json& member, Lists& lists) {
  if (!member.is_object()) return false;
  const std::string* id = String(member, "id");
  const std::string* record = String(member, "record");
  const auto created = Positive(member, "create_revision");
  const auto modified = Positive(member, "mod_revision");
  const auto draining = member.find("operator_draining");
  if (id == nullptr || !model::CheckInstanceId(*id).ok() || record == nullptr || !created ||
      !modified || draining == member.end() || !draining->is_boolean()) {
    return false;
  }
  const model::Keys keys(identity.prefix);
  lists.records.kvs.push_back({.key = keys.Record(identity.service, *id),
                               .value = *record,
                               .create_revision = *created,
                               .mod_revision = *modified});
  if (draining->get<bool>()) {
    // Nobody remembers when that was decided; etcd's answer will replace it in any case.
    lists.states.kvs.push_back({.key = keys.State(identity.service, *id),
                                .value = "draining",
                                .create_revision = lists.states.revision,
                                .mod_revision = lists.states.revision});
  }
  return true;
}

// The rules' document, if there is one; false if it is not as it should be.
bool ReadRules(const CacheIdentity& identity, const Json& document, Lists& lists) {
  const auto rules = document.find("rules");
  if (rules == document.end()) return true;
  if (!rules->is_object()) return false;
  const std::string* text = String(*rules, "document");
  const auto modified = Positive(*rules, "mod_revision");
  if (text == nullptr || !modified) return false;
  lists.rules.kvs.push_back({.key = model::Keys(identity.prefix).Rules(identity.service),
                             .value = *text,
                             .create_revision = *modified,
                             .mod_revision = *modified});
  return true;
}

}  // namespace

CacheIdentity::CacheIdentity(std::string service_name, const RegistryOptions& options)
    : service(std::move(service_name)), prefix(options.prefix), endpoints(options.endpoints) {
  std::sort(endpoints.begin(), endpoints.end());
}

std::string CacheIdentity::FileName() const {
  std::string all = Concat({service, "\n", prefix});
  for (const std::string& endpoint : endpoints) all += Concat({"\n", endpoint});
  const std::string_view part = std::string_view{service}.substr(0, kLongestServicePart);
  return Concat({part, ".", Hex(Hash(all), 16), kSuffix});
}

std::string FormatCache(const CacheIdentity& identity, const Snapshot& snapshot) {
  Json members = Json::array();
  for (const Member& member : snapshot.members) {
    if (member.status == InstanceStatus::kLapsed) continue;
    const Instance& instance = *member.instance;
    const bool draining = member.status == InstanceStatus::kDraining;
    members.push_back({{"id", instance.id},
                       {"record", model::FormatRecord(instance)},
                       {"create_revision", instance.create_revision},
                       {"mod_revision", instance.mod_revision},
                       {"operator_draining", draining && !instance.draining}});
  }
  Json document = IdentityJson(identity);
  document["revision"] = snapshot.revision;
  document["members"] = std::move(members);
  if (snapshot.rules != nullptr) {
    document["rules"] = {{"document", snapshot.rules->text()},
                         {"mod_revision", snapshot.rules_revision}};
  }
  const std::string body =
      document.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
  return Header(body) + body;
}

absl::StatusOr<Lists> ParseCache(const CacheIdentity& identity, std::string_view text) {
  const auto body = CheckedBody(text);
  if (!body.ok()) return body.status();
  Json document;
  const model::RecordLimits limits{.size_bytes = body->size(), .depth = kDepth};
  if (absl::Status status = model::ParseJson(*body, limits, document); !status.ok()) {
    return Wrong({"its content ", model::Message(status)});
  }
  if (!document.is_object() || !Belongs(document, identity)) {
    return Wrong({"it is of another service or cluster"});
  }
  const auto revision = Positive(document, "revision");
  const auto members = document.find("members");
  if (!revision || members == document.end() || !members->is_array()) {
    return Wrong({"it lacks a revision or members"});
  }
  Lists lists;
  lists.records.revision = *revision;
  lists.states.revision = *revision;
  lists.rules.revision = *revision;
  for (const Json& member : *members) {
    if (!ReadMember(identity, member, lists)) return Wrong({"one of its members is malformed"});
  }
  if (!ReadRules(identity, document, lists)) return Wrong({"its rules are malformed"});
  return lists;
}

}  // namespace turnout::discovery
