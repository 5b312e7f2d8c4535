#include "src/route/explain.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "src/balance/policy_config.h"
#include "src/base/random.h"
#include "src/model/text.h"
#include "src/route/call.h"
#include "src/route/route_builder.h"
#include "src/route/router.h"

namespace turnout::route {
namespace {

using model::Concat;

std::optional<std::string_view> Find(const GivenCall& call, std::string_view key) {
  const auto found = call.metadata.find(key);
  return found == call.metadata.end() ? std::nullopt
                                      : std::optional<std::string_view>(found->second);
}

class Facts final : public CallFacts {
 public:
  explicit Facts(const GivenCall& call) : call_(call) {}

  std::string_view path() const override { return call_.path; }
  std::optional<std::string_view> Metadata(const std::string& key) const override {
    return Find(call_, key);
  }

 private:
  const GivenCall& call_;
};

// Its first attempt.
class Attempt final : public PickArgs {
 public:
  Attempt(const GivenCall& call, const Decision* decision) : call_(call), decision_(decision) {}

  std::string_view path() const override { return call_.path; }
  std::optional<std::string_view> Metadata(std::string_view key) const override {
    return Find(call_, key);
  }
  int attempt() const override { return 0; }
  bool Tried(const Endpoint& /*endpoint*/) const override { return false; }
  const Decision* decision() const override { return decision_; }

 private:
  const GivenCall& call_;
  const Decision* const decision_;
};

std::string Milliseconds(std::chrono::milliseconds time) {
  return std::to_string(time.count()) + " ms";
}

std::vector<std::string> Settings(const Route& route) {
  std::vector<std::string> settings;
  if (route.fallback == Route::Fallback::kNext) settings.emplace_back("fallback: next");
  if (route.fallback == Route::Fallback::kAny) settings.emplace_back("fallback: any");
  if (route.ignores_call_version) settings.emplace_back("callVersion: ignore");
  if (route.picker != nullptr) settings.emplace_back("picker: the rule's own");
  if (route.timeout.has_value()) {
    settings.push_back(Concat({"timeout: ", Milliseconds(*route.timeout)}));
  }
  if (route.retry.has_value()) {
    const RetrySettings& retry = *route.retry;
    std::string text = Concat({"retry: ", std::to_string(retry.max_attempts), " attempts, after ",
                               Milliseconds(retry.initial_backoff), " to ",
                               Milliseconds(retry.max_backoff), ", on"});
    for (const std::string& code : retry.status_codes) text += " " + code;
    settings.push_back(std::move(text));
  }
  return settings;
}

Ruling RulingOf(const Rule* rule) {
  Ruling ruling;
  if (rule == nullptr) return ruling;
  ruling.rule = rule->name;
  if (const Deny* const deny = rule->deny()) ruling.denial = deny->status;
  const Route* const route = rule->route();
  if (route == nullptr) return ruling;
  double sum = 0;
  for (const Destination& each : route->destinations) sum += each.weight;
  for (const Destination& each : route->destinations) {
    ruling.destinations.push_back({.text = each.ToString(), .share = each.weight / sum});
  }
  ruling.settings = Settings(*route);
  return ruling;
}

bool Belongs(const Instance& instance, const Destination& destination, const GivenCall& call) {
  return destination.Matches(instance) &&
         std::ranges::all_of(destination.labels_from_metadata, [&](const auto& label_and_key) {
           const auto label = instance.metadata.find(label_and_key.first);
           return label != instance.metadata.end() &&
                  Find(call, label_and_key.second) == label->second;
         });
}

// Does the rule leave it? Weight 0 does, for a fallback may lead there.
bool IsLeft(const Instance& instance, const Rule* rule, const GivenCall& call) {
  const Route* const route = rule == nullptr ? nullptr : rule->route();
  if (route == nullptr) return rule == nullptr;
  return std::ranges::any_of(route->destinations, [&](const Destination& destination) {
    return (destination.weight > 0 || route->fallback == Route::Fallback::kNext) &&
           Belongs(instance, destination, call);
  });
}

std::vector<Endpoint> AllReady(const Snapshot& snapshot) {
  std::vector<Endpoint> endpoints;
  endpoints.reserve(snapshot.members.size());
  for (const Member& member : snapshot.members) {
    endpoints.push_back({.member = member, .state = ConnectionState::kReady, .last_error = {}});
  }
  return endpoints;
}

// Counts what becomes of calls.
class Counts {
 public:
  void Add(const PickResult& result) {
    if (result.kind() == PickResult::Kind::kEndpoint) {
      ++by_instance_[&result.endpoint()->instance()];
    } else {
      const absl::Status status = result.kind() == PickResult::Kind::kQueue
                                      ? absl::UnavailableError("the call waits for a connection")
                                      : result.status();
      const auto same = std::ranges::find(failures_, status, &Failures::value_type::first);
      ++(same == failures_.end() ? failures_.emplace_back(status, 0) : *same).second;
    }
  }

