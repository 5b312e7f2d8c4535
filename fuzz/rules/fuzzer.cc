// libFuzzer's target: whatever text is put as a service's traffic rules, it is refused with an
// error that says where, or makes a router that decides every call, explains what it decides, and
// pickers that keep to it.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuzz/check.h"
#include "src/balance/hash.h"
#include "src/balance/policy_config.h"
#include "src/base/clock.h"
#include "src/base/random.h"
#include "src/route/route_builder.h"
#include "src/route/router.h"
#include "src/route/rule_set.h"

namespace turnout::route {
namespace {

using fuzz::Check;

// Everything but the text is drawn from this, so that a finding can be repeated.
template <std::size_t kCount>
std::string Draw(const char* const (&words)[kCount], base::RandomSource& random) {
  return words[random.Below(kCount)];
}

Endpoint DrawEndpoint(int number, base::RandomSource& random) {
  auto instance = std::make_shared<Instance>();
  instance->service = "a.b";
  instance->id = "app-" + std::to_string(number);
  instance->version = Draw({"v1", "v2", "2.1.0", "3.0.0-rc.1", "latest"}, random);
  instance->addresses = {"10.0.0." + std::to_string(number) + ":80"};
  if (random.Below(2) == 0) instance->metadata["lane"] = Draw({"blue", "red", ""}, random);
  if (random.Below(8) == 0) instance->methods["Get"].online = false;
  Endpoint endpoint;
  endpoint.member = {.instance = std::move(instance),
                     .status = static_cast<InstanceStatus>(random.Below(3)),
                     .status_since = {},
                     .stats = std::make_shared<InstanceStats>()};
  endpoint.state = random.Below(2) == 0 ? ConnectionState::kReady
                                        : static_cast<ConnectionState>(random.Below(5));
  return endpoint;
}

// A call as rules see it, and each of its attempts.
class Call final : public CallFacts, public PickArgs {
 public:
  explicit Call(base::RandomSource& random)
      : path_(Draw({"/a.B/Get", "/a.B/Put", "/a.C/Get", ""}, random)) {
    for (std::string& value : values_) {
      value =
          Draw({"v1", "v2", "blue", "red", "x", "", "7", "-9223372036854775808", "u-17"}, random);
    }
    absent_ = random.Below(4);
  }
  void Decide(const Decision& decision) { decision_ = decision; }
  void Retry(const Endpoint& endpoint) { tried_.push_back(&endpoint); }

  std::string_view path() const override { return path_; }
  // Some value for every key, the same each time.
  std::optional<std::string_view> Metadata(const std::string& key) const override {
    return Metadata(std::string_view{key});
  }
  std::optional<std::string_view> Metadata(std::string_view key) const override {
    const std::uint64_t hash = balance::Hash(key);
    if (hash % 4 == absent_) return std::nullopt;
    return values_[hash % std::size(values_)];
  }
  int attempt() const override { return static_cast<int>(tried_.size()); }
  bool Tried(const Endpoint& endpoint) const override {
    return std::find(tried_.begin(), tried_.end(), &endpoint) != tried_.end();
  }
  const Decision* decision() const override { return &decision_; }

