// The rules as one caller meets them, compiled: decides calls. Pure.
//
// Decide costs a comparison of the path and of the metadata for each rule that could match the
// caller's calls, until one does; each metadata key is looked up at most once. No allocation.
#ifndef TURNOUT_SRC_ROUTE_ROUTER_H_
#define TURNOUT_SRC_ROUTE_ROUTER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/base/random.h"
#include "src/route/call.h"
#include "src/route/rule_set.h"
#include "turnout/rules.h"

namespace turnout::route {

class Router;

// What the rules say of one call, for all its attempts. Refers to its router, which outlives it.
struct Decision {
  const Router* router = nullptr;
  const Rule* rule = nullptr;   // null: none matches; the channel is on its own
  std::size_t rule_index = 0;   // among the rule set's
  std::size_t destination = 0;  // drawn; of a rule with a route
};

class Router {
 public:
  Router(std::shared_ptr<const RuleSet> rules, Caller caller);
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  Decision Decide(const CallFacts& call, base::RandomSource& random) const;

  // Why each rule does or does not decide the call, in order, up to the one that does: by the same
  // conditions. Empty text: it does.
  std::vector<std::string> Explain(const CallFacts& call) const;

  const std::shared_ptr<const RuleSet>& rules() const { return rules_; }
  const Caller& caller() const { return caller_; }

  // No other router of the process, past or future, has it.
  std::uint64_t id() const { return id_; }

  // The rules that can match this caller, by index, in order. Those behind one that matches every
  // call are not among them.
  const std::vector<std::size_t>& candidates() const { return candidates_; }
  // Can a call match no rule?
  bool may_be_silent() const { return may_be_silent_; }

 private:
  std::size_t DrawDestination(std::size_t rule, base::RandomSource& random) const;

  const std::shared_ptr<const RuleSet> rules_;
  const Caller caller_;
  const std::uint64_t id_;
  std::vector<std::size_t> candidates_;
  bool may_be_silent_ = true;
  // By rule: the sums of the weights up to each destination.
  std::vector<std::vector<std::uint64_t>> weights_;
};

}  // namespace turnout::route

#endif  // TURNOUT_SRC_ROUTE_ROUTER_H_
