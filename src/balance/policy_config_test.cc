#include "src/balance/policy_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "src/balance/builtins.h"
#include "src/balance/config_place.h"
#include "src/balance/picker_registry.h"
#include "src/balance/testing.h"
#include "src/balance/text.h"
#include "src/base/mutex.h"
#include "src/model/text.h"

namespace turnout::balance {
namespace {

using testing::FakePickArgs;
using ::testing::HasSubstr;
using testing::kService;
using testing::MakeEndpoints;
using testing::Show;
using ::testing::StartsWith;

std::string ErrorOf(std::string_view json, std::string_view policy = "turnout") {
  return std::string(ParsePolicyConfig(policy, json).status().message());
}

std::string ServiceConfigError(std::string_view json) {
  return std::string(CheckServiceConfig(json).message());
}

// Pickers `depth` deep, all but the innermost `version`.
std::string Nested(int depth) {
  std::string json = R"([{"random":{}}])";
  for (int i = 1; i < depth; ++i) json.insert(0, R"([{"version":{"child":)").append("}}]");
  return R"({"picker":)" + json + "}";
}

TEST(PolicyConfigTest, DefaultsAreVersionThenRandom) {
  const auto endpoints = MakeEndpoints(2, {"v1", "v2"});
  for (const char* const policy : {"turnout", "version"}) {
    const auto config = ParsePolicyConfig(policy, "{}");
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_EQ((*config)->connect_timeout, std::chrono::seconds(3));
    const auto picker = BuildRoot(*(*config)->picker, kService, endpoints);
    EXPECT_EQ(Show(picker->Pick(FakePickArgs().Version("v2"))), "app-2");
    EXPECT_THAT(Show(picker->Pick(FakePickArgs())), StartsWith("app-"));
    EXPECT_THAT(Show(picker->Pick(FakePickArgs().Version("v3"))), HasSubstr("no match found conn"));
  }
}

TEST(PolicyConfigTest, ConnectTimeout) {
  for (const char* const policy : {"turnout", "version"}) {
    const auto config = ParsePolicyConfig(policy, R"({"connectTimeout":"0.25s"})");
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_EQ((*config)->connect_timeout, std::chrono::milliseconds(250));
  }
  EXPECT_EQ(ErrorOf(R"({"connectTimeout":"601s"})"),
            "turnout.connectTimeout: must be 0.001s to 600s, got \"601s\"");
}

TEST(PolicyConfigTest, TheFirstKnownPickerIsTaken) {
  const auto endpoints = MakeEndpoints(2, {"v1", "v2"});
  const auto config = ParsePolicyConfig(
      "turnout", R"({"picker":[{"of_the_future":{"a":1}},{"random":{}},{"version":{"bad":1}}]})");
  ASSERT_TRUE(config.ok()) << config.status();
  const auto picker = BuildRoot(*(*config)->picker, kService, endpoints);
  EXPECT_THAT(Show(picker->Pick(FakePickArgs().Version("v3"))), StartsWith("app-"));
}

TEST(PolicyConfigTest, ErrorsHaveTheirPath) {
  EXPECT_EQ(ErrorOf(R"({"picker":[{"version":{"child":[{"random":{"seed":1}}]}}]})"),
            "turnout.picker[0].version.child[0].random.seed: unknown field; none is allowed here");
  EXPECT_EQ(ErrorOf(R"({"picker":[{"version":{"kee":"v"}}]})"),
            "turnout.picker[0].version.kee: unknown field; allowed: key, child, whenAbsent, "
            "fallback; did you mean key?");
  EXPECT_EQ(ErrorOf(R"({"pickers":[]})"),
            "turnout.pickers: unknown field; allowed: connectTimeout, lazyConnections, "
            "streamLatency, picker; did you mean picker?");
  EXPECT_EQ(
      ErrorOf(R"({"picker":[]})", "version"),
      "version.picker: unknown field; allowed: connectTimeout, lazyConnections, streamLatency, "
      "key, child, whenAbsent, "
      "fallback");
  EXPECT_EQ(ErrorOf(R"({"picker":[{"version":7}]})"),
            "turnout.picker[0].version: must be an object, got 7");
  EXPECT_EQ(ErrorOf("[]"), "turnout: must be an object, got []");
}

TEST(PolicyConfigTest, AllErrorsComeTogether) {
  EXPECT_EQ(ErrorOf(R"({"connectTimeout":3,"picker":[{"version":{"key":5,"child":[{"x":{}}]}}]})"),
            "3 errors: (1) turnout.connectTimeout: must be a string of seconds like \"1.5s\", "
            "0.001s to 600s, got 3 (2) turnout.picker[0].version.key: must be a string, got 5 (3) "
            "turnout.picker[0].version.child: names no known picker, got [{\"x\":{}}]; known: " +
                Listed(PickerNames()));
}

TEST(PolicyConfigTest, ListsMustNameAPicker) {
  EXPECT_EQ(ErrorOf(R"({"picker":[{"verzion":{}}]})"),
            "turnout.picker: names no known picker, got [{\"verzion\":{}}]; known: " +
                Listed(PickerNames()) + "; did you mean version?");
  EXPECT_EQ(ErrorOf(R"({"picker":[]})"),
            "turnout.picker: names no picker; known: " + Listed(PickerNames()));
  EXPECT_EQ(ErrorOf(R"({"picker":{"random":{}}})"),
            "turnout.picker: must be a list of pickers, got {\"random\":{}}");
  EXPECT_EQ(ErrorOf(R"({"picker":[{"random":{}},{"a":1,"b":2}]})"),
            "turnout.picker[1]: must be an object with exactly one key, a name, got "
            "{\"a\":1,\"b\":2}");
  EXPECT_EQ(ErrorOf(R"({"picker":["random"]})"),
            "turnout.picker[0]: must be an object with exactly one key, a name, got \"random\"");
}

TEST(PolicyConfigTest, NestingIsLimited) {
  EXPECT_EQ(ErrorOf(Nested(8)), "");
  EXPECT_THAT(ErrorOf(Nested(9)),
              ::testing::EndsWith("child[0].random: pickers may be nested at most 8 deep"));
}

TEST(PolicyConfigTest, SyntaxErrorsHaveAPosition) {
  EXPECT_THAT(ErrorOf("{"),
              StartsWith("turnout: not valid JSON: parse error at line 1, column 2: "));
  EXPECT_THAT(ServiceConfigError(""),
              StartsWith("service config: not valid JSON: parse error at line 1, column 1: "));
}

TEST(ServiceConfigTest, WhatIsNotOursIsLeftToGrpc) {
  EXPECT_EQ(ServiceConfigError("{}"), "");
  EXPECT_EQ(ServiceConfigError(R"({"methodConfig":5,"loadBalancingPolicy":"x"})"), "");
  EXPECT_EQ(ServiceConfigError(R"({"loadBalancingConfig":[{"round_robin":{"x":1}}]})"), "");
}

TEST(ServiceConfigTest, OurPoliciesAreChecked) {
  EXPECT_EQ(ServiceConfigError(R"({"loadBalancingConfig":[{"turnout":{}},{"version":{}}]})"), "");
  EXPECT_EQ(ServiceConfigError(R"({"loadBalancingConfig":[{"x":{}},{"version":{"kee":1}}]})"),
            "loadBalancingConfig[1].version.kee: unknown field; allowed: connectTimeout, "
            "lazyConnections, "
            "streamLatency, key, "
            "child, whenAbsent, fallback; did you mean key?");
}

TEST(ServiceConfigTest, OursInsideGrpcsAreChecked) {
  EXPECT_EQ(ServiceConfigError(
                R"({"loadBalancingConfig":[{"outlier_detection_experimental":
                    {"childPolicy":[{"turnout":{"picker":[{"random":{"n":1}}]}}]}}]})"),
            "loadBalancingConfig[0].outlier_detection_experimental.childPolicy[0].turnout."
            "picker[0].random.n: unknown field; none is allowed here");
  EXPECT_EQ(ServiceConfigError(R"({"loadBalancingConfig":[{"weighted_target_experimental":
                {"targets":{"a":{"weight":1,"childPolicy":[{"version":{"key":1}}]}}}}]})"),
            "loadBalancingConfig[0].weighted_target_experimental.targets.a.childPolicy[0].version."
            "key: must be a string, got 1");
}