 private:
  const std::string path_;
  std::string values_[5];
  std::uint64_t absent_ = 0;
  Decision decision_;
  std::vector<const Endpoint*> tried_;
};

void CheckDecision(const Router& router, const Call& call, const Decision& decision) {
  const std::vector<std::string> reasons = router.Explain(call);
  const std::vector<Rule>& rules = router.rules()->rules();
  if (decision.rule == nullptr) {
    Check(router.may_be_silent(), "no rule, though one matches every call");
    Check(reasons.size() == rules.size(), "explains another decision");
    Check(reasons.empty() || !reasons.back().empty(), "explains a decision that is none");
    return;
  }
  Check(decision.rule == &rules[decision.rule_index], "another rule than its index says");
  Check(reasons.size() == decision.rule_index + 1, "explains another rule");
  Check(reasons.back().empty(), "explains why not, though it does");
  if (const Route* const route = decision.rule->route()) {
    Check(decision.destination < route->destinations.size(), "no such destination");
    Check(route->destinations[decision.destination].weight > 0, "drawn without a weight");
  } else {
    Check(!decision.rule->deny()->status.ok(), "denied without an error");
  }
}

void CheckEndpoint(const Route& route, const Decision& decision, const Endpoint& endpoint) {
  const auto matches = [&](const Destination& destination) {
    return destination.Matches(endpoint.instance());
  };
  switch (route.fallback) {
    case Route::Fallback::kFail:
      return Check(matches(route.destinations[decision.destination]), "of no such destination");
    case Route::Fallback::kNext:
      return Check(std::ranges::any_of(route.destinations, matches), "of none of the destinations");
    case Route::Fallback::kAny:
      return;
  }
}

void PickAndRetry(const Picker& picker, const std::vector<Endpoint>& endpoints, Call& call) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    const PickResult result = picker.Pick(call);
    if (result.kind() == PickResult::Kind::kFail || result.kind() == PickResult::Kind::kDrop) {
      Check(!result.status().ok(), "fails without an error");
    }
    if (result.kind() != PickResult::Kind::kEndpoint) return;
    const Endpoint& endpoint = *result.endpoint();
    Check(&endpoint >= endpoints.data() && &endpoint < endpoints.data() + endpoints.size(),
          "an endpoint of somewhere else");
    Check(picker.Wants(endpoint), "does not want the endpoint that it picks");
    const Decision& decision = *call.decision();
    if (decision.rule != nullptr && decision.rule->route() != nullptr) {
      CheckEndpoint(*decision.rule->route(), decision, endpoint);
    }
    call.Retry(endpoint);
  }
}

void DecideAndPick(const std::shared_ptr<const RuleSet>& rules, std::uint64_t seed) {
  base::SeededRandom random(seed);
  const base::ScopedRandom random_scope(random);
  base::TimePoint now{std::chrono::hours(1)};
  const base::ScopedClock clock_scope(now);
  const auto configured = balance::ParsePolicyConfig("turnout", "{}");
  std::shared_ptr<const Router> former;
  for (int caller = 0; caller < 2; ++caller) {
    const auto router = std::make_shared<const Router>(
        rules, Caller{.service = Draw({"", "a.b", "shop.app"}, random),
                      .version = Draw({"v1", "v2", "2.1"}, random),
                      .labels = {{"zone", Draw({"a", "b"}, random)}}});
    std::vector<std::shared_ptr<const Router>> formers;
    if (former != nullptr) formers.push_back(former);
    std::vector<Endpoint> endpoints;
    for (auto count = random.Below(7); count > 0; --count) {
      endpoints.push_back(DrawEndpoint(static_cast<int>(count), random));
    }
    const RouteBuilder builder((*configured)->picker, router, std::move(formers));
    const auto picker = balance::BuildRoot(builder, "a.b", endpoints);
    for (const Endpoint& endpoint : endpoints) picker->Wants(endpoint);
    for (int i = 0; i < 6; ++i) {
      Call call(random);
      const Router& by = former != nullptr && random.Below(3) == 0 ? *former : *router;
      const Decision decision = by.Decide(call, random);
      CheckDecision(by, call, decision);
      const bool denied = decision.rule != nullptr && decision.rule->deny() != nullptr;
      call.Decide(decision);
      if (!denied) PickAndRetry(*picker, endpoints, call);
    }
    former = router;
  }
}

// Tables of millions of slots are allowed, and take too long to be built thousands of times.
bool HasALargeTable(std::string_view text) { return text.find("Size") != std::string_view::npos; }

// "rules[0].name: missing", or "2 errors: (1) rules[0].name: missing (2) …".
void CheckError(const absl::Status& status) {
  Check(status.code() == absl::StatusCode::kInvalidArgument, "another code than INVALID_ARGUMENT");
  std::string_view message(status.message().data(), status.message().size());
  if (const auto first = message.find(" errors: (1) "); first < 8)
    message.remove_prefix(first + 13);
  const auto colon = message.find(": ");
  Check(colon != std::string_view::npos && colon > 0, "an error without its path");
}

void Try(std::string_view text) {
  const auto rules = RuleSet::Parse(text);
  if (!rules.ok()) return CheckError(rules.status());
  Check((*rules)->text() == text, "another text");
  Check((*rules)->keys().size() <= kMostKeys, "more keys than calls are asked for");
  if (!HasALargeTable(text)) DecideAndPick(*rules, balance::Hash(text));
}

}  // namespace
}  // namespace turnout::route

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  turnout::route::Try({reinterpret_cast<const char*>(data), size});
  return 0;
}
