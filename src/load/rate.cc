#include "src/load/rate.h"

#include <cmath>

namespace turnout::load {
namespace {

constexpr std::chrono::duration<float> kTimeConstant{1};

float Now(const std::optional<TimedValue::Reading>& sum) {
  if (!sum.has_value()) return 0;
  return sum->value * std::exp(-static_cast<float>(sum->age / kTimeConstant));
}

}  // namespace

void Rate::Count(base::TimePoint now) {
  sum_.Update(now, [](const auto& before) { return Now(before) + 1 / kTimeConstant.count(); });
}

double Rate::PerSecond(base::TimePoint now) const { return Now(sum_.Read(now)); }

}  // namespace turnout::load
