#include "src/discovery/lapse.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace turnout::discovery {
namespace {

// Equal for instances that take the same calls, whatever the calls ask for.
std::string CallsTaken(const Instance& instance) {
  std::string text;
  // Lengths keep neighbouring texts apart, whatever they hold.
  const auto add = [&](char kind, std::string_view part) {
    text += kind;
    text += std::to_string(part.size());
    text += ' ';
    text += part;
  };
  add('v', instance.version);
  add('r', instance.locality.region);
  add('z', instance.locality.zone);
  for (const auto& [key, value] : instance.metadata) {
    if (key.starts_with("turnout.")) continue;
    add('k', key);
    add('=', value);
  }
  for (const auto& [method, settings] : instance.methods) {
    if (!settings.online) add('-', method);
  }
  return text;
}

}  // namespace

std::chrono::seconds LapseWindow(const Instance& instance) {
  return std::max(kLapseWindow, instance.lease_ttl);
}

std::chrono::seconds LongestLapseWindow(const View& view) {
  std::chrono::seconds longest = kLapseWindow;
  for (const auto& entry : view.entries) {
    if (entry->lapsed()) longest = std::max(longest, LapseWindow(*entry->instance));
  }
  return longest;
}

bool LapseJudge::Stays(const Entry& entry) {
  if (!std::exchange(looked_, true)) Look();
  return most_have_lapsed_ || !calls_taken_.contains(CallsTaken(*entry.instance));
}

void LapseJudge::Look() {
  std::size_t lapsed = 0;
  std::size_t present = 0;
  for (const auto& entry : view_.entries) {
    if (!entry->is_member()) continue;
    ++(entry->lapsed() ? lapsed : present);
    if (!entry->lapsed()) calls_taken_.insert(CallsTaken(*entry->instance));
  }
  most_have_lapsed_ = lapsed > present;
}

}  // namespace turnout::discovery
