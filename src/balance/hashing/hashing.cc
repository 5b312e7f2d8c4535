#include "src/balance/hashing/hashing.h"

#include <limits>
#include <optional>
#include <utility>

#include "src/balance/hash.h"
#include "src/balance/hashing/load_bound.h"
#include "src/balance/metadata_key.h"
#include "src/base/random.h"
#include "turnout/config_reader.h"

namespace turnout::balance {
namespace {

// How far a pick looks for an endpoint that takes the call. If a hundredth of them would, as at
// factor 1.01 in the worst case, one pick in 30,000 finds none.
constexpr std::size_t kMostSteps = 1024;

class HashingPicker final : public Picker {
 public:
  HashingPicker(const HashingConfig& config, const EndpointGroup& group,
                std::shared_ptr<const SlotTable> table)
      : header_(config.request_hash_header), ready_(group.candidates()), table_(std::move(table)) {
    if (config.bounded_load > 0) {
      bound_.emplace(config.bounded_load, ready_);
    }
  }

  PickResult Pick(const PickArgs& args) const override {
    const std::size_t slot = table_->SlotOf(KeyOf(args));
    if (!bound_.has_value() && args.attempt() == 0) return To(table_->owners()[slot]);
    return Walk(args, slot);
  }

 private:
  std::uint64_t KeyOf(const PickArgs& args) const {
    if (!header_.empty()) {
      if (const auto value = args.Metadata(header_); value.has_value()) return Hash(*value);
    }
    return base::ThreadRandom().Next();
  }

  // From `slot` on, the first endpoint that this call has not tried and that has room for it. Where
  // none has (the sums of many threads are never quite right), the least loaded that was seen.
  PickResult Walk(const PickArgs& args, std::size_t slot) const {
    const auto owners = table_->owners();
    const std::int64_t total = bound_.has_value() ? bound_->Total() : 0;
    std::uint32_t best = owners[slot];
    double least = std::numeric_limits<double>::infinity();
    const std::size_t steps = std::min(kMostSteps, owners.size());
    for (std::size_t step = 0; step < steps; ++step) {
      const std::uint32_t owner = owners[slot];
      if (++slot == owners.size()) slot = 0;
      if (args.attempt() > 0 && args.Tried(*ready_[owner])) continue;
      if (!bound_.has_value() || bound_->Takes(owner, total)) return To(owner);
      if (const double load = bound_->Load(owner); load < least) {
        least = load;
        best = owner;
      }
    }
    return To(best);
  }

  PickResult To(std::uint32_t endpoint) const { return PickResult::To(*ready_[endpoint]); }

  const std::string header_;
  const std::span<const Endpoint* const> ready_;
  const std::shared_ptr<const SlotTable> table_;
  std::optional<LoadBound> bound_;
};

// Where there can be no table.
class RefusingPicker final : public Picker {
 public:
  explicit RefusingPicker(absl::Status why) : why_(std::move(why)) {}
  PickResult Pick(const PickArgs&) const override { return PickResult::Fail(why_); }

 private:
  const absl::Status why_;
};

}  // namespace

HashingConfig ReadHashing(ConfigReader& config) {
  constexpr double kLeastBound = 1.01;
  HashingConfig result;
  result.request_hash_header = config.String("requestHashHeader", "");
  if (const std::string& key = result.request_hash_header; !key.empty() && !IsTextKey(key)) {
    config.Error("requestHashHeader", NotATextKey(key));
  }
  result.bounded_load = config.Number("boundedLoad", {.otherwise = 0, .least = 0, .most = 100});
  if (result.bounded_load > 0 && result.bounded_load < kLeastBound) {
    config.Error("boundedLoad", "must be 0 (no bound), or 1.01 to 100");
  }
  return result;
}

std::unique_ptr<const Picker> HashingBuilder::BuildChoice(const EndpointGroup& group) const {
  auto table = cache_.Get(
      group, [this](std::span<const WeightedAddress> addresses) { return BuildTable(addresses); });
  if (!table.ok()) return std::make_unique<RefusingPicker>(table.status());
  return std::make_unique<HashingPicker>(config_, group, *std::move(table));
}

}  // namespace turnout::balance
