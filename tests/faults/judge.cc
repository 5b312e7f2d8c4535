#include "tests/faults/judge.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace turnout::faults {
namespace {

std::string Describe(const Call& call) {
  return absl::StrCat(call.retries ? "retrying " : "", call.stream ? "stream" : "call", " to ",
                      call.service, call.version.empty() ? ", any version" : ", version ",
                      call.version, ", sent to ", call.peer.empty() ? "nobody" : call.peer);
}

bool Covers(const Allowance& allowance, const Call& call) {
  const bool may_retry = call.retries && call.answers == 0;
  return call.peer == allowance.address && call.end >= allowance.from &&
         call.begin <= allowance.until && (!may_retry || allowance.even_with_retries);
}

bool Forbids(const Ban& ban, const Call& call) {
  return call.peer == ban.address && call.begin > ban.from && call.begin < ban.until;
}

// What is wrong with an answer; empty: nothing.
std::string Mistake(const Call& call) {
  const auto answer = Answer::Parse(call.text);
  if (!answer.has_value()) return absl::StrCat("answered \"", call.text, "\"");
  if (answer->service != call.service) return absl::StrCat("answered by ", answer->service);
  if (!call.version.empty() && answer->version != call.version) {
    return absl::StrCat("answered by version ", answer->version);
  }
  if (answer->address != call.peer) return absl::StrCat("answered by ", answer->address);
  if (answer->picked != answer->id) {
    return absl::StrCat("picked ", answer->picked, ", answered by ", answer->id);
  }
  return "";
}

}  // namespace

Verdict Judge(const std::vector<Call>& calls, const Rules& rules) {
  Verdict verdict{.calls = calls.size()};
  for (const Call& call : calls) {
    if (std::any_of(rules.bans.begin(), rules.bans.end(),
                    [&](const Ban& ban) { return Forbids(ban, call); })) {
      verdict.violations.push_back(Describe(call) + ": nobody should be called there");
    }
    if (call.ok()) {
      if (!call.stream) verdict.slowest = std::max(verdict.slowest, call.end - call.begin);
      const std::string mistake = Mistake(call);
      if (!mistake.empty()) verdict.violations.push_back(Describe(call) + ": " + mistake);
      continue;
    }
    ++verdict.failed;
    verdict.last_failure = std::max(verdict.last_failure, call.end);
    const bool allowed = std::any_of(rules.allowances.begin(), rules.allowances.end(),
                                     [&](const Allowance& a) { return Covers(a, call); });
    if (allowed) continue;
    verdict.violations.push_back(absl::StrCat(Describe(call), ": failed after ", call.answers,
                                              " answers with code ", call.code, ": ", call.text));
  }
  return verdict;
}

}  // namespace turnout::faults
