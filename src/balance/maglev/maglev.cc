#include "src/balance/maglev/maglev.h"

#include "src/balance/maglev/maglev_table.h"
#include "src/balance/text.h"
#include "src/model/text.h"
#include "turnout/config_reader.h"

namespace turnout::balance {
namespace {

constexpr std::int64_t kMostSlots = 5'000'011;  // Envoy's limit, a prime

}  // namespace

std::shared_ptr<const PickerBuilder> MaglevBuilder::Configure(ConfigReader& config) const {
  MaglevConfig result;
  result.hashing = ReadHashing(config);
  result.table_size = PrimeFrom(static_cast<std::uint32_t>(config.Integer(
      "tableSize", {.otherwise = result.table_size, .least = 2, .most = kMostSlots})));
  return std::make_shared<MaglevBuilder>(result);
}

absl::StatusOr<std::unique_ptr<const SlotTable>> MaglevBuilder::BuildTable(
    std::span<const WeightedAddress> addresses) const {
  if (addresses.size() > table_size_) {
    constexpr std::string_view kAdvice =
        "; set tableSize to 100 times as many as there are endpoints, at most ";
    return absl::UnavailableError(
        model::Concat({"maglev: ", Counted(addresses.size(), "endpoint"), " do not fit a table of ",
                       Counted(table_size_, "slot"), kAdvice, std::to_string(kMostSlots)}));
  }
  return MaglevTable::Build(addresses, table_size_);
}

}  // namespace turnout::balance
