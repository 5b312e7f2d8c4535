#include "src/grpc/v1_51/service_config.h"

#include <grpc/impl/codegen/grpc_types.h>
#include <grpc/support/port_platform.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "src/balance/policy_config.h"
#include "src/core/ext/filters/client_channel/client_channel_service_config.h"
#include "src/core/lib/json/json.h"
#include "src/core/lib/service_config/service_config_impl.h"
#include "src/grpc/v1_51/convert.h"
#include "src/grpc/v1_51/policy.h"

namespace turnout::adapter {
namespace {

using grpc_core::ChannelArgs;
using grpc_core::Json;

constexpr char kKeptServiceConfig[] = "turnout.internal.service_config";

class Keeper final : public grpc_core::ProxyMapperInterface {
 public:
  absl::optional<std::string> MapName(absl::string_view server_uri, ChannelArgs* args) override {
    if (!absl::StartsWith(server_uri, "etcd:")) return absl::nullopt;
    if (const auto json = args->GetOwnedString(GRPC_ARG_SERVICE_CONFIG); json.has_value()) {
      *args = args->Set(kKeptServiceConfig, *json);
    }
    return std::string{server_uri};  // what is changed in `args` counts only with an answer
  }

  absl::optional<grpc_resolved_address> MapAddress(const grpc_resolved_address&,
                                                   ChannelArgs*) override {
    return absl::nullopt;
  }
};

bool IsOurs(absl::string_view policy) {
  for (const char* name : kPolicyNames) {
    if (policy == name) return true;
  }
  return false;
}

// Does a policy of ours stand anywhere in `config`? Among alternatives, too, that gRPC will not
// choose: that costs little and is rare.
bool HoldsOurs(const Json& config) {
  if (config.type() == Json::Type::ARRAY) {
    return std::any_of(config.array_value().begin(), config.array_value().end(), HoldsOurs);
  }
  if (config.type() != Json::Type::OBJECT) return false;
  const Json::Object& fields = config.object_value();
  return std::any_of(fields.begin(), fields.end(), [](const auto& field) {
    return IsOurs(field.first) || HoldsOurs(field.second);
  });
}

// The policy that gRPC will choose; empty for its default, pick_first.
absl::string_view ChosenPolicy(const grpc_core::ServiceConfig& config, const ChannelArgs& args) {
  using Parser = grpc_core::internal::ClientChannelServiceConfigParser;
  using Parsed = grpc_core::internal::ClientChannelGlobalParsedConfig;
  // gRPC's getter is not const; the service config is only read.
  auto& mutable_config = const_cast<grpc_core::ServiceConfig&>(config);
  const auto* parsed =
      static_cast<const Parsed*>(mutable_config.GetGlobalParsedConfig(Parser::ParserIndex()));
  if (parsed->parsed_lb_config() != nullptr) return parsed->parsed_lb_config()->name();
  if (!parsed->parsed_deprecated_lb_policy().empty()) return parsed->parsed_deprecated_lb_policy();
  return args.GetString(GRPC_ARG_LB_POLICY_NAME).value_or("");
}

}  // namespace

std::unique_ptr<grpc_core::ProxyMapperInterface> MakeServiceConfigKeeper() {
  return std::make_unique<Keeper>();
}

ChannelArgs WithoutKeptServiceConfig(const ChannelArgs& args) {
  return args.Remove(kKeptServiceConfig);
}

EffectiveServiceConfig EffectiveServiceConfig::Of(const ChannelArgs& args) {
  EffectiveServiceConfig effective;
  const absl::string_view text = args.GetString(kKeptServiceConfig).value_or("{}");
  auto json = Json::Parse(text);
  if (!json.ok()) return effective;
  effective.status = balance::CheckServiceConfig(ToStd(text));
  auto config = grpc_core::ServiceConfigImpl::Create(args, json->Dump());
  if (!config.ok()) return effective;
  absl::string_view policy = ChosenPolicy(**config, args);
  if (policy.empty()) {
    policy = kPolicyNames[0];
    json->mutable_object()->insert_or_assign(
        "loadBalancingConfig", Json::Array{Json::Object{{std::string{policy}, Json::Object{}}}});
    config = grpc_core::ServiceConfigImpl::Create(args, json->Dump());
    if (!config.ok()) return effective;
  }
  effective.config = *std::move(config);
  if (!IsOurs(policy)) {
    effective.addresses = HoldsOurs(*json) ? Addresses::kEverybodys : Addresses::kCallees;
  }
  return effective;
}

}  // namespace turnout::adapter
