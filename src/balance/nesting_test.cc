// Pickers that select, each inside each other, over a fleet in which all of them have something to
// do. What one leaves over, the other has to divide further.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "src/balance/testing.h"
#include "src/base/clock.h"

namespace turnout::balance {
namespace {

using base::TimePoint;
using testing::BuilderFor;
using testing::FakePickArgs;
using testing::GroupOf;
using testing::MakeEndpoint;
using testing::Show;
using namespace std::chrono_literals;

const TimePoint kStart = TimePoint() + 1000h;

// 24 instances: two versions × two stages × three zones × two; the first of each pair serves for
// 15 s, the second always. Calls ask for version v1 and stage prod: 6 instances match both.
std::vector<Endpoint> Fleet() {
  std::vector<Endpoint> endpoints;
  for (const char* const version : {"v1", "v2"}) {
    for (const char* const stage : {"prod", "test"}) {
      for (const char* const zone : {"a", "b", "c"}) {
        for (const TimePoint since : {kStart - 15s, TimePoint::min()}) {
          Endpoint endpoint = MakeEndpoint({.id = "app-" + std::to_string(endpoints.size() + 1),
                                            .version = version,
                                            .locality = {"eu", zone},
                                            .metadata = {{"stage", stage}}});
          endpoint.serving_since = since;
          endpoints.push_back(std::move(endpoint));
        }
      }
    }
  }
  return endpoints;
}

FakePickArgs Call() { return FakePickArgs().Version("v1").Set("stage", "prod"); }

struct Selecting {
  std::string name;
  std::string parameters;
  bool (*fits)(const Instance&);  // may the call go there?
};

const Selecting kSelecting[] = {
    {"label_match", R"("selectors":[{"keys":["stage"]}])",
     [](const Instance& instance) { return instance.metadata.at("stage") == "prod"; }},
    {"locality", R"("zone":"b","minimumClusterSize":1)",
     [](const Instance& instance) { return instance.locality.zone == "b"; }},
    {"panic", R"("threshold":0.5)", [](const Instance&) { return true; }},
    {"slow_start", R"("window":"60s")", [](const Instance&) { return true; }},
    {"subset", R"("subsetSize":2)", [](const Instance&) { return true; }},
    {"version", R"("fallback":"none")",
     [](const Instance& instance) { return instance.version == "v1"; }},
};

// An outer subset leaves out one, so that something is left for the inner one to select.
std::string Nested(const Selecting& picker, const std::string& child) {
  const bool outer_subset = picker.name == "subset" && !child.starts_with(R"([{"random")");
  return "[{\"" + picker.name + "\":{" + (outer_subset ? R"("subsetSize":23)" : picker.parameters) +
         ",\"child\":" + child + "}}]";
}

std::set<const Endpoint*> Reached(const Picker& picker) {
  std::set<const Endpoint*> reached;
  for (int i = 0; i < 5'000; ++i) reached.insert(picker.Pick(Call()).endpoint());
  return reached;
}

class NestingTest : public ::testing::TestWithParam<std::tuple<Selecting, Selecting>> {
 protected:
  const Selecting& outer() const { return std::get<0>(GetParam()); }
  const Selecting& inner() const { return std::get<1>(GetParam()); }
  bool Fits(const Instance& instance) const {
    return outer().fits(instance) && inner().fits(instance);
  }
  std::unique_ptr<const Picker> PickerOver(const std::vector<Endpoint>& endpoints) const {
    const std::string child = Nested(inner(), R"([{"random":{}}])");
    return BuilderFor(Nested(outer(), child))->Build(GroupOf(endpoints));
  }
};

TEST_P(NestingTest, BothSelect) {
  const base::ScopedClock clock(kStart);
  base::SeededRandom source(8);
  const base::ScopedRandom scope(source);
  const auto endpoints = Fleet();
  const auto picker = PickerOver(endpoints);
  std::size_t fitting = 0;
  std::set<const Endpoint*> expected;
  for (const Endpoint& each : endpoints) {
    if (!Fits(each.instance())) continue;
    ++fitting;
    if (picker->Wants(each)) expected.insert(&each);
  }
  EXPECT_EQ(Reached(*picker), expected);
  if (inner().name == "subset") {
    EXPECT_EQ(expected.size(), 2u);
  } else if (outer().name == "subset") {
    EXPECT_GE(expected.size(), fitting - 1);
  } else {
    EXPECT_EQ(expected.size(), fitting);
  }
}

// Wherever panic stands, unhealthy instances take the calls if there are no others.
TEST_P(NestingTest, PanicReachesUpAndDown) {
  const base::ScopedClock clock(kStart);
  auto endpoints = Fleet();
  for (Endpoint& endpoint : endpoints) endpoint.state = ConnectionState::kUnhealthy;
  const bool panics = outer().name == "panic" || inner().name == "panic";
  EXPECT_THAT(Show(PickerOver(endpoints)->Pick(Call())),
              ::testing::StartsWith(panics ? "app-" : "fail: UNAVAILABLE: "));
}

TEST_P(NestingTest, NothingIsRegistered) {
  EXPECT_THAT(Show(PickerOver({})->Pick(Call())),
              ::testing::StartsWith("fail: UNAVAILABLE: no match found conn"));
}

INSTANTIATE_TEST_SUITE_P(All, NestingTest,
                         ::testing::Combine(::testing::ValuesIn(kSelecting),
                                            ::testing::ValuesIn(kSelecting)),
                         [](const auto& tested) {
                           return std::get<0>(tested.param).name + "_over_" +
                                  std::get<1>(tested.param).name;
                         });

}  // namespace
}  // namespace turnout::balance
