#include "tests/faults/event.h"

#include <gtest/gtest.h>

namespace turnout::faults {
namespace {

Clock::time_point At(int microseconds) {
  return Clock::time_point(std::chrono::microseconds(microseconds));
}

TEST(Event, ACallIsReadAsItWasWritten) {
  const Call call{.begin = At(1'000'001),
                  .end = At(2'000'002),
                  .stream = true,
                  .retries = true,
                  .service = "a.b",
                  .version = "",
                  .peer = "127.0.0.1:80",
                  .code = 14,
                  .answers = 3,
                  .text = "failed: so"};
  const auto event = ParseEvent(Format(call));
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(std::get<Call>(*event), call);
}

TEST(Event, AnErrorOfSeveralLinesIsOne) {
  const Call call{.text = "a\nb\tc"};
  EXPECT_EQ(std::get<Call>(ParseEvent(Format(call)).value()).text, "a b c");
}

TEST(Event, AViewIsReadAsItWasWritten) {
  View view{.time = At(5),
            .service = "a.b",
            .members = {{"x", {"registered", "v1", "h:1"}}, {"y", {"lapsed", "v2", "h:2"}}}};
  EXPECT_EQ(std::get<View>(ParseEvent(Format(view)).value()), view);
  view.members.clear();
  EXPECT_EQ(std::get<View>(ParseEvent(Format(view)).value()), view);
}

TEST(Event, OtherLinesAreNone) {
  for (const char* line : {"", "C", "V\t1", "X\t1\ta\tb", "V\tsoon\ta\tb:c", "V\t1\ta\tb"}) {
    EXPECT_FALSE(ParseEvent(line).has_value()) << line;
  }
}

TEST(AnswerText, IsReadAsItWasWritten) {
  const Answer answer{"v1", "127.0.0.1:80", "a.b", "id-1", "-"};
  EXPECT_EQ(Answer::Parse(answer.ToString()), answer);
  EXPECT_EQ(Answer::Parse("v1 127.0.0.1:80"), std::nullopt);
}

}  // namespace
}  // namespace turnout::faults
