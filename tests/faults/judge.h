// Holds every call against what must be and what the fault of the moment allows. Pure.
#ifndef TURNOUT_TESTS_FAULTS_JUDGE_H_
#define TURNOUT_TESTS_FAULTS_JUDGE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "tests/faults/event.h"

namespace turnout::faults {

// Calls that may fail: those to `address` that were under way at some time from `from` on and began
// no later than `until`.
struct Allowance {
  Clock::time_point from, until;
  std::string address;

  // Also calls with a retry policy that have had no answer yet: those to a process that is gone can
  // go elsewhere, those that wait for a process that is silent can not.
  bool even_with_retries = false;
};

// Calls that must not be: those to `address` that began between `from` and `until`.
struct Ban {
  Clock::time_point from, until;
  std::string address;
};

struct Rules {
  std::vector<Allowance> allowances;
  std::vector<Ban> bans;
};

struct Verdict {
  std::size_t calls = 0;
  std::size_t failed = 0;
  std::vector<std::string> violations;
  Clock::time_point last_failure{};
  Clock::duration slowest{};  // of the unary ones that did not fail
};

Verdict Judge(const std::vector<Call>& calls, const Rules& rules);

}  // namespace turnout::faults

#endif  // TURNOUT_TESTS_FAULTS_JUDGE_H_
