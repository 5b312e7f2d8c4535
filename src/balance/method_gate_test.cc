#include "src/balance/method_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "src/balance/testing.h"

namespace turnout::balance {
namespace {

using testing::BuilderFor;
using testing::FakePickArgs;
using testing::GroupOf;
using testing::MakeEndpoint;
using testing::Show;
using ::testing::UnorderedElementsAre;

std::unique_ptr<const Picker> Gate(const std::vector<Endpoint>& endpoints,
                                   std::string_view picker = R"([{"round_robin":{}}])") {
  return BuildMethodGate(*BuilderFor(picker), GroupOf(endpoints));
}

std::set<std::string> Reached(const Picker& picker, std::string_view method) {
  FakePickArgs args;
  args.Method(method);
  std::set<std::string> reached;
  for (int i = 0; i < 200; ++i) reached.insert(Show(picker.Pick(args)));
  return reached;
}

// Counts its pickers.
class CountingBuilder final : public PickerBuilder {
 public:
  std::unique_ptr<const Picker> Build(EndpointGroup group) const override {
    ++built;
    return BuilderFor(R"([{"round_robin":{}}])")->Build(std::move(group));
  }
  mutable int built = 0;
};

TEST(MethodGateTest, CallsAvoidEndpointsThatHaveTheirMethodOff) {
  const std::vector<Endpoint> endpoints = {
      MakeEndpoint({.id = "app-1", .methods_off = {"Get", "Put"}}), MakeEndpoint({.id = "app-2"}),
      MakeEndpoint({.id = "app-3", .methods_off = {"Put"}})};
  const auto gate = Gate(endpoints);
  EXPECT_THAT(Reached(*gate, "Get"), UnorderedElementsAre("app-2", "app-3"));
  EXPECT_THAT(Reached(*gate, "Put"), UnorderedElementsAre("app-2"));
  EXPECT_THAT(Reached(*gate, "List"), UnorderedElementsAre("app-1", "app-2", "app-3"));
}

TEST(MethodGateTest, AMethodThatIsExplicitlyOnIsOn) {
  std::vector<Endpoint> endpoints = {MakeEndpoint({.id = "app-1"})};
  auto instance = std::make_shared<Instance>(endpoints[0].instance());
  instance->methods["Get"].online = true;
  endpoints[0].member.instance = std::move(instance);
  EXPECT_THAT(Reached(*Gate(endpoints), "Get"), UnorderedElementsAre("app-1"));
}

TEST(MethodGateTest, OffEverywhere) {
  std::vector<Endpoint> endpoints = {MakeEndpoint({.id = "app-1", .methods_off = {"Get"}})};
  EXPECT_THAT(Reached(*Gate(endpoints), "Get"),
              UnorderedElementsAre("fail: UNAVAILABLE: no match found conn: Get is switched off on "
                                   "the only instance of hwholiday.srv.app"));
  endpoints.push_back(MakeEndpoint({.id = "app-2", .methods_off = {"Get"}}));
  EXPECT_THAT(Reached(*Gate(endpoints), "Get"),
              UnorderedElementsAre("fail: UNAVAILABLE: no match found conn: Get is switched off on "
                                   "all 2 instances of hwholiday.srv.app"));
}

TEST(MethodGateTest, FailuresSayWhatWasLeftOut) {
  const std::vector<Endpoint> endpoints = {
      MakeEndpoint({.id = "app-1", .version = "v1", .methods_off = {"ApiTest"}}),
      MakeEndpoint({.id = "app-2", .version = "v2"})};
  const auto gate = Gate(endpoints, R"([{"version":{}}])");
  EXPECT_EQ(Show(gate->Pick(FakePickArgs().Version("v1"))),
            "fail: UNAVAILABLE: no match found conn: asked for version v1 of hwholiday.srv.app; "
            "registered: v2 ×1; left out: 1 instance on which ApiTest is switched off");
}

TEST(MethodGateTest, MethodsThatAreOffOnTheSameEndpointsShareAPicker) {
  const std::vector<Endpoint> endpoints = {
      MakeEndpoint({.id = "app-1", .methods_off = {"Get", "Put", "List"}}),
      MakeEndpoint({.id = "app-2"})};
  const CountingBuilder builder;
  BuildMethodGate(builder, GroupOf(endpoints));
  EXPECT_EQ(builder.built, 2);
}

TEST(MethodGateTest, WithoutSwitchesThereIsOnePicker) {
  const std::vector<Endpoint> endpoints = {MakeEndpoint({.id = "app-1"})};
  const CountingBuilder builder;
  BuildMethodGate(builder, GroupOf(endpoints));
  EXPECT_EQ(builder.built, 1);
}

// Method m is off on endpoint m alone, for 100 methods; `Often` on the first 50 endpoints.
TEST(MethodGateTest, TooManyDifferentSwitchesShareAPicker) {
  std::vector<Endpoint> endpoints;
  for (int i = 1; i <= 101; ++i) {
    std::vector<std::string> off;
    if (i <= 100) off.push_back("M" + std::to_string(i));
    if (i <= 50) off.emplace_back("Often");
    endpoints.push_back(MakeEndpoint({.id = "app-" + std::to_string(i), .methods_off = off}));
  }
  const CountingBuilder builder;
  const auto gate = BuildMethodGate(builder, GroupOf(endpoints));
  EXPECT_EQ(builder.built, static_cast<int>(kMostMethodBranches) + 1);

  EXPECT_EQ(Reached(*gate, "Often").size(), 51u);
  std::size_t exact = 0;
  for (int i = 1; i <= 100; ++i) {
    const std::string number = std::to_string(i);
    const auto reached = Reached(*gate, "M" + number);
    EXPECT_FALSE(reached.contains("app-" + number));
    EXPECT_TRUE(reached.contains("app-101"));
    if (reached.size() == 100) ++exact;
  }
  EXPECT_EQ(exact, kMostMethodBranches - 2);  // all but `Often` and the shared one
}

TEST(MethodGateTest, TheSharedPickerSaysSo) {
  std::vector<Endpoint> endpoints;
  for (int i = 1; i <= 100; ++i) {
    const std::string number = std::to_string(i);
    endpoints.push_back(MakeEndpoint(
        {.id = "app-" + number, .version = "v" + number, .methods_off = {"M" + number}}));
  }
  const auto gate = Gate(endpoints, R"([{"version":{}}])");
  std::set<std::string> failures;
  for (int i = 1; i <= 100; ++i) {
    const std::string number = std::to_string(i);
    const std::string shown = Show(gate->Pick(FakePickArgs().Method("M" + number).Version("none")));
    failures.insert(shown.substr(shown.rfind("; left out: ")));
  }
  EXPECT_THAT(failures, ::testing::Contains(::testing::MatchesRegex(
                            "; left out: 37 instances on which M[0-9]+ or a method that shares its "
                            "picker is switched off")));
}

}  // namespace
}  // namespace turnout::balance
