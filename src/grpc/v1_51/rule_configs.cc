#include "src/grpc/v1_51/rule_configs.h"

#include <grpc/support/port_platform.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/base/log.h"
#include "src/core/lib/json/json.h"
#include "src/core/lib/service_config/service_config_impl.h"
#include "src/grpc/v1_51/convert.h"

namespace turnout::adapter {
namespace {

using grpc_core::Json;
using grpc_core::RefCountedPtr;
using grpc_core::ServiceConfig;

// "1.500s"
Json Seconds(std::chrono::milliseconds duration) {
  return absl::StrFormat("%d.%03ds", duration.count() / 1000, duration.count() % 1000);
}

Json RetryPolicy(const route::RetrySettings& retry) {
  Json::Array codes;
  for (const std::string& code : retry.status_codes) codes.emplace_back(code);
  return Json::Object{{"maxAttempts", retry.max_attempts},
                      {"initialBackoff", Seconds(retry.initial_backoff)},
                      {"maxBackoff", Seconds(retry.max_backoff)},
                      {"backoffMultiplier", Json(absl::StrCat(retry.backoff_multiplier), true)},
                      {"retryableStatusCodes", std::move(codes)}};
}

void Override(Json::Object& method, const route::Route& route) {
  if (route.timeout.has_value()) method["timeout"] = Seconds(*route.timeout);
  if (!route.retry.has_value()) return;
  if (route.retry->max_attempts > 1) {
    method["retryPolicy"] = RetryPolicy(*route.retry);
  } else {
    method.erase("retryPolicy");
  }
}

bool IsForAllMethods(const Json& method) {
  const auto names = method.object_value().find("name");
  if (names == method.object_value().end()) return false;
  const Json::Array& list = names->second.array_value();
  return std::any_of(list.begin(), list.end(),
                     [](const Json& name) { return name.object_value().empty(); });
}

// Every method's entry is changed, and methods without one get one.
Json WithRoute(Json config, const route::Route& route) {
  Json& methods = (*config.mutable_object())["methodConfig"];
  if (methods.type() != Json::Type::ARRAY) methods = Json::Array();
  bool complete = false;
  for (Json& method : *methods.mutable_array()) {
    Override(*method.mutable_object(), route);
    complete |= IsForAllMethods(method);
  }
  if (!complete) {
    Json::Object rest{{"name", Json::Array{Json::Object()}}};
    Override(rest, route);
    methods.mutable_array()->emplace_back(std::move(rest));
  }
  return config;
}

RefCountedPtr<ServiceConfig> ConfigFor(const Json& application, const route::Rule& rule,
                                       const grpc_core::ChannelArgs& args) {
  const route::Route* const route = rule.route();
  if (route == nullptr || (!route->timeout.has_value() && !route->retry.has_value())) {
    return nullptr;
  }
  auto config = grpc_core::ServiceConfigImpl::Create(args, WithRoute(application, *route).Dump());
  if (config.ok()) return *std::move(config);
  base::Log(LogSeverity::kError, "rules",
            absl::StrCat("time-out and retries of rule ", rule.name,
                         " are not used: ", config.status().message()));
  return nullptr;
}

}  // namespace

RuleConfigs::RuleConfigs(RefCountedPtr<ServiceConfig> application,
                         std::shared_ptr<const route::Router> router,
                         const grpc_core::ChannelArgs& args)
    : application_(std::move(application)), router_(std::move(router)) {
  const auto json = Json::Parse(application_->json_string());
  by_rule_.resize(router_->rules()->rules().size());
  if (!json.ok()) return;  // gRPC has parsed it before
  for (const std::size_t index : router_->candidates()) {
    by_rule_[index] = ConfigFor(*json, router_->rules()->rules()[index], args);
  }
}

const ServiceConfig& RuleConfigs::For(const route::Decision& decision) const {
  if (decision.rule == nullptr || by_rule_[decision.rule_index] == nullptr) return *application_;
  return *by_rule_[decision.rule_index];
}

}  // namespace turnout::adapter