TEST(ServiceConfigTest, ListsOfPoliciesAreLists) {
  EXPECT_EQ(ServiceConfigError("[1]"), "service config: must be an object, got [1]");
  EXPECT_EQ(ServiceConfigError(R"({"loadBalancingConfig":{"turnout":{}}})"),
            "loadBalancingConfig: must be a list of policies, got {\"turnout\":{}}");
  EXPECT_EQ(ServiceConfigError(R"({"loadBalancingConfig":[]})"),
            "loadBalancingConfig: must be a list of policies, got []");
  EXPECT_EQ(ServiceConfigError(R"({"loadBalancingConfig":[{}]})"),
            "loadBalancingConfig[0]: must be an object with exactly one key, a name, got {}");
}

// What a parameter must refuse, from what DescribeParameters says that it allows: values of every
// other type, and for ranges what lies beyond their ends.
std::vector<std::string> Refused(const Parameter& parameter) {
  std::vector<std::string> values = {"null", "7e300", "-1",       "\"\\u0001\"",
                                     "true", "[7]",   "{\"a\":7}"};
  const auto keep = [&](std::string_view value) { std::erase(values, value); };
  const std::string& allowed = parameter.allowed;
  const bool number = allowed.starts_with("number") || allowed.starts_with("integer");
  if (number || allowed.starts_with("duration")) {
    const std::string ends = allowed.substr(allowed.find(", ") + 2);
    const double least = std::stod(ends);
    const double most = std::stod(ends.substr(ends.find(" to ") + 4));
    const std::string quote = number ? "" : "\"";
    const std::string unit = number ? "" : "s\"";
    values.push_back(quote + std::to_string(most + 1) + unit);
    if (least > 0) values.push_back(quote + std::to_string(least / 2) + unit);
    values.emplace_back("\"-1s\"");
    if (allowed.starts_with("integer")) values.emplace_back("1.5");
  } else if (allowed == "string") {
    keep("\"\\u0001\"");
  } else if (allowed == "true or false") {
    keep("true");
  } else if (allowed == "list of pickers") {
    values.insert(values.end(), {"[]", "[{}]", R"([{"nobody":{}}])", R"([{"random":7}])"});
  }
  return values;
}

