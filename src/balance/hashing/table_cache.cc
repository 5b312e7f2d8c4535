#include "src/balance/hashing/table_cache.h"

#include <algorithm>
#include <utility>

#include "src/balance/record_weights.h"

namespace turnout::balance {
namespace {

// Parts of a service. More than anyone has; those that went away are forgotten from here on.
constexpr std::size_t kMostKeys = 1024;

std::vector<WeightedAddress> WeightedAddresses(std::span<const Endpoint* const> endpoints) {
  const std::vector<std::uint32_t> weights = RecordWeights(endpoints);
  std::vector<WeightedAddress> addresses;
  addresses.reserve(endpoints.size());
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    addresses.push_back({endpoints[i]->instance().address(), weights[i]});
  }
  return addresses;
}

}  // namespace

bool TableCache::Fits(const Kept& kept, std::span<const Endpoint* const> candidates) {
  return std::ranges::equal(kept.instances, candidates, [](const auto& before, const auto* now) {
    const auto& instance = now->member.instance;
    // Mostly the same object, since snapshots share what has not changed.
    return before == instance ||
           (before->weight == instance->weight && before->address() == instance->address());
  });
}

absl::StatusOr<std::shared_ptr<const SlotTable>> TableCache::Get(const EndpointGroup& group,
                                                                 const BuildTable& build) {
  std::shared_ptr<const Kept> last;
  {
    const base::MutexLock lock(mutex_);
    if (const auto found = by_key_.find(group.key()); found != by_key_.end()) {
      last = found->second.lock();
    }
  }
  if (last == nullptr || !Fits(*last, group.candidates())) {
    auto table = build(WeightedAddresses(group.candidates()));
    if (!table.ok()) return table.status();
    auto fresh = std::make_shared<Kept>();
    fresh->instances.reserve(group.candidates().size());
    for (const Endpoint* const candidate : group.candidates()) {
      fresh->instances.push_back(candidate->member.instance);
    }
    fresh->table = *std::move(table);
    Remember(group.key(), fresh);
    last = std::move(fresh);
  }
  const SlotTable* const table = last->table.get();
  return std::shared_ptr<const SlotTable>(std::move(last), table);
}

void TableCache::Remember(const std::string& key, const std::shared_ptr<const Kept>& kept) {
  const base::MutexLock lock(mutex_);
  if (by_key_.size() >= kMostKeys) {
    std::erase_if(by_key_, [](const auto& entry) { return entry.second.expired(); });
  }
  if (by_key_.size() < kMostKeys || by_key_.contains(key)) by_key_[key] = kept;
}

}  // namespace turnout::balance
