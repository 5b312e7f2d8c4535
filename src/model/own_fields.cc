#include "src/model/own_fields.h"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace turnout::model {
namespace {

constexpr std::uint32_t kMostWeight = 65535;
constexpr std::uint32_t kLeastTtl = 2;
constexpr std::uint32_t kMostTtl = 3600;

constexpr char kWeight[] = "turnout.weight";
constexpr char kRegion[] = "turnout.region";
constexpr char kZone[] = "turnout.zone";
constexpr char kState[] = "turnout.state";
constexpr char kHealth[] = "turnout.health";
constexpr char kPings[] = "turnout.pings";
constexpr char kTtl[] = "turnout.ttl";

constexpr std::string_view kDraining = "draining";
constexpr std::string_view kPermitted = "permitted";

// The number, if it is within bounds; else nothing.
std::optional<std::uint32_t> ParseNumber(std::string_view text, std::uint32_t least,
                                         std::uint32_t most) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && number >= least && number <= most ? std::optional(number) : std::nullopt;
}

}  // namespace

void ReadOwnFields(Instance& instance) {
  const auto field = [&](const char* key) -> std::string_view {
    const auto found = instance.metadata.find(key);
    return found == instance.metadata.end() ? std::string_view() : found->second;
  };
  instance.weight = ParseNumber(field(kWeight), 0, kMostWeight).value_or(instance.weight);
  instance.locality.region = field(kRegion);
  instance.locality.zone = field(kZone);
  instance.draining = field(kState) == kDraining;
  instance.health_service = field(kHealth);
  instance.permits_pings = field(kPings) == kPermitted;
  if (const auto ttl = ParseNumber(field(kTtl), kLeastTtl, kMostTtl)) {
    instance.lease_ttl = std::chrono::seconds(*ttl);
  }
}

std::map<std::string, std::string> MetadataWithOwnFields(const Instance& instance) {
  std::map<std::string, std::string> metadata = instance.metadata;
  const auto set = [&](const char* key, bool stated, std::string_view value) {
    metadata.erase(key);
    if (stated) metadata.emplace(key, value);
  };
  set(kWeight, instance.weight != Instance().weight, std::to_string(instance.weight));
  set(kRegion, !instance.locality.region.empty(), instance.locality.region);
  set(kZone, !instance.locality.zone.empty(), instance.locality.zone);
  set(kState, instance.draining, kDraining);
  set(kHealth, !instance.health_service.empty(), instance.health_service);
  set(kPings, instance.permits_pings, kPermitted);
  set(kTtl, instance.lease_ttl != Instance().lease_ttl, std::to_string(instance.lease_ttl.count()));
  return metadata;
}

}  // namespace turnout::model
