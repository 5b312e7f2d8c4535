// The application's service config, and what rules make of it: a route's time-out and retry policy
// take the place of the application's, for the calls that the rule decides.
#ifndef TURNOUT_SRC_GRPC_V1_51_RULE_CONFIGS_H_
#define TURNOUT_SRC_GRPC_V1_51_RULE_CONFIGS_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "src/core/lib/channel/channel_args.h"
#include "src/core/lib/gprpp/ref_counted_ptr.h"
#include "src/core/lib/service_config/service_config.h"
#include "src/route/router.h"

namespace turnout::adapter {

// To the channel it is the application's service config. Each call holds it, and with it what its
// decision refers to.
class RuleConfigs final : public grpc_core::ServiceConfig {
 public:
  RuleConfigs(grpc_core::RefCountedPtr<grpc_core::ServiceConfig> application,
              std::shared_ptr<const route::Router> router, const grpc_core::ChannelArgs& args);

  const route::Router& router() const { return *router_; }

  // What is in force for calls that `decision` is about.
  const grpc_core::ServiceConfig& For(const route::Decision& decision) const;

  absl::string_view json_string() const override { return application_->json_string(); }
  grpc_core::ServiceConfigParser::ParsedConfig* GetGlobalParsedConfig(std::size_t index) override {
    return application_->GetGlobalParsedConfig(index);
  }
  const grpc_core::ServiceConfigParser::ParsedConfigVector* GetMethodParsedConfigVector(
      const grpc_slice& path) const override {
    return application_->GetMethodParsedConfigVector(path);
  }

 private:
  const grpc_core::RefCountedPtr<grpc_core::ServiceConfig> application_;
  const std::shared_ptr<const route::Router> router_;
  std::vector<grpc_core::RefCountedPtr<grpc_core::ServiceConfig>>
      by_rule_;  // null: the application's
};

}  // namespace turnout::adapter

#endif  // TURNOUT_SRC_GRPC_V1_51_RULE_CONFIGS_H_
