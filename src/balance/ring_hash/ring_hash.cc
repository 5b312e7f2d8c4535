#include "src/balance/ring_hash/ring_hash.h"

#include "src/model/text.h"
#include "turnout/config_reader.h"

namespace turnout::balance {

std::shared_ptr<const PickerBuilder> RingHashBuilder::Configure(ConfigReader& config) const {
  constexpr std::int64_t kMostEntries = 8'388'608;  // gRPC's limit: 160 MB
  RingHashConfig result;
  result.hashing = ReadHashing(config);
  const auto size = [&](std::string_view key, std::uint64_t otherwise) {
    return static_cast<std::uint64_t>(config.Integer(
        key,
        {.otherwise = static_cast<std::int64_t>(otherwise), .least = 1, .most = kMostEntries}));
  };
  result.size = {.least = size("minRingSize", result.size.least),
                 .most = size("maxRingSize", result.size.most)};
  if (result.size.least > result.size.most) {
    config.Error("minRingSize",
                 model::Concat({"must be at most maxRingSize, ", std::to_string(result.size.most),
                                ", got ", std::to_string(result.size.least)}));
  }
  return std::make_shared<RingHashBuilder>(result);
}

absl::StatusOr<std::unique_ptr<const SlotTable>> RingHashBuilder::BuildTable(
    std::span<const WeightedAddress> addresses) const {
  return Ring::Build(addresses, size_);
}

}  // namespace turnout::balance
