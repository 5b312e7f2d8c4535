#include "src/route/router.h"

#include <algorithm>
#include <atomic>
#include <utility>

namespace turnout::route {
namespace {

std::uint64_t NextId() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

bool MatchesEveryCall(const Match& match) {
  return !match.method.has_value() && match.metadata.empty() && !match.percentage.has_value();
}

std::vector<std::uint64_t> Sums(const Route* route) {
  std::vector<std::uint64_t> sums;
  if (route == nullptr) return sums;
  sums.reserve(route->destinations.size());
  for (const Destination& destination : route->destinations) {
    sums.push_back((sums.empty() ? 0 : sums.back()) + destination.weight);
  }
  return sums;
}

}  // namespace

Router::Router(std::shared_ptr<const RuleSet> rules, Caller caller)
    : rules_(std::move(rules)), caller_(std::move(caller)), id_(NextId()) {
  weights_.reserve(rules_->rules().size());
  for (const Rule& rule : rules_->rules()) {
    const std::size_t index = weights_.size();
    weights_.push_back(Sums(rule.route()));
    if (!may_be_silent_) continue;
    if (rule.match.caller.has_value() && !rule.match.caller->Matches(caller_)) continue;
    candidates_.push_back(index);
    may_be_silent_ = !MatchesEveryCall(rule.match);
  }
}

Decision Router::Decide(const CallFacts& call, base::RandomSource& random) const {
  const std::string_view path = call.path();
  CallMetadata metadata(call, rules_->keys());
  for (const std::size_t index : candidates_) {
    const Rule& rule = rules_->rules()[index];
    if (!rule.match.MatchesCall(path, metadata)) continue;
    return {.router = this,
            .rule = &rule,
            .rule_index = index,
            .destination = DrawDestination(index, random)};
  }
  return {.router = this};
}

std::size_t Router::DrawDestination(std::size_t rule, base::RandomSource& random) const {
  const std::vector<std::uint64_t>& sums = weights_[rule];
  if (sums.size() < 2) return 0;
  const std::uint64_t drawn = random.Below(sums.back());
  return static_cast<std::size_t>(std::ranges::upper_bound(sums, drawn) - sums.begin());
}

std::vector<std::string> Router::Explain(const CallFacts& call) const {
  std::vector<std::string> reasons;
  CallMetadata metadata(call, rules_->keys());
  for (const Rule& rule : rules_->rules()) {
    reasons.push_back(rule.match.WhyNot(caller_, call.path(), metadata, rules_->keys()));
    if (reasons.back().empty()) break;
  }
  return reasons;
}

}  // namespace turnout::route
