#include "src/cli/simulate/results.h"

#include <gtest/gtest.h>

namespace turnout::cli {
namespace {

using simulate::Policy;

SimulationResult Example() {
  SimulationResult result{.scenario = "uniform", .seed = 7};
  for (const double load : {0.5, 0.8}) {
    result.runs.push_back({{.name = "random"},
                           load,
                           {.calls = 1000,
                            .mean_ms = 120,
                            .p50_ms = 100,
                            .p90_ms = 200,
                            .p99_ms = 300,
                            .p999_ms = 400.04,
                            .error_share = 0.001,
                            .load_spread = 0.25,
                            .least_utilization = 0.5,
                            .most_utilization = 0.75}});
    result.runs.push_back(
        {{.name = "bound", .kind = Policy::Kind::kBound}, load, {.calls = 1000, .p99_ms = 200}});
    result.runs.push_back(
        {{.name = "alone", .kind = Policy::Kind::kAlone}, load, {.calls = 1000, .p99_ms = 150}});
  }
  return result;
}

TEST(ResultsTest, ATableForEachLoad) {
  EXPECT_EQ(ResultTable(Example(), Paint(false)),
            "uniform, load 50 %, 1000 calls, seed 7\n"
            "  POLICY  P50    P90    P99    P99.9  ERRORS   SPREAD  P99/BOUND\n"
            "  random  100.0  200.0  300.0  400.0  0.100 %  0.250   1.50\n"
            "  bound   0.0    0.0    200.0  0.0    0.000 %  0.000   1.00\n"
            "  alone   0.0    0.0    150.0  0.0    0.000 %          0.75\n"
            "\n"
            "uniform, load 80 %, 1000 calls, seed 7\n"
            "  POLICY  P50    P90    P99    P99.9  ERRORS   SPREAD  P99/BOUND\n"
            "  random  100.0  200.0  300.0  400.0  0.100 %  0.250   1.50\n"
            "  bound   0.0    0.0    200.0  0.0    0.000 %  0.000   1.00\n"
            "  alone   0.0    0.0    150.0  0.0    0.000 %          0.75\n");
}

TEST(ResultsTest, WithoutTheBoundNothingIsCompared) {
  SimulationResult result = Example();
  result.runs.resize(1);
  EXPECT_EQ(ResultTable(result, Paint(false)),
            "uniform, load 50 %, 1000 calls, seed 7\n"
            "  POLICY  P50    P90    P99    P99.9  ERRORS   SPREAD\n"
            "  random  100.0  200.0  300.0  400.0  0.100 %  0.250\n");
}

TEST(ResultsTest, JsonHoldsAllOfIt) {
  SimulationResult result = Example();
  result.runs.resize(1);
  EXPECT_EQ(Dump(ToJson(result)),
            R"({"scenario":"uniform","seed":7,"runs":[{"policy":"random","load":0.5,"calls":1000,)"
            R"("mean_ms":120.0,"p50_ms":100.0,"p90_ms":200.0,"p99_ms":300.0,"p999_ms":400.04,)"
            R"("error_share":0.001,"load_spread":0.25,"least_utilization":0.5,)"
            R"("most_utilization":0.75}]})");
}

}  // namespace
}  // namespace turnout::cli
