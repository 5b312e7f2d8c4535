#include "turnout/channel.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/balance/policy_config.h"
#include "src/grpc/adapter.h"
#include "src/registry/clusters.h"
#include "turnout/lanes.h"

namespace turnout {
namespace {

constexpr std::chrono::milliseconds kLeastResolveTimeout{1};
constexpr std::chrono::milliseconds kMostResolveTimeout = std::chrono::minutes(10);

absl::Status Check(const std::string& target, const ChannelOptions& options) {
  if (absl::Status status = Init(); !status.ok()) return status;
  if (auto parsed = registry::ParseTarget(target); !parsed.ok()) return parsed.status();
  if (options.resolve_timeout < kLeastResolveTimeout ||
      options.resolve_timeout > kMostResolveTimeout) {
    return absl::InvalidArgumentError(absl::StrCat("resolve_timeout: must be 1 ms to 10 min, got ",
                                                   options.resolve_timeout.count(), " ms"));
  }
  if (options.service_config_json.empty()) return absl::OkStatus();
  if (absl::Status status = balance::CheckServiceConfig(options.service_config_json);
      !status.ok()) {
    return status;
  }
  return adapter::CheckWithGrpc(options.service_config_json);
}

bool Has(const grpc::ChannelArguments& arguments, std::string_view key) {
  const grpc_channel_args list = arguments.c_channel_args();
  return std::any_of(list.args, list.args + list.num_args,
                     [key](const grpc_arg& argument) { return key == argument.key; });
}

}  // namespace

absl::Status Init() { return adapter::Registration(); }

absl::StatusOr<std::shared_ptr<grpc::Channel>> CreateChannel(
    const std::string& target, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
    const ChannelOptions& options) {
  if (credentials == nullptr) {
    return absl::InvalidArgumentError(
        "credentials: must not be null (grpc::InsecureChannelCredentials() for none)");
  }
  if (absl::Status status = Check(target, options); !status.ok()) return status;
  grpc::ChannelArguments arguments;
  if (options.arguments != nullptr) arguments = *options.arguments;
  if (!options.service_config_json.empty()) {
    arguments.SetServiceConfigJSON(options.service_config_json);
  }
  // Where the environment names an HTTP proxy, gRPC would resolve the proxy instead of the target.
  if (!Has(arguments, GRPC_ARG_ENABLE_HTTP_PROXY)) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(adapter::kResolveTimeoutArg, static_cast<int>(options.resolve_timeout.count()));
  if (!options.forward_lanes) return grpc::CreateCustomChannel(target, credentials, arguments);
  std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(ClientLaneInterceptors());
  return grpc::experimental::CreateCustomChannelWithInterceptors(target, credentials, arguments,
                                                                 std::move(interceptors));
}

void SetVersion(grpc::ClientContext& context, std::string_view version) {
  context.AddMetadata("version", std::string(version));
}

}  // namespace turnout