// The words by which an error says what is allowed.
std::string AllowedText(const Parameter& parameter) {
  for (const std::string_view kind : {"integer, ", "number, ", "duration, "}) {
    if (parameter.allowed.starts_with(kind)) return parameter.allowed.substr(kind.size());
  }
  return parameter.allowed;
}

// `selectors[].keys` as "selectors[0].keys" in a path, and as {"selectors":[{"keys":…}]} in JSON.
struct Spot {
  std::string path, before, after;
};

Spot SpotOf(std::string_view name) {
  Spot spot;
  for (;;) {
    const auto list = name.find("[].");
    const std::string part(name.substr(0, list));
    spot.path += part;
    spot.before += model::Concat({"{\"", part, "\":"});
    spot.after.insert(0, "}");
    if (list == std::string_view::npos) return spot;
    spot.path += "[0].";
    spot.before += "[";
    spot.after.insert(0, "]");
    name.remove_prefix(list + 3);
  }
}

TEST(BuiltinParametersTest, EachRefusesWhatItDoesNotAllow) {
  int refused = 0;
  for (const auto& [picker, builder] : BuiltinPickerBuilders()) {
    for (const Parameter& parameter : DescribeParameters(*builder)) {
      const Spot spot = SpotOf(parameter.name);
      const std::string path = model::Concat({"turnout.picker[0].", picker, ".", spot.path});
      for (const std::string& value : Refused(parameter)) {
        const std::string error = ErrorOf(model::Concat(
            {R"({"picker":[{")", picker, "\":", spot.before, value, spot.after, "}]}"}));
        EXPECT_THAT(error, HasSubstr(path)) << value;
        ++refused;
        // Of a list the error may stand at an element, in the element's own words.
        if (error.find(path + ": ") == std::string::npos) continue;
        if (parameter.allowed == "list of pickers" && value.starts_with("[")) continue;
        EXPECT_THAT(error, HasSubstr(AllowedText(parameter))) << value;
      }
    }
  }
  EXPECT_GT(refused, 100);
}

// Where a parameter must be given, the default is refused like its absence.
TEST(BuiltinParametersTest, ToGiveTheDefaultIsToGiveNothing) {
  for (const auto& [picker, builder] : BuiltinPickerBuilders()) {
    const std::string before = model::Concat({R"({"picker":[{")", picker, "\":"});
    const std::string of_nothing = ErrorOf(before + "{}}]}");
    for (const Parameter& parameter : DescribeParameters(*builder)) {
      if (parameter.name.find("[]") != std::string::npos) continue;
      const Spot spot = SpotOf(parameter.name);
      EXPECT_EQ(
          ErrorOf(model::Concat({before, spot.before, parameter.otherwise, spot.after, "}]}"})),
          of_nothing);
    }
  }
}

// For ThreadSanitizer: picks and rebuilds share endpoints, statistics and builders.
TEST(BuildRootTest, CallsPickWhilePickersAreReplaced) {
  const auto config =
      ParsePolicyConfig("version", R"({"child":[{"round_robin":{}}],"fallback":"any"})");
  ASSERT_TRUE(config.ok()) << config.status();
  auto endpoints = MakeEndpoints(20, {"v1", "v2"});
  endpoints.push_back(testing::MakeEndpoint({.id = "app-21", .methods_off = {"ApiTest"}}));
  const auto build = [&] {
    return std::shared_ptr<const Picker>(BuildRoot(*(*config)->picker, kService, endpoints));
  };
  base::Mutex mutex;
  std::shared_ptr<const Picker> current = build();
  const auto picker = [&] {
    const base::MutexLock lock(mutex);
    return current;
  };
  std::atomic<int> wrong = 0;
  constexpr int kThreads = 8;
  std::vector<std::jthread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, version = std::string(i % 2 == 0 ? "v1" : "v2")] {
      FakePickArgs args;
      args.Version(version);
      for (int call = 0; call < 2'000; ++call) {
        const PickResult result = picker()->Pick(args);
        if (result.endpoint() == nullptr || result.endpoint()->instance().version != version) {
          ++wrong;
        }
      }
    });
  }
  for (int i = 0; i < 200; ++i) {
    std::shared_ptr<const Picker> next = build();
    const base::MutexLock lock(mutex);
    current.swap(next);
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace turnout::balance
