// libFuzzer's target: whatever text stands in a service config, it is refused with an error that
// says where, or makes pickers that answer every call, whatever state the endpoints are in.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/check.h"
#include "src/balance/hash.h"
#include "src/balance/policy_config.h"
#include "src/base/clock.h"
#include "src/base/random.h"

namespace turnout::balance {
namespace {

using fuzz::Check;

// Everything but the text is drawn from this, so that a finding can be repeated.
Endpoint DrawEndpoint(int number, base::RandomSource& random) {
  auto instance = std::make_shared<Instance>();
  instance->service = "a.b";
  instance->id = "app-" + std::to_string(number);
  instance->version = "v" + std::to_string(random.Below(2));
  instance->addresses = {"10.0.0." + std::to_string(number) + ":80"};
  constexpr std::uint32_t kWeights[] = {0, 1, 1, 1, 100, 65'535};
  instance->weight = kWeights[random.Below(std::size(kWeights))];
  instance->metadata = {{"stage", random.Below(2) == 0 ? "canary" : "prod"}};
  if (random.Below(2) == 0) instance->locality = {"r1", "z" + std::to_string(random.Below(2))};
  if (random.Below(8) == 0) instance->methods["Get"].online = false;
  Endpoint endpoint;
  endpoint.member = {
      .instance = std::move(instance),
      .status = random.Below(4) == 0 ? InstanceStatus::kDraining : InstanceStatus::kRegistered,
      .status_since = {},
      .stats = std::make_shared<InstanceStats>()};
  for (auto calls = random.Below(4); calls > 0; --calls) endpoint.stats().CallStarted();
  return endpoint;
}

void DrawState(Endpoint& endpoint, base::RandomSource& random) {
  constexpr ConnectionState kStates[] = {ConnectionState::kReady,      ConnectionState::kReady,
                                         ConnectionState::kReady,      ConnectionState::kIdle,
                                         ConnectionState::kConnecting, ConnectionState::kFailing,
                                         ConnectionState::kUnhealthy};
  endpoint.state = kStates[random.Below(std::size(kStates))];
  if (random.Below(3) == 0) endpoint.serving_since = base::Now();
}

class Call final : public PickArgs {
 public:
  explicit Call(base::RandomSource& random)
      : value_(random.Below(2) == 0 ? "v0" : "v1"), has_metadata_(random.Below(4) > 0) {}
  void Retry(const Endpoint* endpoint) { tried_.push_back(endpoint); }

  std::string_view path() const override { return "/a.b.Api/Get"; }
  std::optional<std::string_view> Metadata(std::string_view) const override {
    return has_metadata_ ? std::optional<std::string_view>(value_) : std::nullopt;
  }
  int attempt() const override { return static_cast<int>(tried_.size()); }
  bool Tried(const Endpoint& endpoint) const override {
    return std::find(tried_.begin(), tried_.end(), &endpoint) != tried_.end();
  }

 private:
  const std::string value_;
  const bool has_metadata_;
  std::vector<const Endpoint*> tried_;
};

void PickAndFinish(const Picker& picker, std::span<const Endpoint> endpoints, base::TimePoint now,
                   base::RandomSource& random) {
  Call call(random);
  for (int attempt = 0; attempt < 3; ++attempt) {
    PickResult result = picker.Pick(call);
    for (const Endpoint* const endpoint : result.connect()) {
      Check(endpoint != nullptr, "connects nothing");
    }
    if (result.kind() == PickResult::Kind::kFail || result.kind() == PickResult::Kind::kDrop) {
      Check(!result.status().ok(), "fails without an error");
    }
    if (result.kind() != PickResult::Kind::kEndpoint) return;
    const Endpoint* const endpoint = result.endpoint();
    Check(endpoint >= endpoints.data() && endpoint < endpoints.data() + endpoints.size(),
          "an endpoint of somewhere else");
    Check(picker.Wants(*endpoint), "does not want the endpoint that it picks");
    const CallOutcome outcome = {
        .status = random.Below(3) == 0 ? absl::UnavailableError("") : absl::OkStatus(),
        .duration = std::chrono::milliseconds(3),
        .latency = std::chrono::milliseconds(2)};
    endpoint->stats().CallStarted();
    endpoint->stats().Answered(*outcome.latency, now);
    endpoint->stats().CallFinished(outcome.status, now);
    endpoint->stats().CallEnded();
    if (const auto on_finish = result.TakeFinishCallback()) on_finish(outcome);
    call.Retry(endpoint);
  }
}

void BuildAndPick(const PolicyConfig& config, std::uint64_t seed) {
  base::SeededRandom random(seed);
  const base::ScopedRandom random_scope(random);
  base::TimePoint now{std::chrono::hours(1)};
  const base::ScopedClock clock_scope(now);
  std::vector<Endpoint> endpoints;
  const int count = static_cast<int>(random.Below(7));
  for (int i = 0; i < count; ++i) endpoints.push_back(DrawEndpoint(i, random));
  std::unique_ptr<const Picker> last;  // lives until the next has been built, as in a channel
  std::vector<Endpoint> endpoints_of_last;
  for (int build = 0; build < 3; ++build) {
    for (Endpoint& endpoint : endpoints) DrawState(endpoint, random);
    std::vector<Endpoint> built_over = endpoints;
    auto picker = BuildRoot(*config.picker, "a.b", built_over);
    Check(picker != nullptr, "no picker");
    last = std::move(picker);
    endpoints_of_last = std::move(built_over);
    for (const Endpoint& endpoint : endpoints_of_last) last->Wants(endpoint);
    for (int call = 0; call < 4; ++call) PickAndFinish(*last, endpoints_of_last, now, random);
    now += std::chrono::milliseconds(random.Below(120'000));
  }
  if (const auto period = config.picker->rebuild_period()) {
    Check(*period >= std::chrono::milliseconds(100), "rebuilds more often than it may");
  }
}

// Tables of millions of slots are allowed, and take too long to be built thousands of times.
bool HasALargeNumber(std::string_view text) {
  constexpr int kDigits = 6;
  int digits = 0;
  for (const char c : text) {
    if (digits > 0 && (c == 'e' || c == 'E')) return true;
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits >= kDigits) return true;
  }
  return false;
}

void CheckError(const absl::Status& status, std::string_view begin) {
  const absl::string_view message = status.message();
  Check(status.code() == absl::StatusCode::kInvalidArgument, "another code than INVALID_ARGUMENT");
  Check(message.find(absl::string_view(begin.data(), begin.size())) != absl::string_view::npos,
        "an error without its path");
}

void Try(std::string_view text) {
  for (const char* const policy : {"turnout", "version"}) {
    const auto config = ParsePolicyConfig(policy, text);
    if (!config.ok()) {
      CheckError(config.status(), policy);
    } else if (!HasALargeNumber(text)) {
      BuildAndPick(**config, Hash(text));
    }
  }
  const absl::Status status = CheckServiceConfig(text);
  if (!status.ok() && status.message().substr(0, 14) != "service config") {
    CheckError(status, "loadBalancingConfig");
  }
}

}  // namespace
}  // namespace turnout::balance

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  turnout::balance::Try({reinterpret_cast<const char*>(data), size});
  return 0;
}
