#include "turnout/stats.h"

#include <bit>
#include <cmath>

namespace turnout {
namespace {

using TimePoint = InstanceStats::Clock::time_point;

// A tick is 2^16 ns, so that counting them is a shift.
constexpr int kTickBits = 16;
constexpr std::chrono::duration<double> kTick = std::chrono::nanoseconds(1 << kTickBits);
constexpr float kCallShare = 0.1F;  // of one call in the moving share of failures

std::uint32_t Ticks(TimePoint time) {
  const std::chrono::nanoseconds since = time.time_since_epoch();
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(since.count()) >> kTickBits);
}

// What remains of a deviation after `age`.
float Remaining(std::chrono::duration<double> age) {
  constexpr double kPerSecond = 1.0 / std::chrono::duration<double>(InstanceStats::kDecay).count();
  const auto x = static_cast<float>(age.count() * kPerSecond);
  // The usual case where there are calls. What the series leaves out is below 2e-7.
  if (x < 0.01F) return 1 - x + x * x / 2;
  return std::exp(-x);
}

float NextShare(float before, bool failed) {
  return before + ((failed ? 1.0F : 0.0F) - before) * kCallShare;
}

void Set(TimedValue& timed, std::optional<double> value, TimePoint now) {
  if (!value.has_value() || !std::isfinite(*value)) return;
  timed.Update(now, [value](const auto&) { return static_cast<float>(*value); });
}

}  // namespace

// The value's bits, one added so that 0 is free for "unset": no value of ours is -NaN.
std::uint64_t TimedValue::Pack(float value, TimePoint now) {
  const std::uint64_t upper = std::bit_cast<std::uint32_t>(value) + std::uint64_t{1};
  return (upper << 32) | Ticks(now);
}

std::optional<TimedValue::Reading> TimedValue::Unpack(std::uint64_t bits, TimePoint now) {
  if (bits == 0) return std::nullopt;
  const auto value = std::bit_cast<float>(static_cast<std::uint32_t>((bits >> 32) - 1));
  std::uint32_t ticks = Ticks(now) - static_cast<std::uint32_t>(bits);
  // Another thread may have set it a little later than this one read the clock.
  constexpr std::uint32_t kSecondAgo = -static_cast<std::uint32_t>(std::chrono::seconds(1) / kTick);
  if (ticks > kSecondAgo) ticks = 0;
  return Reading{value, ticks * kTick};
}

std::optional<TimedValue::Reading> TimedValue::Read(TimePoint now) const {
  return Unpack(bits_.load(std::memory_order_relaxed), now);
}

std::optional<std::chrono::nanoseconds> InstanceStats::latency(TimePoint now) const {
  const auto reading = latency_.Read(now);
  if (!reading.has_value()) return std::nullopt;
  return std::chrono::nanoseconds(
      static_cast<std::int64_t>(reading->value * Remaining(reading->age)));
}

double InstanceStats::success_rate(TimePoint now) const {
  const auto reading = failures_.Read(now);
  return reading.has_value() ? 1 - reading->value * Remaining(reading->age) : 1;
}

void InstanceStats::Answered(std::chrono::nanoseconds latency, TimePoint now) {
  const auto sample = static_cast<float>(latency.count());
  latency_.Update(now, [sample](const std::optional<TimedValue::Reading>& before) {
    if (!before.has_value() || sample >= before->value) return sample;
    return sample + (before->value - sample) * Remaining(before->age);
  });
}

void InstanceStats::CallFinished(const absl::Status& status, TimePoint now) {
  finished_.fetch_add(1, std::memory_order_relaxed);
  if (!status.ok()) failed_.fetch_add(1, std::memory_order_relaxed);
  const bool fault = IsServerFault(status.code());
  // Nothing to forget, nothing to write: the common case.
  if (!fault && !failures_.Read(now).has_value()) return;
  failures_.Update(now, [fault](const std::optional<TimedValue::Reading>& before) {
    return NextShare(before.has_value() ? before->value * Remaining(before->age) : 0, fault);
  });
}

void InstanceStats::LoadReported(const LoadReport& report, TimePoint now) {
  Set(qps_, report.qps(), now);
  Set(eps_, report.eps(), now);
  Set(utilization_, report.main_utilization(), now);
}

bool IsServerFault(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDataLoss:
      return true;
    default:
      return false;
  }
}

}  // namespace turnout
