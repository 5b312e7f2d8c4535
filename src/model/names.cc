#include "src/model/names.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "src/base/random.h"
#include "src/model/text.h"

namespace turnout::model {
namespace {

// The namespace's own part: services may not begin with it.
constexpr std::string_view kReserved = "turnout";
constexpr std::string_view kStateRoot = "/turnout/state/";
constexpr std::string_view kRulesRoot = "/turnout/rules/";
constexpr std::string_view kRulesHistoryRoot = "/turnout/rules-history/";
constexpr std::size_t kLongestName = 256;

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool ConsistsOf(std::string_view text, std::string_view punctuation) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return IsAlphanumeric(c) || punctuation.find(c) != std::string_view::npos;
  });
}

bool IsServiceComponent(std::string_view text) { return ConsistsOf(text, "_-"); }

absl::Status Wrong(std::string_view field, std::string_view allowed, std::string_view found) {
  return absl::InvalidArgumentError(
      Concat({field, ": must be ", allowed, ", got ", Quoted(found)}));
}

// What follows `prefix` in `key`, if that is exactly one component.
std::optional<std::string_view> OneComponentAfter(std::string_view prefix, std::string_view key) {
  if (!key.starts_with(prefix)) return std::nullopt;
  key.remove_prefix(prefix.size());
  if (key.empty() || key.find('/') != std::string_view::npos) return std::nullopt;
  return key;
}

}  // namespace

absl::Status CheckServiceName(std::string_view service) {
  constexpr std::string_view kAllowed = "components of [A-Za-z0-9_-] joined by dots";
  if (service.empty() || service.size() > kLongestName) {
    return Wrong("service", "a name of 1 to 256 bytes", service);
  }
  const auto components = Split(service, '.');
  for (const std::string_view component : components) {
    if (!IsServiceComponent(component)) return Wrong("service", kAllowed, service);
  }
  if (components.front() == kReserved) {
    return Wrong("service", "a name whose first component is not the reserved `turnout`", service);
  }
  return absl::OkStatus();
}

absl::Status CheckInstanceId(std::string_view id) {
  if (id.size() <= kLongestName && ConsistsOf(id, "._-")) return absl::OkStatus();
  return Wrong("id", "1 to 256 of [A-Za-z0-9._-]", id);
}

absl::Status CheckVersion(std::string_view version) {
  const bool printable = std::none_of(version.begin(), version.end(),
                                      [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (printable && !version.empty() && version.size() <= kLongestName) return absl::OkStatus();
  return Wrong("version", "1 to 256 bytes without control characters", version);
}

absl::Status CheckPrefix(std::string_view prefix) {
  if (prefix.empty()) return absl::OkStatus();
  const auto components = Split(prefix, '/');
  const bool right = prefix.size() <= kLongestName && components.front().empty() &&
                     std::all_of(components.begin() + 1, components.end(),
                                 [](std::string_view part) { return ConsistsOf(part, "._-"); });
  if (right) return absl::OkStatus();
  return Wrong("prefix", "empty, or components of [A-Za-z0-9._-] that each follow a slash", prefix);
}

std::string NodeName(std::string_view service) {
  const auto dot = service.rfind('.');
  return std::string(dot == std::string_view::npos ? service : service.substr(dot + 1));
}

std::string NodePath(std::string_view service) {
  std::string path = Concat({"/", service});
  std::replace(path.begin(), path.end(), '.', '/');
  return path;
}

std::string NewInstanceId(std::string_view service) {
  std::array<std::uint64_t, 2> bits{base::ThreadRandom().Next(), base::ThreadRandom().Next()};
  // RFC 4122, 4.4: version 4 (random), variant 10.
  bits[0] = (bits[0] & ~0xf000ULL) | 0x4000ULL;
  bits[1] = (bits[1] & ~(0xc0ULL << 56)) | (0x80ULL << 56);

  std::string id = NodeName(service) + "-";
  for (int digit = 0; digit < 32; ++digit) {
    if (digit == 8 || digit == 12 || digit == 16 || digit == 20) id += '-';
    const std::uint64_t word = bits[digit / 16];
    id += "0123456789abcdef"[(word >> (60 - 4 * (digit % 16))) & 0xf];
  }
  return id;
}

std::string Keys::Record(std::string_view service, std::string_view id) const {
  return RecordPrefix(service).append(id);
}

std::string Keys::RecordPrefix(std::string_view service) const {
  return Concat({prefix_, NodePath(service), "/"});
}

std::string Keys::State(std::string_view service, std::string_view id) const {
  return StatePrefix(service).append(id);
}

std::string Keys::StatePrefix(std::string_view service) const {
  return Concat({prefix_, kStateRoot, service, "/"});
}

std::string Keys::StateRoot() const { return Concat({prefix_, kStateRoot}); }

std::string Keys::Rules(std::string_view service) const { return RulesRoot().append(service); }

std::string Keys::RulesRoot() const { return Concat({prefix_, kRulesRoot}); }

std::string Keys::RulesHistoryPrefix(std::string_view service) const {
  return Concat({prefix_, kRulesHistoryRoot, service, "/"});
}

std::optional<std::string_view> Keys::IdOfRecord(std::string_view service,
                                                 std::string_view key) const {
  return OneComponentAfter(RecordPrefix(service), key);
}

std::optional<std::string_view> Keys::IdOfState(std::string_view service,
                                                std::string_view key) const {
  return OneComponentAfter(StatePrefix(service), key);
}

std::optional<std::pair<std::string, std::string>> Keys::ParseRecord(std::string_view key) const {
  if (!key.starts_with(prefix_)) return std::nullopt;
  const auto components = Split(key.substr(prefix_.size()), '/');
  // "", one or more of the service, the id.
  if (components.size() < 3 || !components.front().empty() || components.back().empty()) {
    return std::nullopt;
  }
  std::string service;
  for (auto component = components.begin() + 1; component != components.end() - 1; ++component) {
    // A dot here would make another service of it, whose keys are elsewhere.
    if (!IsServiceComponent(*component)) return std::nullopt;
    if (!service.empty()) service += '.';
    service += *component;
  }
  if (!CheckServiceName(service).ok()) return std::nullopt;
  return std::pair(std::move(service), std::string(components.back()));
}

std::optional<std::pair<std::string, std::string>> Keys::ParseState(std::string_view key) const {
  const std::string root = StateRoot();
  if (!key.starts_with(root)) return std::nullopt;
  const auto parts = Split(key.substr(root.size()), '/');
  if (parts.size() != 2 || !CheckServiceName(parts[0]).ok() || parts[1].empty()) {
    return std::nullopt;
  }
  return std::pair(std::string(parts[0]), std::string(parts[1]));
}

}  // namespace turnout::model
