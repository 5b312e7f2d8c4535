#include "tests/faults/play.h"

#include <gmock/gmock.h>

#include <set>

#include "tests/faults/matrix.h"

namespace turnout::faults {
namespace {

using ::testing::HasSubstr;

TEST(Faults, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const Fault* fault : AllFaults()) {
    EXPECT_TRUE(names.insert(fault->name).second) << fault->name;
    EXPECT_EQ(FindFault(fault->name), fault);
    EXPECT_TRUE(CanHappenOn(*fault, StageFor(*fault))) << fault->name;
  }
  EXPECT_EQ(FindFault("none"), nullptr);
}

TEST(Choose, TheSameSeedChoosesTheSame) {
  constexpr int kSteps = 8;
  Random once(42), again(42);
  const Sequence sequence = Choose(once, kSteps);
  EXPECT_EQ(sequence.faults.size(), static_cast<std::size_t>(kSteps));
  EXPECT_EQ(Choose(again, kSteps).faults, sequence.faults);
  EXPECT_EQ(once.Next(), again.Next());  // what the faults will draw
}

TEST(Choose, ManySeedsReachEveryFaultAndOnlyWhereItCanHappen) {
  std::set<const Fault*> reached;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    const Sequence sequence = Choose(random, 6);
    for (const Fault* fault : sequence.faults) {
      EXPECT_TRUE(CanHappenOn(*fault, sequence.stage)) << fault->name;
      reached.insert(fault);
    }
  }
  EXPECT_EQ(reached.size(), AllFaults().size());
}

TEST(Matrix, ShowsWhatHeldAndWhatDidNot) {
  Outcome held{.name = "one", .what = "x", .expected = "y", .recovery_s = 1.25, .calls = 10};
  Outcome not_held = held;
  not_held.name = "two";
  not_held.violations = {"a", "b", "c"};
  EXPECT_TRUE(AllOk({held}));
  EXPECT_FALSE(AllOk({held, not_held}));
  EXPECT_THAT(MatrixTable({held, not_held}), HasSubstr("NO"));
  EXPECT_THAT(MatrixTable({held}), Not(HasSubstr("NO")));
  EXPECT_THAT(MatrixJson({held, not_held}, 7), HasSubstr(R"({"ok":false,"seed":7,)"));
  EXPECT_THAT(MatrixMarkdown({held}), HasSubstr("| one | x | y | 1.2 s | 10 | 0 |"));
  EXPECT_EQ(Violations(not_held, 2), "  a\n  b\n  and 1 more\n");
}

}  // namespace
}  // namespace turnout::faults