  double ShareOf(const Instance& instance) const {
    const auto found = by_instance_.find(&instance);
    return found == by_instance_.end() ? 0 : Share(found->second);
  }
  std::vector<Explanation::Failure> failures() const {
    std::vector<Explanation::Failure> failures;
    for (const auto& [status, count] : failures_) {
      failures.push_back({.status = status, .share = Share(count)});
    }
    return failures;
  }

 private:
  using Failures = std::vector<std::pair<absl::Status, int>>;

  static double Share(int count) { return static_cast<double>(count) / kExplainedCalls; }

  std::map<const Instance*, int> by_instance_;
  Failures failures_;
};

Counts Simulate(const std::shared_ptr<const Router>& router, const Snapshot& snapshot,
                const GivenCall& call, std::shared_ptr<const PickerBuilder> configured) {
  base::SeededRandom random(1);
  const base::ScopedRandom scope(random);
  const std::vector<Endpoint> endpoints = AllReady(snapshot);
  const RouteBuilder builder(std::move(configured), router);
  const auto picker = balance::BuildRoot(builder, snapshot.service, endpoints);
  const Facts facts(call);
  Counts counts;
  for (int i = 0; i < kExplainedCalls; ++i) {
    Decision decision;
    if (router != nullptr) decision = router->Decide(facts, base::ThreadRandom());
    counts.Add(picker->Pick(Attempt(call, router == nullptr ? nullptr : &decision)));
  }
  return counts;
}

}  // namespace

Ruling Judge(const std::shared_ptr<const RuleSet>& rules, const GivenCall& call) {
  if (rules == nullptr) return {};
  base::SeededRandom random(1);
  return RulingOf(Router(rules, call.caller).Decide(Facts(call), random).rule);
}

Explanation Explain(const std::shared_ptr<const RuleSet>& rules, const Snapshot& snapshot,
                    const GivenCall& call, std::shared_ptr<const PickerBuilder> configured) {
  Explanation explanation;
  std::shared_ptr<const Router> router;
  const Rule* rule = nullptr;
  if (rules != nullptr) {
    router = std::make_shared<const Router>(rules, call.caller);
    const Facts facts(call);
    base::SeededRandom random(1);
    rule = router->Decide(facts, random).rule;
    for (std::string& why_not : router->Explain(facts)) {
      const std::string& name = rules->rules()[explanation.rules.size()].name;
      explanation.rules.push_back({.name = name, .why_not = std::move(why_not)});
    }
  }
  explanation.ruling = RulingOf(rule);
  if (!explanation.ruling.denial.ok()) {
    explanation.failures = {{.status = explanation.ruling.denial, .share = 1}};
    return explanation;
  }
  if (const Route* const route = rule == nullptr ? nullptr : rule->route()) {
    for (const Destination& destination : route->destinations) {
      explanation.instances.push_back(static_cast<std::size_t>(std::ranges::count_if(
          snapshot.members,
          [&](const Member& member) { return Belongs(*member.instance, destination, call); })));
    }
  }
  const Counts counts = Simulate(router, snapshot, call, std::move(configured));
  for (const Member& member : snapshot.members) {
    const double share = counts.ShareOf(*member.instance);
    if (share == 0 && !IsLeft(*member.instance, rule, call)) continue;
    explanation.candidates.push_back({.member = member, .share = share});
  }
  explanation.failures = counts.failures();
  return explanation;
}

}  // namespace turnout::route
