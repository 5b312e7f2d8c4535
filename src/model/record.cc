#include "src/model/record.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/escaping.h"
#include "src/model/json.h"
#include "src/model/names.h"
#include "src/model/own_fields.h"
#include "src/model/text.h"

namespace turnout::model {
namespace {

using Json = nlohmann::json;

// An unquoted name where that is harmless, so that paths read well.
std::string Path(std::string_view parent, std::string_view name) {
  const bool plain =
      !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.';
      });
  return Concat({parent, ".", plain ? std::string(name) : Quoted(name)});
}

std::string Shown(const Json& found) {
  return found.is_string() ? Quoted(found.get_ref<const std::string&>()) : found.type_name();
}

absl::Status Wrong(std::string_view path, std::string_view allowed, std::string_view found) {
  return absl::InvalidArgumentError(Concat({path, ": must be ", allowed, ", got ", found}));
}

// The member `key`; null, as in Go, means that it is not there.
const Json* Find(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

absl::StatusOr<std::string> RequiredString(const Json& object, std::string_view parent,
                                           const char* key) {
  const Json* found = Find(object, key);
  if (found == nullptr) return Wrong(Path(parent, key), "a string", "nothing");
  if (!found->is_string()) return Wrong(Path(parent, key), "a string", Shown(*found));
  return found->get<std::string>();
}

absl::StatusOr<std::string> ParseUnixAddress(std::string_view text, bool allowed) {
  constexpr std::string_view kScheme = "unix:";
  constexpr std::size_t kLongestPath = 107;  // sockaddr_un's, less its final zero
  constexpr std::string_view kPath = "node.address";
  if (!allowed) return Wrong(kPath, "host:port (unix: is not allowed here)", Quoted(text));
  const std::string_view path = text.substr(kScheme.size());
  const bool printable =
      std::none_of(path.begin(), path.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (!path.starts_with('/') || path.size() > kLongestPath || !printable) {
    return Wrong(kPath, "unix: and an absolute path of at most 107 bytes", Quoted(text));
  }
  return std::string(text);
}

absl::StatusOr<std::string> ParseAddress(std::string_view text, const RecordLimits& limits) {
  if (text.starts_with("unix:")) return ParseUnixAddress(text, limits.allow_unix_addresses);
  const auto address = ParseHostPort(text);
  if (!address.ok()) {
    return absl::InvalidArgumentError(Concat({"node.address: ", Message(address.status())}));
  }
  if (address->host == "0.0.0.0" || address->host == "::") {
    return Wrong("node.address", "an address that others can call, not a wildcard", Quoted(text));
  }
  return address->ToString();
}

absl::Status ReadNode(const Json& record, const RecordLimits& limits, Instance& instance) {
  const Json* node = Find(record, "node");
  if (node == nullptr) return Wrong("node", "an object", "nothing");
  if (!node->is_object()) return Wrong("node", "an object", Shown(*node));

  auto version = RequiredString(*node, "node", "version");
  if (!version.ok()) return version.status();
  // Go writes whatever it was told, an empty version too.
  if (!version->empty() && !CheckVersion(*version).ok()) {
    return Wrong("node.version", "at most 256 bytes without control characters", Quoted(*version));
  }
  instance.version = *std::move(version);

  auto text = RequiredString(*node, "node", "address");
  if (!text.ok()) return text.status();
  auto address = ParseAddress(*text, limits);
  if (!address.ok()) return address.status();
  instance.addresses.push_back(*std::move(address));
  return absl::OkStatus();
}

absl::Status ReadMetadata(const Json& record, Instance& instance) {
  const Json* metadata = Find(record, "metadata");
  if (metadata == nullptr) return absl::OkStatus();
  if (!metadata->is_object()) {
    return Wrong("metadata", "null or an object of strings", Shown(*metadata));
  }
  for (const auto& [key, value] : metadata->items()) {
    if (!value.is_string()) return Wrong(Path("metadata", key), "a string", Shown(value));
    instance.metadata.emplace(key, value.get<std::string>());
  }
  ReadOwnFields(instance);
  return absl::OkStatus();
}

absl::Status ReadBool(const Json& object, std::string_view parent, const char* key, bool& result) {
  const Json* found = Find(object, key);
  if (found == nullptr) return absl::OkStatus();
  if (!found->is_boolean()) return Wrong(Path(parent, key), "true or false", Shown(*found));
  result = found->get<bool>();
  return absl::OkStatus();
}

absl::Status ReadLimiting(const Json& object, std::string_view parent, std::int64_t& result) {
  const Json* found = Find(object, "limiting");
  if (found == nullptr) return absl::OkStatus();
  const bool fits =
      found->is_number_integer() &&
      (!found->is_number_unsigned() || std::in_range<std::int64_t>(found->get<std::uint64_t>()));
  if (!fits) return Wrong(Path(parent, "limiting"), "a whole number of 64 bits", Shown(*found));
  result = found->get<std::int64_t>();
  return absl::OkStatus();
}

absl::Status ReadDefaults(const Json& object, std::string_view parent,
                          std::optional<std::string>& result) {
  const Json* found = Find(object, "defaults");
  if (found == nullptr) return absl::OkStatus();
  std::string bytes;
  if (!found->is_string() || !absl::Base64Unescape(found->get_ref<const std::string&>(), &bytes)) {
    return Wrong(Path(parent, "defaults"), "null or base64", Shown(*found));
  }
  result = std::move(bytes);
  return absl::OkStatus();
}

absl::Status ReadMethod(const Json& found, std::string_view path, MethodSettings& settings) {
  if (found.is_null()) return absl::OkStatus();
  if (!found.is_object()) return Wrong(path, "an object", Shown(found));
  absl::Status status = ReadBool(found, path, "online", settings.online);
  status.Update(ReadBool(found, path, "limiting_switch", settings.limiting_switch));
  status.Update(ReadLimiting(found, path, settings.limiting));
  status.Update(ReadBool(found, path, "fuse", settings.fuse));
  status.Update(ReadDefaults(found, path, settings.defaults));
  return status;
}

absl::Status ReadMethods(const Json& record, Instance& instance) {
  const Json* endpoints = Find(record, "endpoints");
  if (endpoints == nullptr) return absl::OkStatus();
  if (!endpoints->is_object()) return Wrong("endpoints", "null or an object", Shown(*endpoints));
  for (const auto& [name, found] : endpoints->items()) {
    const std::string path = Path("endpoints", name);
    if (absl::Status status = ReadMethod(found, path, instance.methods[name]); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Instance> ParseRecord(std::string_view service, std::string_view id,
                                     std::string_view value, const RecordLimits& limits) {
  if (absl::Status status = CheckInstanceId(id); !status.ok()) return status;
  Json record;
  if (absl::Status status = ParseJson(value, limits, record); !status.ok()) {
    return absl::InvalidArgumentError(Concat({"record: ", Message(status)}));
  }
  if (!record.is_object()) return Wrong("record", "an object", Shown(record));

  Instance instance{.service = std::string(service), .id = std::string(id)};
  absl::Status status = ReadNode(record, limits, instance);
  if (status.ok()) status = ReadMetadata(record, instance);
  if (status.ok()) status = ReadMethods(record, instance);
  if (!status.ok()) return status;
  return instance;
}

absl::StatusOr<OperatorState> ParseOperatorState(std::string_view value) {
  const std::string_view word = Trimmed(value);
  if (word == "draining") return OperatorState::kDraining;
  if (word == "removed") return OperatorState::kRemoved;
  return Wrong("state", "`draining` or `removed`", Quoted(value));
}

}  // namespace turnout::model
