#include "src/balance/policy_config.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "src/balance/config_place.h"
#include "src/balance/json.h"
#include "src/balance/method_gate.h"
#include "src/balance/outlier_detection.h"
#include "src/balance/picker_list.h"
#include "src/balance/picker_registry.h"
#include "src/model/text.h"
#include "turnout/config_reader.h"

namespace turnout::balance {
namespace {

using nlohmann::json;

// The names that gRPC knows us by, and what their objects hold beside what they share: `turnout` a
// list of pickers, `version` the parameters of the picker of that name.
constexpr std::string_view kTurnout = "turnout";
constexpr std::string_view kVersion = "version";

constexpr std::string_view kStreamLatency[] = {"first_response", "none"};

PolicyConfig ReadPolicy(std::string_view policy, const json& value, const Place& place) {
  PolicyConfig config;
  ReadObject(value, place, [&](ConfigReader& reader) {
    config.connect_timeout =
        reader.Duration("connectTimeout", {.otherwise = config.connect_timeout,
                                           .least = std::chrono::milliseconds(1),
                                           .most = std::chrono::minutes(10)});
    config.lazy_connections = reader.Bool("lazyConnections", config.lazy_connections);
    config.stream_latency =
        static_cast<PolicyConfig::StreamLatency>(reader.Choice("streamLatency", kStreamLatency, 0));
    config.picker = policy == kVersion ? FindPickerBuilder(kVersion)->Configure(reader)
                                       : reader.Child("picker", kVersion);
  });
  return config;
}

void CheckPolicies(const json& list, const Place& place);

// Policies of gRPC keep theirs under `childPolicy`, some of them deeper inside.
void CheckChildren(const json& value, const Place& place) {
  if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) CheckChildren(value[i], place.At(i));
  }
  if (!value.is_object()) return;
  for (const auto& [key, child] : value.items()) {
    if (key == "childPolicy") {
      CheckPolicies(child, place.At(key));
    } else {
      CheckChildren(child, place.At(key));
    }
  }
}

void CheckPolicies(const json& list, const Place& place) {
  if (!list.is_array() || list.empty()) {
    place.Error("must be a list of policies, got " + Shown(list));
    return;
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!CheckNamed(list[i], place.At(i))) continue;
    const auto entry = list[i].begin();
    const Place inside = place.At(i).At(entry.key());
    if (entry.key() == kTurnout || entry.key() == kVersion) {
      ReadPolicy(entry.key(), *entry, inside);
    } else {
      if (entry.key() == kOutlierDetection) CheckOutlierDetection(*entry, inside);
      CheckChildren(*entry, inside);
    }
  }
}

absl::Status In(std::string_view what, const absl::Status& status) {
  const absl::string_view why = status.message();
  return absl::InvalidArgumentError(model::Concat({what, ": ", {why.data(), why.size()}}));
}

}  // namespace

absl::StatusOr<std::shared_ptr<const PolicyConfig>> ParsePolicyConfig(std::string_view policy,
                                                                      std::string_view json_text) {
  const absl::StatusOr<json> value = ParseJson(json_text);
  if (!value.ok()) return In(policy, value.status());
  std::vector<std::string> errors;
  PolicyConfig config =
      ReadPolicy(policy, *value, {.path = std::string(policy), .errors = &errors});
  if (absl::Status status = ToStatus(errors); !status.ok()) return status;
  return std::make_shared<const PolicyConfig>(std::move(config));
}

absl::Status CheckServiceConfig(std::string_view json_text) {
  const absl::StatusOr<json> value = ParseJson(json_text);
  if (!value.ok()) return In("service config", value.status());
  if (!value->is_object()) {
    return absl::InvalidArgumentError("service config: must be an object, got " + Shown(*value));
  }
  std::vector<std::string> errors;
  const auto policies = value->find("loadBalancingConfig");
  if (policies != value->end()) {
    CheckPolicies(*policies, {.path = "loadBalancingConfig", .errors = &errors});
  }
  return ToStatus(errors);
}

std::unique_ptr<const Picker> BuildRoot(const PickerBuilder& builder, std::string_view service,
                                        std::span<const Endpoint> endpoints) {
  EndpointGroup::Members members;
  members.reserve(endpoints.size());
  for (const Endpoint& endpoint : endpoints) members.push_back(&endpoint);
  return BuildMethodGate(builder, EndpointGroup(service, std::move(members)));
}

}  // namespace turnout::balance
