#include "src/model/own_fields.h"

#include <charconv>
#include <string_view>

namespace turnout::model {
namespace {

constexpr std::uint32_t kMostWeight = 65535;

constexpr char kWeight[] = "turnout.weight";
constexpr char kRegion[] = "turnout.region";
constexpr char kZone[] = "turnout.zone";
constexpr char kState[] = "turnout.state";
constexpr char kHealth[] = "turnout.health";
constexpr char kPings[] = "turnout.pings";

constexpr std::string_view kDraining = "draining";
constexpr std::string_view kPermitted = "permitted";

std::uint32_t ParseWeight(std::string_view text, std::uint32_t otherwise) {
  std::uint32_t weight = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
  const bool right =
      error == std::errc() && end == text.data() + text.size() && weight <= kMostWeight;
  return right ? weight : otherwise;
}

}  // namespace

void ReadOwnFields(Instance& instance) {
  const auto field = [&](const char* key) -> std::string_view {
    const auto found = instance.metadata.find(key);
    return found == instance.metadata.end() ? std::string_view() : found->second;
  };
  instance.weight = ParseWeight(field(kWeight), instance.weight);
  instance.locality.region = field(kRegion);
  instance.locality.zone = field(kZone);
  instance.draining = field(kState) == kDraining;
  instance.health_service = field(kHealth);
  instance.permits_pings = field(kPings) == kPermitted;
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
  return metadata;
}

}  // namespace turnout::model
