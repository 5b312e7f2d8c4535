// What would become of a call: asked of the code that decides real ones. Pure.
//
//   Judge     what the rules say of it, whatever instances there are
//   Explain   the same, with why, and with the instances that calls like it go to
#ifndef TURNOUT_SRC_ROUTE_EXPLAIN_H_
#define TURNOUT_SRC_ROUTE_EXPLAIN_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "src/route/rule_set.h"
#include "turnout/picker.h"
#include "turnout/rules.h"
#include "turnout/snapshot.h"

namespace turnout::route {

struct GivenCall {
  Caller caller;
  std::string path;  // `/package.Service/Method`
  std::map<std::string, std::string, std::less<>> metadata;
};

struct Ruling {
  struct Destination {
    std::string text;  // "version v2, lane=blue"
    double share = 0;  // of the calls that the rule decides: its weight among the others'
    friend bool operator==(const Destination&, const Destination&) = default;
  };

  std::string rule;     // empty: none matches, or there are no rules; the channel is on its own
  absl::Status denial;  // OK: the call is not denied
  std::vector<Destination> destinations;  // all of the rule's
  std::vector<std::string> settings;      // "fallback: next", "timeout: 500 ms", …

  friend bool operator==(const Ruling&, const Ruling&) = default;
};

// `rules` may be null.
Ruling Judge(const std::shared_ptr<const RuleSet>& rules, const GivenCall& call);

struct Explanation {
  struct RuleVerdict {
    std::string name;
    std::string why_not;  // empty: it decides the call
  };
  struct Candidate {
    Member member;
    double share = 0;  // of the calls
  };
  struct Failure {
    absl::Status status;
    double share = 0;
  };

  std::vector<RuleVerdict> rules;  // in order, up to the one that decides
  Ruling ruling;
  std::vector<std::size_t> instances;  // how many each of the ruling's destinations has

  // The instances that the ruling leaves, whether or not calls reach them: one that drains gets
  // none while another does not, nor does one of another version than the call asks for.
  std::vector<Candidate> candidates;
  std::vector<Failure> failures;  // what the other calls are told; of a denied call, its denial
};

// As if every member of `snapshot` could be reached. `configured` is what the channel is configured
// to do. So many calls are decided and sent to a picker, with random numbers that are the same each
// time.
inline constexpr int kExplainedCalls = 20'000;
Explanation Explain(const std::shared_ptr<const RuleSet>& rules, const Snapshot& snapshot,
                    const GivenCall& call, std::shared_ptr<const PickerBuilder> configured);

}  // namespace turnout::route

#endif  // TURNOUT_SRC_ROUTE_EXPLAIN_H_
