#include "src/registry/check_options.h"

#include <chrono>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "src/model/names.h"
#include "src/model/record.h"

namespace turnout::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kMostWeight = 65535;
constexpr seconds kLeastTtl{2}, kMostTtl{3600};
constexpr milliseconds kLeastDelay{0}, kMostDelay{60000};

absl::Status CheckRange(std::string_view option, std::int64_t value, std::int64_t least,
                        std::int64_t most, std::string_view unit = "") {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(std::string(option), ": must be ", least, " to ",
                                                 most, std::string(unit), ", got ", value,
                                                 std::string(unit)));
}

absl::Status CheckMetadata(const RegistrarOptions& options) {
  for (const auto& [key, value] : options.metadata) {
    if (key.empty()) return absl::InvalidArgumentError("metadata: has an empty key");
    if (absl::StartsWith(key, "turnout.")) {
      return absl::InvalidArgumentError(
          absl::StrCat("metadata: keys that begin with \"turnout.\" are the library's own, got \"",
                       absl::Utf8SafeCEscape(key), "\""));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckOptions(const RegistrarOptions& options, int port) {
  const absl::Status checks[] = {
      model::CheckServiceName(options.service),
      model::CheckVersion(options.version),
      options.id.empty() ? absl::OkStatus() : model::CheckInstanceId(options.id),
      CheckMetadata(options),
      CheckRange("weight", options.weight, 0, kMostWeight),
      CheckRange("lease_ttl", options.lease_ttl.count(), kLeastTtl.count(), kMostTtl.count(), " s"),
      CheckRange("drain_delay", options.drain_delay.count(), kLeastDelay.count(),
                 kMostDelay.count(), " ms"),
      CheckRange("port", port, 1, 65535),
  };
  for (const absl::Status& check : checks) {
    if (!check.ok()) return check;
  }
  return absl::OkStatus();
}

absl::Status CheckRecord(const Instance& instance, const RegistryOptions& registry) {
  const auto read = model::ParseRecord(instance.service, instance.id, model::FormatRecord(instance),
                                       {.allow_unix_addresses = registry.allow_unix_addresses});
  if (!read.ok()) return read.status();

  const auto must_be_utf8 = [](std::string_view option) {
    return absl::InvalidArgumentError(absl::StrCat(std::string(option), ": must be UTF-8"));
  };
  if (read->version != instance.version) return must_be_utf8("version");
  if (read->locality != instance.locality) return must_be_utf8("locality");
  for (const auto& [key, value] : instance.metadata) {
    const auto found = read->metadata.find(key);
    if (found == read->metadata.end() || found->second != value) return must_be_utf8("metadata");
  }
  return absl::OkStatus();
}

}  // namespace turnout::registry
