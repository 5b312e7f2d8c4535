#include "absl/strings/escaping.h"
#include "src/model/json.h"
#include "src/model/names.h"
#include "src/model/own_fields.h"
#include "src/model/record.h"
#include "src/model/text.h"

namespace turnout::model {
namespace {

void AppendField(std::string_view name, std::string_view text, std::string& out) {
  AppendGoString(name, out);
  out += ':';
  AppendGoString(text, out);
}

void AppendNode(const Instance& instance, std::string& out) {
  out += '{';
  AppendField("name", NodeName(instance.service), out);
  out += ',';
  AppendField("path", NodePath(instance.service), out);
  out += ',';
  AppendField("id", instance.id, out);
  out += ',';
  AppendField("version", instance.version, out);
  out += ',';
  AppendField("address", instance.address(), out);
  out += '}';
}

void AppendMethod(const MethodSettings& settings, std::string& out) {
  const auto boolean = [](bool value) { return value ? "true" : "false"; };
  out += Concat({R"({"online":)", boolean(settings.online), R"(,"limiting_switch":)",
                 boolean(settings.limiting_switch), R"(,"limiting":)",
                 std::to_string(settings.limiting), R"(,"fuse":)", boolean(settings.fuse),
                 R"(,"defaults":)"});
  if (settings.defaults.has_value()) {
    AppendGoString(absl::Base64Escape(*settings.defaults), out);
  } else {
    out += "null";
  }
  out += '}';
}

// A map of Go's: null when there is nothing, else sorted by key.
template <typename Map, typename AppendValue>
void AppendMap(const Map& map, AppendValue append_value, std::string& out) {
  if (map.empty()) {
    out += "null";
    return;
  }
  char before = '{';
  for (const auto& [key, value] : map) {
    out += before;
    AppendGoString(key, out);
    out += ':';
    append_value(value, out);
    before = ',';
  }
  out += '}';
}

}  // namespace

std::string FormatRecord(const Instance& instance) {
  std::string out = R"({"node":)";
  AppendNode(instance, out);
  out += R"(,"metadata":)";
  AppendMap(MetadataWithOwnFields(instance), AppendGoString, out);
  out += R"(,"endpoints":)";
  AppendMap(instance.methods, AppendMethod, out);
  out += '}';
  return out;
}

absl::StatusOr<std::string> WithMetadata(std::string_view value, std::string_view key,
                                         std::string_view new_value) {
  using Json = nlohmann::ordered_json;
  Json record;
  if (absl::Status status = ParseJson(value, RecordLimits{}, record); !status.ok()) {
    return absl::InvalidArgumentError(Concat({"record: ", Message(status)}));
  }
  if (!record.is_object()) return absl::InvalidArgumentError("record: must be an object");
  Json& metadata = record["metadata"];
  if (!metadata.is_null() && !metadata.is_object()) {
    return absl::InvalidArgumentError("metadata: must be null or an object");
  }
  if (!new_value.empty()) {
    metadata[std::string(key)] = new_value;
  } else if (metadata.is_object()) {
    metadata.erase(std::string(key));
    if (metadata.empty()) metadata = nullptr;
  }
  try {
    return record.dump();
  } catch (const nlohmann::json::type_error&) {  // the only string that was not parsed is ours
    return absl::InvalidArgumentError(
        Concat({"metadata: must be UTF-8, got ", Quoted(key), " = ", Quoted(new_value)}));
  }
}

}  // namespace turnout::model
