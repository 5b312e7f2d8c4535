#include "src/balance/outlier_detection.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "src/balance/config_values.h"
#include "src/balance/json.h"
#include "turnout/service_config.h"

namespace turnout {
namespace {

using nlohmann::json;

constexpr char kSuccessRate[] = "successRateEjection";
constexpr char kFailurePercentage[] = "failurePercentageEjection";
constexpr char kEnforcement[] = "enforcementPercentage";

json ToJson(const OutlierDetectionOptions& options) {
  json policy = {{"interval", balance::Seconds(options.interval)},
                 {"baseEjectionTime", balance::Seconds(options.base_ejection_time)},
                 {"maxEjectionTime", balance::Seconds(options.max_ejection_time)},
                 {"maxEjectionPercent", options.max_ejection_percent}};
  if (const auto& rate = options.success_rate; rate.has_value()) {
    policy[kSuccessRate] = {{"stdevFactor", rate->stdev_factor},
                            {kEnforcement, rate->enforcement_percentage},
                            {"minimumHosts", rate->minimum_hosts},
                            {"requestVolume", rate->request_volume}};
  }
  if (const auto& failures = options.failure_percentage; failures.has_value()) {
    policy[kFailurePercentage] = {{"threshold", failures->threshold},
                                  {kEnforcement, failures->enforcement_percentage},
                                  {"minimumHosts", failures->minimum_hosts},
                                  {"requestVolume", failures->request_volume}};
  }
  return policy;
}

}  // namespace

std::string WithOutlierDetection(std::string_view service_config_json,
                                 const OutlierDetectionOptions& options) {
  absl::StatusOr<json> config =
      balance::ParseJson(service_config_json.empty() ? "{}" : service_config_json);
  if (!config.ok() || !config->is_object()) return std::string(service_config_json);
  json policy = ToJson(options);
  json& policies = (*config)["loadBalancingConfig"];
  policy["childPolicy"] = policies.is_null()
                              ? json::array({json::object({{"turnout", json::object()}})})
                              : std::move(policies);
  policies =
      json::array({json::object({{std::string(balance::kOutlierDetection), std::move(policy)}})});
  return config->dump();
}

void balance::CheckOutlierDetection(const json& config, const Place& place) {
  if (!config.is_object()) return;  // gRPC says so
  for (const char* const algorithm : {kSuccessRate, kFailurePercentage}) {
    const auto found = config.find(algorithm);
    if (found == config.end() || !found->is_object() || found->contains(kEnforcement)) continue;
    place.At(algorithm)
        .At(kEnforcement)
        .Error(
            "must be given: without it gRPC 1.51 ejects nothing, where the default is meant to be "
            "100");
  }
  if (const auto interval = config.find("interval"); interval != config.end()) {
    const auto duration = ParseDuration(*interval);
    if (duration.has_value() && *duration < std::chrono::milliseconds(1)) {
      place.At("interval").Error("must be at least 0.001s, got " + Shown(*interval));
    }
  }
}

}  // namespace turnout
