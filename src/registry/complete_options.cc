#include "src/registry/complete_options.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/read_file.h"
#include "src/model/names.h"
#include "src/model/text.h"

namespace turnout::registry {
namespace {

using model::Concat;
using model::Quoted;

constexpr char kEtcd[] = "TURNOUT_ETCD";
constexpr char kTls[] = "TURNOUT_ETCD_TLS";
constexpr char kCaFile[] = "TURNOUT_ETCD_CA_FILE";
constexpr char kCertFile[] = "TURNOUT_ETCD_CERT_FILE";
constexpr char kKeyFile[] = "TURNOUT_ETCD_KEY_FILE";
constexpr char kServerName[] = "TURNOUT_ETCD_SERVER_NAME";
constexpr char kUser[] = "TURNOUT_ETCD_USER";
constexpr char kPassword[] = "TURNOUT_ETCD_PASSWORD";
constexpr char kPasswordFile[] = "TURNOUT_ETCD_PASSWORD_FILE";
constexpr char kCacheDir[] = "TURNOUT_CACHE_DIR";

constexpr char kDefaultEndpoint[] = "127.0.0.1:2379";

absl::Status Invalid(std::initializer_list<std::string_view> parts) {
  return absl::InvalidArgumentError(Concat(parts));
}

std::string Environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// The same endpoints in one spelling, each once.
absl::StatusOr<std::vector<std::string>> CheckedEndpoints(const std::vector<std::string>& found) {
  std::string list;
  for (const std::string& endpoint : found) {
    // A comma would make two endpoints of one.
    if (endpoint.find(',') != std::string::npos) {
      return Invalid({"endpoints: must be one endpoint each, got ", Quoted(endpoint)});
    }
    list += Concat({list.empty() ? "" : ",", endpoint});
  }
  auto endpoints = model::ParseEndpoints(list);
  if (!endpoints.ok()) return Invalid({"endpoints: ", model::Message(endpoints.status())});
  return endpoints;
}

absl::StatusOr<std::vector<std::string>> EndpointsOfEnvironment() {
  const std::string list = Environment(kEtcd);
  if (model::Trimmed(list).empty()) return std::vector{std::string(kDefaultEndpoint)};
  auto endpoints = model::ParseEndpoints(list);
  if (!endpoints.ok()) return Invalid({kEtcd, ": ", model::Message(endpoints.status())});
  return endpoints;
}

absl::Status TakeTlsFromEnvironment(RegistryOptions& options) {
  const std::string wanted = Environment(kTls);
  if (!wanted.empty() && wanted != "0" && wanted != "1") {
    return Invalid({kTls, ": must be 1 (TLS) or 0, got ", Quoted(wanted)});
  }
  const TlsOptions found{.ca_file = Environment(kCaFile),
                         .cert_file = Environment(kCertFile),
                         .key_file = Environment(kKeyFile),
                         .server_name = Environment(kServerName)};
  if (wanted == "1" || found != TlsOptions{}) options.tls = found;
  return absl::OkStatus();
}

void TakeUserFromEnvironment(RegistryOptions& options) {
  if (options.username.empty()) options.username = Environment(kUser);
  if (!options.password.empty() || !options.password_file.empty()) return;
  options.password = Environment(kPassword);
  options.password_file = Environment(kPasswordFile);
}

absl::Status CheckFile(std::string_view field, std::string_view variable, const std::string& path,
                       std::string_view kind) {
  if (path.empty()) return absl::OkStatus();
  const auto content = base::ReadFile(path);
  if (content.ok()) return absl::OkStatus();
  return Invalid({field, ": ", model::Message(content.status()), ": name a ", kind,
                  " that this process may read (", variable, ")"});
}

absl::Status CheckTls(const TlsOptions& tls) {
  if (tls.cert_file.empty() != tls.key_file.empty()) {
    return Invalid({"tls: ", tls.key_file.empty() ? "cert_file" : "key_file",
                    " is of no use without ", tls.key_file.empty() ? "key_file" : "cert_file",
                    ": set both (", kCertFile, ", ", kKeyFile, ") or neither"});
  }
  absl::Status status = CheckFile("tls.ca_file", kCaFile, tls.ca_file, "PEM file");
  if (status.ok()) status = CheckFile("tls.cert_file", kCertFile, tls.cert_file, "PEM file");
  if (status.ok()) status = CheckFile("tls.key_file", kKeyFile, tls.key_file, "PEM file");
  if (!status.ok()) return status;

  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':';
  };
  if (std::all_of(tls.server_name.begin(), tls.server_name.end(), allowed)) {
    return absl::OkStatus();
  }
  return Invalid({"tls.server_name: must be a host name or an IP address (", kServerName, "), got ",
                  Quoted(tls.server_name)});
}

absl::Status CheckUser(const RegistryOptions& options) {
  const bool has_password = !options.password.empty();
  const bool has_file = !options.password_file.empty();
  if (has_password && has_file) {
    return Invalid({"password: give either it (", kPassword, ") or password_file (", kPasswordFile,
                    "), not both"});
  }
  if (options.username.empty() && (has_password || has_file)) {
    return Invalid(
        {"username: is missing (", kUser, "), but there is a password", has_file ? "_file" : ""});
  }
  if (!options.username.empty() && !has_password && !has_file) {
    return Invalid({"password: is missing for user ", Quoted(options.username),
                    ": set password_file (", kPasswordFile, ") or password (", kPassword, ")"});
  }
  return CheckFile("password_file", kPasswordFile, options.password_file, "file");
}

absl::Status CheckRange(std::string_view field, std::int64_t value, std::int64_t least,
                        std::int64_t most, std::string_view unit = "") {
  if (value >= least && value <= most) return absl::OkStatus();
  return Invalid({field, ": must be ", std::to_string(least), unit, " to ", std::to_string(most),
                  unit, ", got ", std::to_string(value), unit});
}

absl::Status CheckRanges(const RegistryOptions& options) {
  const auto bounded = [](std::size_t size) {
    return static_cast<std::int64_t>(std::min<std::size_t>(size, INT64_MAX));
  };
  absl::Status status =
      CheckRange("request_timeout", options.request_timeout.count(), 100, 60'000, " ms");
  if (status.ok())
    status = CheckRange("lapsed_limit", options.lapsed_limit.count(), 0, 86'400, " s");
  if (status.ok()) {
    status = CheckRange("max_instances", bounded(options.max_instances), 1, 1'000'000);
  }
  if (status.ok()) {
    status = CheckRange("max_record_bytes", bounded(options.max_record_bytes), 1024, 1 << 20);
  }
  return status;
}

}  // namespace

absl::StatusOr<RegistryOptions> Complete(RegistryOptions options) {
  const bool cluster_of_environment = options.endpoints.empty();
  auto endpoints =
      cluster_of_environment ? EndpointsOfEnvironment() : CheckedEndpoints(options.endpoints);
  if (!endpoints.ok()) return endpoints.status();
  options.endpoints = *std::move(endpoints);

  absl::Status status;
  if (cluster_of_environment) {
    if (!options.tls.has_value()) status = TakeTlsFromEnvironment(options);
    TakeUserFromEnvironment(options);
  }
  if (options.cache_dir.empty()) options.cache_dir = Environment(kCacheDir);

  if (status.ok()) status = model::CheckPrefix(options.prefix);
  if (status.ok() && options.tls.has_value()) status = CheckTls(*options.tls);
  if (status.ok()) status = CheckUser(options);
  if (status.ok()) status = CheckRanges(options);
  if (!status.ok()) return status;
  return options;
}

}  // namespace turnout::registry
