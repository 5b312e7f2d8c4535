#include "src/balance/weighted_round_robin/sequences.h"

#include <algorithm>

namespace turnout::balance {

std::shared_ptr<Sequences::Sequence> Sequences::For(const std::string& key, std::uint64_t first) {
  const base::MutexLock lock(mutex_);
  if (by_key_.size() >= drop_at_) {
    std::erase_if(by_key_, [](const auto& entry) { return entry.second.expired(); });
    drop_at_ = std::max(kFewest, 2 * by_key_.size());
  }
  std::weak_ptr<Sequence>& known = by_key_[key];
  std::shared_ptr<Sequence> sequence = known.lock();
  if (sequence == nullptr) {
    sequence = std::make_shared<Sequence>(first);
    known = sequence;
  }
  return sequence;
}

std::size_t Sequences::size() const {
  const base::MutexLock lock(mutex_);
  return by_key_.size();
}

}  // namespace turnout::balance
