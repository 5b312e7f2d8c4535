#include "tests/faults/judge.h"

#include <gmock/gmock.h>

namespace turnout::faults {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kPeer[] = "127.0.0.1:1";
constexpr int kUnavailable = 14;

Clock::time_point At(int second) { return Clock::time_point(seconds(second)); }

Call Answered(const std::string& text) {
  return {.begin = At(10),
          .end = At(11),
          .service = "a",
          .version = "v1",
          .peer = kPeer,
          .answers = 1,
          .text = text};
}

Call Failed(int begin, int end) {
  return {.begin = At(begin),
          .end = At(end),
          .service = "a",
          .version = "v1",
          .peer = kPeer,
          .code = kUnavailable,
          .text = "gone"};
}

std::vector<std::string> Violations(const Call& call, const std::vector<Allowance>& allowed = {}) {
  return Judge({call}, {.allowances = allowed, .bans = {}}).violations;
}

TEST(Judge, TakesTheAnswerOfWhoWasPicked) {
  const Verdict verdict = Judge({Answered("v1 127.0.0.1:1 a id-1 id-1")}, {});
  EXPECT_THAT(verdict.violations, IsEmpty());
  EXPECT_EQ(verdict.calls, 1U);
  EXPECT_EQ(verdict.failed, 0U);
  EXPECT_EQ(verdict.slowest, seconds(1));
}

TEST(Judge, FindsEveryWrongAnswer) {
  EXPECT_THAT(Violations(Answered("v2 127.0.0.1:1 a id-1 id-1")),
              ElementsAre(HasSubstr("answered by version v2")));
  EXPECT_THAT(Violations(Answered("v1 127.0.0.1:2 a id-1 id-1")),
              ElementsAre(HasSubstr("answered by 127.0.0.1:2")));
  EXPECT_THAT(Violations(Answered("v1 127.0.0.1:1 b id-1 id-1")),
              ElementsAre(HasSubstr("answered by b")));
  EXPECT_THAT(Violations(Answered("v1 127.0.0.1:1 a id-1 id-2")),
              ElementsAre(HasSubstr("picked id-2, answered by id-1")));
  EXPECT_THAT(Violations(Answered("v1 127.0.0.1:1 a id-1 -")),
              ElementsAre(HasSubstr("picked -, answered by id-1")));
  EXPECT_THAT(Violations(Answered("")), ElementsAre(HasSubstr("answered \"\"")));
}

TEST(Judge, AnyVersionMayAnswerACallThatAsksForNone) {
  Call call = Answered("v2 127.0.0.1:1 a id-1 id-1");
  call.version = "";
  EXPECT_THAT(Violations(call), IsEmpty());
}

TEST(Judge, AllowsWhatWasUnderWayAtTheAddress) {
  const Allowance allowance{.from = At(10), .until = At(12), .address = kPeer};
  EXPECT_THAT(Violations(Failed(9, 10), {allowance}), IsEmpty());
  EXPECT_THAT(Violations(Failed(12, 13), {allowance}), IsEmpty());
  EXPECT_THAT(Violations(Failed(8, 9), {allowance}), ElementsAre(HasSubstr("gone")));
  EXPECT_THAT(Violations(Failed(13, 14), {allowance}), ElementsAre(HasSubstr("gone")));
  Call elsewhere = Failed(10, 11);
  elsewhere.peer = "";
  EXPECT_THAT(Violations(elsewhere, {allowance}), ElementsAre(HasSubstr("sent to nobody")));
}

TEST(Judge, RetriesMustHelpUntilThereIsAnAnswer) {
  Allowance allowance{.from = At(10), .until = At(12), .address = kPeer};
  Call call = Failed(10, 11);
  call.retries = true;
  EXPECT_THAT(Violations(call, {allowance}), ElementsAre(HasSubstr("retrying call")));
  call.stream = true;
  call.answers = 2;
  EXPECT_THAT(Violations(call, {allowance}), IsEmpty());
  call.answers = 0;
  allowance.even_with_retries = true;
  EXPECT_THAT(Violations(call, {allowance}), IsEmpty());
}

TEST(Judge, NobodyIsCalledWhoMustNotBe) {
  const Call call = Answered("v1 127.0.0.1:1 a id-1 id-1");  // from 10 to 11
  const auto violations = [&call](int from, int until, const std::string& address) {
    const Ban ban{.from = At(from), .until = At(until), .address = address};
    return Judge({call}, {.allowances = {}, .bans = {ban}}).violations;
  };
  EXPECT_THAT(violations(9, 11, kPeer), ElementsAre(HasSubstr("nobody should be called there")));
  EXPECT_THAT(violations(10, 12, kPeer), IsEmpty());  // it was under way
  EXPECT_THAT(violations(8, 10, kPeer), IsEmpty());
  EXPECT_THAT(violations(9, 11, "127.0.0.1:2"), IsEmpty());
}

TEST(Judge, TellsWhenTheLastCallFailed) {
  const Verdict verdict = Judge({Failed(1, 7), Failed(2, 3)}, {});
  EXPECT_EQ(verdict.failed, 2U);
  EXPECT_EQ(verdict.last_failure, At(7));
}

}  // namespace
}  // namespace turnout::faults
