#include "src/cli/simulate/plot_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace turnout::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

SimulatedRun RunOf(std::string policy, double load, double p99_ms) {
  return {{.name = std::move(policy)}, load, {.p50_ms = 1, .p90_ms = 2, .p99_ms = p99_ms}};
}

TEST(PlotScriptTest, TheFileSaysTheTerminal) {
  EXPECT_EQ(PlotTerminal("a.svg"), "svg");
  EXPECT_EQ(PlotTerminal("a.png"), "pngcairo");
  EXPECT_EQ(PlotTerminal("svg"), "");
}

TEST(PlotScriptTest, OneLoadIsBars) {
  const std::string script = PlotScript(
      {.scenario = "uniform", .runs = {RunOf("random", 0.8, 3), RunOf("bound", 0.8, 4)}}, "a.svg");
  EXPECT_THAT(script, HasSubstr("set terminal svg "));
  EXPECT_THAT(script, HasSubstr("set output 'a.svg'\n"));
  EXPECT_THAT(script, HasSubstr("set title 'uniform, load 80 %'\n"));
  EXPECT_THAT(script, HasSubstr("$data << END\n1 2 3\n1 2 4\nEND\n"));
  EXPECT_THAT(script, HasSubstr("('random' 0, 'bound' 1)"));
}

TEST(PlotScriptTest, SeveralLoadsAreALineForEachPolicy) {
  const std::string script = PlotScript({.scenario = "uniform",
                                         .runs = {RunOf("random", 0.5, 3), RunOf("bound", 0.5, 2),
                                                  RunOf("random", 0.8, 5), RunOf("bound", 0.8, 4)}},
                                        "a.png");
  EXPECT_THAT(script, HasSubstr("$data0 << END\n50 3\n80 5\nEND\n"));
  EXPECT_THAT(script, HasSubstr("$data1 << END\n50 2\n80 4\nEND\n"));
  EXPECT_THAT(script, HasSubstr("title 'bound'\n"));
}

// What a user writes as a name must not become a command of gnuplot's, which can run any program.
TEST(PlotScriptTest, NamesAreNoCommands) {
  const std::string script =
      PlotScript({.scenario = "it's'\nsystem('x')", .runs = {RunOf("a'\n!x", 0.8, 3)}}, "a.svg");
  EXPECT_THAT(script, HasSubstr("'it''s''?system(''x''), load 80 %'\n"));
  EXPECT_THAT(script, HasSubstr("'a''?!x' 0"));
  EXPECT_THAT(script, Not(HasSubstr("\n!x")));
}

}  // namespace
}  // namespace turnout::cli
