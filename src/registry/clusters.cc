#include "src/registry/clusters.h"

#include <algorithm>
#include <map>
#include <optional>

#include "src/base/mutex.h"
#include "src/model/names.h"
#include "src/model/text.h"

namespace turnout::registry {
namespace {

using model::Concat;
using model::Quoted;

constexpr std::string_view kScheme = "etcd://";

struct Clusters {
  base::Mutex mutex;
  std::map<std::string, RegistryOptions, std::less<>> by_name ABSL_GUARDED_BY(mutex);
};

Clusters& AllClusters() {
  static Clusters& clusters = *new Clusters;
  return clusters;
}

absl::Status Prefixed(std::string_view field, const absl::Status& status) {
  return absl::InvalidArgumentError(Concat({field, ": ", model::Message(status)}));
}

absl::StatusOr<RegistryOptions> OptionsOfCluster(std::string_view name) {
  Clusters& clusters = AllClusters();
  base::MutexLock lock(clusters.mutex);
  const auto found = clusters.by_name.find(name);
  if (found != clusters.by_name.end()) return found->second;

  std::string known;
  for (const auto& [other, options] : clusters.by_name) {
    known += Concat({known.empty() ? "" : ", ", other});
  }
  return absl::InvalidArgumentError(Concat(
      {"target: the authority must be empty, host:port[,host:port] or a registered cluster (",
       known.empty() ? "there is none" : known, "), got ", Quoted(name)}));
}

absl::StatusOr<RegistryOptions> OptionsOfAuthority(std::string_view authority) {
  // Never shown: what stands before the @ may be a password.
  if (authority.find('@') != std::string_view::npos) {
    return absl::InvalidArgumentError(
        "target: the authority must not hold credentials (user@): register a cluster by name");
  }
  if (authority.empty()) return Complete({});
  if (authority.find(':') == std::string_view::npos) return OptionsOfCluster(authority);
  auto endpoints = model::ParseEndpoints(authority);
  if (!endpoints.ok()) return Prefixed("target: authority", endpoints.status());
  return Complete({.endpoints = *std::move(endpoints)});
}

std::optional<int> HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

absl::StatusOr<std::string> PercentDecoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const auto high = i + 2 < text.size() ? HexDigit(text[i + 1]) : std::nullopt;
    const auto low = i + 2 < text.size() ? HexDigit(text[i + 2]) : std::nullopt;
    if (!high.has_value() || !low.has_value()) {
      return absl::InvalidArgumentError("target: % must be followed by two hexadecimal digits");
    }
    decoded += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return decoded;
}

}  // namespace

absl::StatusOr<Target> ResolveTarget(std::string_view authority, std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  if (absl::Status status = model::CheckServiceName(path); !status.ok()) {
    return Prefixed("target", status);
  }
  auto options = OptionsOfAuthority(authority);
  if (!options.ok()) return options.status();
  return Target{std::string(path), *std::move(options)};
}

absl::StatusOr<Target> ParseTarget(std::string_view target) {
  const std::string_view rest = target.substr(std::min(kScheme.size(), target.size()));
  const auto slash = rest.find('/');
  if (!target.starts_with(kScheme) || slash == std::string_view::npos) {
    return absl::InvalidArgumentError(
        "target: must be etcd://[authority]/service.name, such as "
        "etcd:///hwholiday.srv.app");
  }
  if (rest.find_first_of("?#") != std::string_view::npos) {
    return absl::InvalidArgumentError("target: must have no query (?) and no fragment (#)");
  }
  const auto authority = PercentDecoded(rest.substr(0, slash));
  if (!authority.ok()) return authority.status();
  const auto path = PercentDecoded(rest.substr(slash));
  if (!path.ok()) return path.status();
  return ResolveTarget(*authority, *path);
}

}  // namespace turnout::registry

namespace turnout {

absl::Status RegisterCluster(std::string_view name, const RegistryOptions& options) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  if (name.empty() || !std::all_of(name.begin(), name.end(), allowed)) {
    return absl::InvalidArgumentError(
        model::Concat({"cluster: must be a name of [A-Za-z0-9_-], got ", model::Quoted(name)}));
  }
  auto complete = registry::Complete(options);
  if (!complete.ok()) return complete.status();

  registry::Clusters& clusters = registry::AllClusters();
  base::MutexLock lock(clusters.mutex);
  const auto [found, added] = clusters.by_name.try_emplace(std::string(name), *complete);
  if (!added && found->second != *complete) {
    return absl::AlreadyExistsError(
        model::Concat({"cluster: ", model::Quoted(name), " stands for other options"}));
  }
  return absl::OkStatus();
}

}  // namespace turnout
