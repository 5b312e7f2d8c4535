#include "src/route/rule_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>

#include "src/balance/testing.h"
#include "src/model/text.h"
#include "src/route/testing.h"

namespace turnout::route {
namespace {

using model::Concat;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ParseRules;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr std::string_view kAnywhere = R"("route":{"destinations":[{}]})";

// The error of a document whose only rule has `match`, `route`, `deny`, or a destination.
std::string MatchError(std::string_view match) {
  return ErrorOf(Concat({R"({"rules":[{"name":"r","match":)", match, ",", kAnywhere, "}]}"}));
}
std::string RouteError(std::string_view route) {
  return ErrorOf(Concat({R"({"rules":[{"name":"r","route":)", route, "}]}"}));
}
std::string RouteErrorBeside(std::string_view fields) {
  return RouteError(Concat({R"({"destinations":[{}],)", fields, "}"}));
}
std::string DestinationError(std::string_view destination) {
  return RouteError(Concat({R"({"destinations":[{},)", destination, "]}"}));
}
std::string DenyError(std::string_view deny) {
  return ErrorOf(Concat({R"({"rules":[{"name":"r","deny":)", deny, "}]}"}));
}

std::string Times(std::string_view part, std::size_t count) {
  std::string list;
  for (std::size_t i = 0; i < count; ++i) list += Concat({i == 0 ? "" : ",", part});
  return list;
}

constexpr std::string_view kMatch = "rules[0].match";
constexpr std::string_view kDestination = "rules[0].route.destinations[1]";

TEST(RuleSetTest, NothingIsRight) {
  const auto rules = ParseRules("{}");
  EXPECT_THAT(rules->rules(), IsEmpty());
  EXPECT_THAT(rules->keys(), IsEmpty());
  EXPECT_EQ(rules->text(), "{}");
}

TEST(RuleSetTest, EverythingIsRead) {
  const std::string text = R"({
    "format": 1, "description": "who may call whom",
    "rules": [
      {"name": "testers", "description": "by header",
       "match": {
         "caller": {"service": "shop.app", "version": ">=2 <3", "labels": {"zone": "a"}},
         "method": {"prefix": "/shop.User/"},
         "metadata": [{"key": "a", "exact": "x"}, {"key": "b", "prefix": "y"},
                      {"key": "c", "present": false}, {"key": "d", "regex": "[0-9]+"},
                      {"key": "a", "range": {"from": -1, "to": 5}}],
         "percentage": {"key": "user", "percent": 12.5, "salt": "s"}},
       "route": {
         "destinations": [
           {"weight": 9, "version": "v2", "labels": {"lane": "blue"}, "withoutLabels": ["z", "old"],
            "labelsFromMetadata": {"lane": "turnout-lane"}},
           {"version": ">=3"}],
         "fallback": "next", "callVersion": "ignore", "picker": [{"round_robin": {}}],
         "timeout": "1.5s",
         "retry": {"maxAttempts": 3, "initialBackoff": "0.01s", "maxBackoff": "2s",
                   "backoffMultiplier": 1.5, "retryableStatusCodes": ["UNAVAILABLE", "ABORTED"]}}},
      {"name": "closed", "match": {"method": {"exact": "/shop.User/Wipe"}},
       "deny": {"status": "UNIMPLEMENTED", "message": "no more"}}],
    "default": {"deny": {}}})";
  const auto rules = ParseRules(text);
  EXPECT_EQ(rules->text(), text);
  EXPECT_THAT(rules->keys(), ElementsAre("a", "b", "c", "d", "user", "turnout-lane"));
  ASSERT_THAT(rules->rules(), SizeIs(3));

  const Rule& testers = rules->rules()[0];
  EXPECT_EQ(testers.name, "testers");
  EXPECT_EQ(testers.match.caller->service, "shop.app");
  EXPECT_EQ(testers.match.caller->version->text(), ">=2 <3");
  EXPECT_THAT(testers.match.caller->labels, ElementsAre(std::pair("zone", "a")));
  EXPECT_EQ(testers.match.method->path, "/shop.User/");
  EXPECT_FALSE(testers.match.method->exact);
  ASSERT_THAT(testers.match.metadata, SizeIs(5));
  EXPECT_EQ(std::get<Exact>(testers.match.metadata[0].condition).value, "x");
  EXPECT_EQ(std::get<Prefix>(testers.match.metadata[1].condition).value, "y");
  EXPECT_FALSE(std::get<Present>(testers.match.metadata[2].condition).present);
  EXPECT_TRUE(testers.match.metadata[3].Matches("17"));
  EXPECT_FALSE(testers.match.metadata[3].Matches("x17"));
  EXPECT_EQ(std::get<IntegerRange>(testers.match.metadata[4].condition).from, -1);
  EXPECT_EQ(std::get<IntegerRange>(testers.match.metadata[4].condition).to, 5);
  EXPECT_EQ(testers.match.metadata[4].key, 0u) << "of the same key";
  EXPECT_EQ(testers.match.percentage->key, 4u);
  EXPECT_EQ(testers.match.percentage->percent, 12.5);
  EXPECT_EQ(testers.match.percentage->salt, "s");

  ASSERT_NE(testers.route(), nullptr);
  EXPECT_EQ(testers.deny(), nullptr);
  const Route& route = *testers.route();
  ASSERT_THAT(route.destinations, SizeIs(2));
  EXPECT_EQ(route.destinations[0].weight, 9u);
  EXPECT_EQ(route.destinations[0].version->text(), "v2");
  EXPECT_THAT(route.destinations[0].labels, ElementsAre(std::pair("lane", "blue")));
  EXPECT_THAT(route.destinations[0].without_labels, ElementsAre("old", "z"));
  EXPECT_THAT(route.destinations[0].labels_from_metadata,
              ElementsAre(std::pair("lane", "turnout-lane")));
  EXPECT_EQ(route.destinations[1].weight, 1u);
  EXPECT_EQ(route.fallback, Route::Fallback::kNext);
  EXPECT_TRUE(route.ignores_call_version);
  EXPECT_NE(route.picker, nullptr);
  EXPECT_EQ(route.timeout, milliseconds(1500));
  EXPECT_EQ(route.retry->max_attempts, 3);
  EXPECT_EQ(route.retry->initial_backoff, milliseconds(10));
  EXPECT_EQ(route.retry->max_backoff, milliseconds(2000));
  EXPECT_EQ(route.retry->backoff_multiplier, 1.5);
  EXPECT_THAT(route.retry->status_codes, ElementsAre("UNAVAILABLE", "ABORTED"));

  ASSERT_NE(rules->rules()[1].deny(), nullptr);
  EXPECT_EQ(rules->rules()[1].deny()->status, absl::UnimplementedError("no more"));
  EXPECT_TRUE(rules->rules()[1].match.method->exact);

  EXPECT_EQ(rules->rules()[2].name, "default");
  EXPECT_EQ(rules->rules()[2].deny()->status,
            absl::PermissionDeniedError("denied by rule \"default\""));
}

TEST(RuleSetTest, Defaults) {
  const auto rules = ParseRules(
      R"({"rules":[{"name":"r","route":{"destinations":[{}],"retry":{"maxAttempts":2}}}]})");
  const Route& route = *rules->rules()[0].route();
  EXPECT_EQ(route.fallback, Route::Fallback::kFail);
  EXPECT_FALSE(route.ignores_call_version);
  EXPECT_EQ(route.picker, nullptr);
  EXPECT_EQ(route.timeout, std::nullopt);
  EXPECT_EQ(route.retry->initial_backoff, milliseconds(50));
  EXPECT_EQ(route.retry->max_backoff, milliseconds(1000));
  EXPECT_EQ(route.retry->backoff_multiplier, 2);
  EXPECT_THAT(route.retry->status_codes, ElementsAre("UNAVAILABLE"));
  EXPECT_FALSE(rules->rules()[0].match.caller.has_value());
}

TEST(RuleSetTest, WhatIsNoDocument) {
  EXPECT_THAT(ErrorOf(""), StartsWith("document: "));
  EXPECT_THAT(ErrorOf("{"), StartsWith("document: "));
  EXPECT_EQ(ErrorOf("[1]"), "document: must be an object, got [1]");
  EXPECT_EQ(ErrorOf("null"), "document: must be an object, got null");
  EXPECT_THAT(ErrorOf(R"({"rules":[],"rules":[]})"), StartsWith("document: "));
  EXPECT_THAT(ErrorOf("{\"rules\":\"\xff\"}"), StartsWith("document: "));
  const std::string padding(RuleSet::kMostBytes - 2, ' ');
  EXPECT_EQ(ErrorOf("{" + padding + "}"), "");
  EXPECT_EQ(ErrorOf("{" + padding + " }"), "document: must have at most 262144 bytes, got 262145");
}

TEST(RuleSetTest, UnknownFieldsAreErrorsEverywhere) {
  EXPECT_EQ(ErrorOf(R"({"rule":[]})"),
            "rule: unknown field; allowed: format, description, rules, default; did you mean "
            "rules?");
  EXPECT_EQ(ErrorOf(Concat({R"({"rules":[{"name":"r","to":1,)", kAnywhere, "}]}"})),
            "rules[0].to: unknown field; allowed: name, description, match, route, deny");
  EXPECT_EQ(ErrorOf(Concat({R"({"default":{"match":{},)", kAnywhere, "}}"})),
            "default.match: unknown field; allowed: route, deny");
  EXPECT_EQ(MatchError(R"({"x":1})"),
            "rules[0].match.x: unknown field; allowed: caller, method, metadata, percentage");
  EXPECT_EQ(MatchError(R"({"caller":{"version":"v1","x":1}})"),
            "rules[0].match.caller.x: unknown field; allowed: service, version, labels");
  EXPECT_EQ(MatchError(R"({"method":{"prefix":"/a","x":1}})"),
            "rules[0].match.method.x: unknown field; allowed: exact, prefix");
  EXPECT_EQ(MatchError(R"({"metadata":[{"key":"a","exact":"","x":1}]})"),
            "rules[0].match.metadata[0].x: unknown field; allowed: key, exact, prefix, present, "
            "regex, range");
  EXPECT_EQ(MatchError(R"({"metadata":[{"key":"a","range":{"from":1,"x":1}}]})"),
            "rules[0].match.metadata[0].range.x: unknown field; allowed: from, to");
  EXPECT_EQ(MatchError(R"({"percentage":{"key":"a","percent":1,"x":1}})"),
            "rules[0].match.percentage.x: unknown field; allowed: key, percent, salt");
  EXPECT_EQ(RouteErrorBeside(R"("x":1)"),
            "rules[0].route.x: unknown field; allowed: destinations, fallback, callVersion, "
            "picker, timeout, retry");
  EXPECT_EQ(DestinationError(R"({"x":1})"),
            Concat({kDestination,
                    ".x: unknown field; allowed: weight, version, labels, "
                    "withoutLabels, labelsFromMetadata"}));
  EXPECT_EQ(RouteErrorBeside(R"("retry":{"maxAttempts":2,"x":1})"),
            "rules[0].route.retry.x: unknown field; allowed: maxAttempts, initialBackoff, "
            "maxBackoff, backoffMultiplier, retryableStatusCodes");
  EXPECT_EQ(DenyError(R"({"x":1})"), "rules[0].deny.x: unknown field; allowed: status, message");
}

TEST(RuleSetTest, OneWrongTypeIsOneError) {
  EXPECT_EQ(ErrorOf(R"({"format":"1"})"), "format: must be an integer, 1 to 1, got \"1\"");
  EXPECT_EQ(ErrorOf(R"({"format":2})"), "format: must be 1 to 1, got 2");
  EXPECT_EQ(ErrorOf(R"({"description":1})"), "description: must be a string, got 1");
  EXPECT_EQ(ErrorOf(R"({"rules":{}})"), "rules: must be a list of objects, got {}");
  EXPECT_EQ(ErrorOf(R"({"rules":[7]})"), "rules[0]: must be an object, got 7");
  EXPECT_EQ(ErrorOf(R"({"default":[]})"), "default: must be an object, got []");
  EXPECT_EQ(ErrorOf(Concat({R"({"rules":[{"name":7,)", kAnywhere, "}]}"})),
            "rules[0].name: must be a string, got 7");
  EXPECT_EQ(ErrorOf(Concat({R"({"rules":[{"name":"r","description":7,)", kAnywhere, "}]}"})),
            "rules[0].description: must be a string, got 7");
  EXPECT_EQ(MatchError("[]"), "rules[0].match: must be an object, got []");
  const auto match = [](std::string_view field, std::string_view value) {
    return MatchError(Concat({"{\"", field, "\":", value, "}"}));
  };
  EXPECT_EQ(match("caller", "1"), Concat({kMatch, ".caller: must be an object, got 1"}));
  EXPECT_EQ(match("caller", R"({"service":1})"),
            Concat({kMatch, ".caller.service: must be a string, got 1"}));
  EXPECT_EQ(match("caller", R"({"version":1})"),
            Concat({kMatch, ".caller.version: must be a string, got 1"}));
  EXPECT_THAT(match("caller", R"({"version":"v1","labels":{"a":1}})"),
              Concat({kMatch, ".caller.labels: must be an object of strings, got {\"a\":1}"}));
  EXPECT_EQ(match("method", R"({"exact":1})"),
            Concat({kMatch, ".method.exact: must be a string, got 1"}));
  EXPECT_EQ(match("method", R"({"prefix":1})"),
            Concat({kMatch, ".method.prefix: must be a string, got 1"}));
  EXPECT_EQ(match("metadata", "{}"),
            Concat({kMatch, ".metadata: must be a list of objects, got {}"}));
  const auto metadata = [&match](std::string_view field, std::string_view value) {
    return match("metadata", Concat({R"([{"key":"a",")", field, "\":", value, "}]"}));
  };
  EXPECT_EQ(match("metadata", R"([{"key":1,"exact":"a"}])"),
            Concat({kMatch, ".metadata[0].key: must be a string, got 1"}));
  EXPECT_EQ(metadata("exact", "1"),
            Concat({kMatch, ".metadata[0].exact: must be a string, got 1"}));
  EXPECT_EQ(metadata("prefix", "1"),
            Concat({kMatch, ".metadata[0].prefix: must be a string, got 1"}));
  EXPECT_EQ(metadata("present", "1"),
            Concat({kMatch, ".metadata[0].present: must be true or false, got 1"}));
  EXPECT_EQ(metadata("regex", "1"),
            Concat({kMatch, ".metadata[0].regex: must be a string, got 1"}));
  EXPECT_EQ(metadata("range", "1"),
            Concat({kMatch, ".metadata[0].range: must be an object, got 1"}));
  EXPECT_EQ(metadata("range", R"({"from":"1"})"),
            Concat({kMatch,
                    ".metadata[0].range.from: must be an integer, -9223372036854775808 to "
                    "9223372036854775807, got \"1\""}));
  EXPECT_EQ(match("percentage", R"({"key":"a","percent":"1"})"),
            Concat({kMatch, ".percentage.percent: must be a number, 0.0 to 100.0, got \"1\""}));
  EXPECT_EQ(match("percentage", R"({"key":"a","percent":1,"salt":2})"),
            Concat({kMatch, ".percentage.salt: must be a string, got 2"}));
  EXPECT_EQ(RouteErrorBeside(R"("fallback":1)"),
            "rules[0].route.fallback: must be one of fail, next, any, got 1");
  EXPECT_EQ(RouteErrorBeside(R"("callVersion":"obey")"),
            "rules[0].route.callVersion: must be one of within, ignore, got \"obey\"");
  EXPECT_EQ(RouteErrorBeside(R"("timeout":1)"),
            "rules[0].route.timeout: must be a string of seconds like \"1.5s\", 0.001s to 3600s, "
            "got 1");
  EXPECT_EQ(DestinationError("1"), Concat({kDestination, ": must be an object, got 1"}));
  EXPECT_EQ(DestinationError(R"({"weight":"1"})"),
            Concat({kDestination, ".weight: must be an integer, 0 to 1000000, got \"1\""}));
  EXPECT_EQ(DestinationError(R"({"withoutLabels":"a"})"),
            Concat({kDestination, ".withoutLabels: must be a list of strings, got \"a\""}));
  EXPECT_EQ(
      DestinationError(R"({"labelsFromMetadata":["a"]})"),
      Concat({kDestination, ".labelsFromMetadata: must be an object of strings, got [\"a\"]"}));
  EXPECT_EQ(DenyError("1"), "rules[0].deny: must be an object, got 1");
  EXPECT_EQ(DenyError(R"({"message":1})"), "rules[0].deny.message: must be a string, got 1");
}

TEST(RuleSetTest, NamesAreThereAndDiffer) {
  const auto named = [](std::string_view name) {
    return ErrorOf(
        Concat({"{\"rules\":[{", name, kAnywhere, R"(},{"name":"b",)", kAnywhere, "}]}"}));
  };
  EXPECT_EQ(named(R"("name":"a",)"), "");
  EXPECT_EQ(named(""), "rules[0].name: missing");
  EXPECT_EQ(named(R"("name":"",)"),
            "rules[0].name: must be 1 to 256 bytes and not \"default\", got \"\"");
  EXPECT_EQ(named(R"("name":"default",)"),
            "rules[0].name: must be 1 to 256 bytes and not \"default\", got \"default\"");
  EXPECT_EQ(named(Concat({R"("name":")", std::string(256, 'n'), "\","})), "");
  EXPECT_THAT(named(Concat({R"("name":")", std::string(257, 'n'), "\","})),
              StartsWith("rules[0].name: must be 1 to 256 bytes"));
  EXPECT_EQ(named(R"("name":"b",)"),
            "rules[1].name: must be another one than those of the rules before, got \"b\"");
}

TEST(RuleSetTest, ARuleHasARouteOrADenial) {
  EXPECT_EQ(ErrorOf(R"({"rules":[{"name":"r"}]})"),
            "rules[0].route: missing; a rule has either route or deny");
  EXPECT_EQ(ErrorOf(R"({"default":{}})"),
            "default.route: missing; a rule has either route or deny");
  EXPECT_EQ(ErrorOf(Concat({R"({"default":{"deny":{},)", kAnywhere, "}}"})),
            "default.deny: must not stand beside route");
}

TEST(RuleSetTest, Callers) {
  EXPECT_EQ(MatchError(R"({"caller":{}})"),
            "rules[0].match.caller.service: missing; a caller has one or more of service, version, "
            "labels");
  EXPECT_EQ(MatchError(R"({"caller":{"labels":{}}})"),
            "rules[0].match.caller.service: missing; a caller has one or more of service, version, "
            "labels");
  EXPECT_EQ(MatchError(R"({"caller":{"service":"a b"}})"),
            "rules[0].match.caller.service: must be a service's name, dotted, of [A-Za-z0-9_-], "
            "got \"a b\"");
  EXPECT_EQ(MatchError(R"({"caller":{"version":">=x"}})"),
            "rules[0].match.caller.version: must be comparisons with semantic versions like "
            "\">=2.1 <3\", got \">=x\" in it");
  EXPECT_EQ(MatchError(R"({"caller":{"labels":{"":"x"}}})"),
            "rules[0].match.caller.labels: must not have an empty label");
}

TEST(RuleSetTest, Methods) {
  EXPECT_EQ(MatchError(R"({"method":{}})"),
            "rules[0].match.method.exact: missing; give one of exact, prefix");
  EXPECT_EQ(MatchError(R"({"method":{"exact":"/a/B","prefix":"/a"}})"),
            "rules[0].match.method.prefix: is one too many of exact, prefix");
  for (const char* const bad : {"", "a/B", "/a", "/a/B/C"}) {
    EXPECT_EQ(MatchError(Concat({R"({"method":{"exact":")", bad, "\"}}"})),
              Concat({"rules[0].match.method.exact: must be like /package.Service/Method, got \"",
                      bad, "\""}));
  }
  EXPECT_EQ(MatchError(R"({"method":{"prefix":"a"}})"),
            "rules[0].match.method.prefix: must begin with a slash, like /package.Service/, got "
            "\"a\"");
  EXPECT_EQ(MatchError(R"({"method":{"prefix":"/"}})"), "");
}

TEST(RuleSetTest, MetadataConditions) {
  EXPECT_EQ(MatchError(R"({"metadata":[{"exact":"a"}]})"),
            "rules[0].match.metadata[0].key: missing");
  for (const char* const bad : {"", "A", "a b", "a-bin"}) {
    EXPECT_EQ(MatchError(Concat({R"({"metadata":[{"key":")", bad, R"(","exact":"a"}]})"})),
              Concat({"rules[0].match.metadata[0].key: must be a metadata key of [a-z0-9._-] that "
                      "does not end in -bin, got \"",
                      bad, "\""}));
  }
  EXPECT_EQ(MatchError(R"({"metadata":[{"key":"a"}]})"),
            "rules[0].match.metadata[0].exact: missing; give one of exact, prefix, present, regex, "
            "range");
  EXPECT_EQ(MatchError(R"({"metadata":[{"key":"a","prefix":"x","regex":"y"}]})"),
            "rules[0].match.metadata[0].regex: is one too many of exact, prefix, present, regex, "
            "range");
  EXPECT_EQ(MatchError(R"({"metadata":[{"key":"a","range":{}}]})"),
            "rules[0].match.metadata[0].range.from: missing; a range has from, to, or both");
  EXPECT_EQ(MatchError(R"({"metadata":[{"key":"a","range":{"from":2,"to":1}}]})"),
            "rules[0].match.metadata[0].range.to: must be at least from (2), got 1");
  EXPECT_EQ(MatchError(R"({"metadata":[{"key":"a","range":{"from":2,"to":2}}]})"), "");
  const std::string condition = R"({"key":"a","exact":"x"})";
  EXPECT_EQ(MatchError(Concat({R"({"metadata":[)", Times(condition, 32), "]}"})), "");
  EXPECT_EQ(MatchError(Concat({R"({"metadata":[)", Times(condition, 33), "]}"})),
            "rules[0].match.metadata: must have at most 32, got 33");
}

TEST(RuleSetTest, RegularExpressions) {
  const auto error = [](std::string_view pattern) {
    return MatchError(Concat({R"({"metadata":[{"key":"a","regex":")", pattern, "\"}]}"}));
  };
  EXPECT_EQ(error("(a|b)+"), "");
  EXPECT_EQ(error("(a"),
            "rules[0].match.metadata[0].regex: must be a regular expression (RE2), got \"(a\": "
            "missing ): (a");
  EXPECT_THAT(error(R"((?=a))"), HasSubstr("invalid perl operator")) << "RE2 has no look-ahead";
  EXPECT_THAT(error("((a{100}){100}){100}"), HasSubstr("must be a regular expression"));
  EXPECT_THAT(error(R"([\u001b)"), HasSubstr(R"(got "[\x1b": missing ]: [\x1b)"));
  EXPECT_THAT(error("(" + std::string(10'000, 'a')), SizeIs(::testing::Lt(400u)));
}

// Compiling them may take a while.
TEST(RuleSetTest, RegularExpressionsAreCounted) {
  const std::string match =
      Concat({R"({"metadata":[)", Times(R"({"key":"a","regex":"x"})", 32), "]}"});
  const auto with = [&match](std::string_view further) {
    return ErrorOf(
        Concat({R"({"rules":[{"name":"a","match":)", match, R"(,"deny":{}},{"name":"b","match":)",
                match, R"(,"deny":{}})", further, "]}"}));
  };
  EXPECT_EQ(with(""), "");
  EXPECT_EQ(with(R"(,{"name":"c","match":{"metadata":[{"key":"a","regex":"x"}]},"deny":{}})"),
            "rules[2].match.metadata[0].regex: is one too many: a document has at most 64 regular "
            "expressions");
}

TEST(RuleSetTest, Percentages) {
  EXPECT_EQ(MatchError(R"({"percentage":{"percent":1}})"),
            "rules[0].match.percentage.key: missing");
  EXPECT_EQ(MatchError(R"({"percentage":{"key":"a"}})"),
            "rules[0].match.percentage.percent: missing");
  EXPECT_EQ(MatchError(R"({"percentage":{"key":"a","percent":100.5}})"),
            "rules[0].match.percentage.percent: must be 0.0 to 100.0, got 100.5");
  EXPECT_EQ(MatchError(R"({"percentage":{"key":"a","percent":-1}})"),
            "rules[0].match.percentage.percent: must be 0.0 to 100.0, got -1");
  EXPECT_EQ(
      MatchError(R"({"percentage":{"key":"A","percent":1}})"),
      "rules[0].match.percentage.key: must be a metadata key of [a-z0-9._-] that does not end "
      "in -bin, got \"A\"");
}

TEST(RuleSetTest, Destinations) {
  EXPECT_EQ(RouteError("{}"), "rules[0].route.destinations: missing; {} is any instance");
  std::string rules;
  for (int i = 0; i < 11; ++i) {
    rules += Concat({i == 0 ? "" : ",", R"({"name":"r)", std::to_string(i),
                     R"(","route":{"destinations":[{})"});
    for (int k = 1; k < (i < 10 ? 100 : 1); ++k) rules += ",{}";
    rules += "]}}";
  }
  EXPECT_EQ(ErrorOf(Concat({R"({"rules":[)", rules, "]}"})),
            "rules[10].route.destinations: are too many: a document has at most 1000 destinations");
  EXPECT_EQ(RouteError(R"({"destinations":[]})"),
            "rules[0].route.destinations: missing; {} is any instance");
  EXPECT_EQ(RouteError(R"({"destinations":[{"weight":0},{"weight":0}]})"),
            "rules[0].route.destinations: must have one whose weight is not 0");
  EXPECT_EQ(DestinationError(R"({"weight":0})"), "");
  EXPECT_EQ(DestinationError(R"({"weight":1000000})"), "");
  EXPECT_EQ(DestinationError(R"({"weight":1000001})"),
            Concat({kDestination, ".weight: must be 0 to 1000000, got 1000001"}));
  EXPECT_EQ(DestinationError(R"({"weight":-1})"),
            Concat({kDestination, ".weight: must be 0 to 1000000, got -1"}));
  EXPECT_EQ(DestinationError(R"({"version":""})"),
            Concat({kDestination,
                    ".version: must be 1 to 256 bytes without control characters, got \"\""}));
  EXPECT_EQ(DestinationError(R"({"labels":{"":"x"}})"),
            Concat({kDestination, ".labels: must not have an empty label"}));
  EXPECT_EQ(DestinationError(R"({"withoutLabels":["a",""]})"),
            Concat({kDestination, ".withoutLabels: must not have an empty label"}));
  EXPECT_EQ(DestinationError(R"({"labelsFromMetadata":{"":"a"}})"),
            Concat({kDestination, ".labelsFromMetadata: must not have an empty label"}));
  EXPECT_EQ(DestinationError(R"({"labelsFromMetadata":{"a":"B"}})"),
            Concat({kDestination,
                    ".labelsFromMetadata: must be a metadata key of [a-z0-9._-] that "
                    "does not end in -bin, got \"B\""}));
  EXPECT_EQ(RouteError(Concat({R"({"destinations":[)", Times("{}", 100), "]}"})), "");
  EXPECT_EQ(RouteError(Concat({R"({"destinations":[)", Times("{}", 101), "]}"})),
            "rules[0].route.destinations: must have at most 100, got 101");
}

// Many labels may have their value from one key: they are counted, too.
TEST(RuleSetTest, LabelsFromMetadataAreLimited) {
  const auto labels = [](int count) {
    std::string list;
    for (int i = 0; i < count; ++i) {
      list += Concat({i == 0 ? "" : ",", "\"l", std::to_string(i), R"(":"key")"});
    }
    return DestinationError(Concat({R"({"labelsFromMetadata":{)", list, "}}"}));
  };
  EXPECT_EQ(labels(32), "");
  EXPECT_EQ(labels(33),
            Concat({kDestination, ".labelsFromMetadata: must have at most 32, got 33"}));
}

TEST(RuleSetTest, Pickers) {
  EXPECT_EQ(RouteErrorBeside(R"("picker":[{"least_request":{"choiceCount":1}}])"),
            "rules[0].route.picker[0].least_request.choiceCount: must be 2 to 10, got 1");
  EXPECT_THAT(RouteErrorBeside(R"("picker":[{"of_the_future":{}}])"),
              StartsWith("rules[0].route.picker: "));
  EXPECT_EQ(RouteErrorBeside(R"("picker":{})"),
            "rules[0].route.picker: must be a list of pickers, got {}");
}

TEST(RuleSetTest, TimeoutsAndRetries) {
  EXPECT_EQ(RouteErrorBeside(R"("timeout":"0s")"),
            "rules[0].route.timeout: must be 0.001s to 3600s, got \"0s\"");
  EXPECT_EQ(RouteErrorBeside(R"("timeout":"3600s")"), "");
  EXPECT_EQ(RouteErrorBeside(R"("timeout":"3601s")"),
            "rules[0].route.timeout: must be 0.001s to 3600s, got \"3601s\"");
  const auto retry = [](std::string_view fields) {
    return RouteErrorBeside(Concat({R"("retry":{)", fields, "}"}));
  };
  EXPECT_EQ(retry(""), "rules[0].route.retry.maxAttempts: missing");
  EXPECT_EQ(retry(R"("maxAttempts":1)"), "");
  EXPECT_EQ(retry(R"("maxAttempts":0)"), "rules[0].route.retry.maxAttempts: must be 1 to 5, got 0");
  EXPECT_EQ(retry(R"("maxAttempts":6)"), "rules[0].route.retry.maxAttempts: must be 1 to 5, got 6");
  EXPECT_EQ(retry(R"("maxAttempts":2,"initialBackoff":"0s")"),
            "rules[0].route.retry.initialBackoff: must be 0.001s to 3600s, got \"0s\"");
  EXPECT_EQ(retry(R"("maxAttempts":2,"maxBackoff":"1")"),
            "rules[0].route.retry.maxBackoff: must be a string of seconds like \"1.5s\", 0.001s to "
            "3600s, got \"1\"");
  EXPECT_EQ(retry(R"("maxAttempts":2,"backoffMultiplier":0)"),
            "rules[0].route.retry.backoffMultiplier: must be 0.001 to 1000.0, got 0");
  EXPECT_EQ(retry(R"("maxAttempts":2,"retryableStatusCodes":["OK"])"),
            "rules[0].route.retry.retryableStatusCodes: must be names of gRPC's status codes such "
            "as UNAVAILABLE, got \"OK\"");
  EXPECT_EQ(retry(R"("maxAttempts":2,"retryableStatusCodes":["CANCELLED","UNKNOWN",
    "INVALID_ARGUMENT","DEADLINE_EXCEEDED","NOT_FOUND","ALREADY_EXISTS","PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED","FAILED_PRECONDITION","ABORTED","OUT_OF_RANGE","UNIMPLEMENTED","INTERNAL",
    "UNAVAILABLE","DATA_LOSS","UNAUTHENTICATED"])"),
            "");
}

// gRFC A54: others would reach the application as INTERNAL.
TEST(RuleSetTest, DenialsHaveCodesThatGrpcLetsThrough) {
  const std::pair<const char*, absl::StatusCode> kAllowed[] = {
      {"CANCELLED", absl::StatusCode::kCancelled},
      {"UNKNOWN", absl::StatusCode::kUnknown},
      {"DEADLINE_EXCEEDED", absl::StatusCode::kDeadlineExceeded},
      {"PERMISSION_DENIED", absl::StatusCode::kPermissionDenied},
      {"RESOURCE_EXHAUSTED", absl::StatusCode::kResourceExhausted},
      {"UNIMPLEMENTED", absl::StatusCode::kUnimplemented},
      {"INTERNAL", absl::StatusCode::kInternal},
      {"UNAVAILABLE", absl::StatusCode::kUnavailable},
      {"UNAUTHENTICATED", absl::StatusCode::kUnauthenticated}};
  for (const auto& [name, code] : kAllowed) {
    const auto rules = ParseRules(Concat({R"({"default":{"deny":{"status":")", name, "\"}}}"}));
    EXPECT_EQ(rules->rules()[0].deny()->status.code(), code) << name;
  }
  for (const char* const name : {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS",
                                 "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "DATA_LOSS"}) {
    EXPECT_EQ(DenyError(Concat({R"({"status":")", name, "\"}"})),
              Concat({"rules[0].deny.status: must be one of PERMISSION_DENIED, UNAVAILABLE, "
                      "UNAUTHENTICATED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, CANCELLED, "
                      "DEADLINE_EXCEEDED, INTERNAL, UNKNOWN, got \"",
                      name, "\""}));
  }
  EXPECT_EQ(DenyError(Concat({R"({"message":")", std::string(1024, 'x'), "\"}"})), "");
  EXPECT_EQ(DenyError(Concat({R"({"message":")", std::string(1025, 'x'), "\"}"})),
            "rules[0].deny.message: must be at most 1024 bytes, got 1025");
}

TEST(RuleSetTest, HowManyRulesAndKeys) {
  const auto rules = [](std::size_t count) {
    std::string list;
    for (std::size_t i = 0; i < count; ++i) {
      list += Concat({i == 0 ? "" : ",", R"({"name":"r)", std::to_string(i), R"(","deny":{}})"});
    }
    return ErrorOf(Concat({R"({"rules":[)", list, "]}"}));
  };
  EXPECT_EQ(rules(500), "");
  EXPECT_EQ(rules(501), "rules: must have at most 500, got 501");
  // 31 keys in conditions, and two that only a destination looks at.
  std::string conditions;
  for (int i = 0; i < 31; ++i) {
    conditions +=
        Concat({i == 0 ? "" : ",", R"({"key":"k)", std::to_string(i), R"(","exact":""})"});
  }
  const auto keys = [&conditions](std::string_view labels) {
    return ErrorOf(
        Concat({R"({"rules":[{"name":"r","match":{"metadata":[)", conditions,
                R"(]},"route":{"destinations":[{"labelsFromMetadata":{)", labels, "}}]}}]}"}));
  };
  EXPECT_EQ(keys(R"("a":"k0","b":"k31","c":"k31")"), "");
  EXPECT_EQ(keys(R"("a":"k31","b":"k32")"),
            "rules[0].route.destinations[0].labelsFromMetadata: is one too many: a document looks "
            "at no more than 32 different metadata keys");
}

TEST(RuleSetTest, AllErrorsAreReported) {
  EXPECT_EQ(ErrorOf(R"({"format":2,"rules":[{"name":"r","deny":{"status":"OK"}}],"x":1})"),
            "3 errors: (1) format: must be 1 to 1, got 2 (2) rules[0].deny.status: must be one of "
            "PERMISSION_DENIED, UNAVAILABLE, UNAUTHENTICATED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, "
            "CANCELLED, DEADLINE_EXCEEDED, INTERNAL, UNKNOWN, got \"OK\" (3) x: unknown field; "
            "allowed: format, description, rules, default");
}

Destination ParseDestination(std::string_view text) {
  return ParseRules(Concat({R"({"default":{"route":{"destinations":[)", text, "]}}}"}))
      ->rules()[0]
      .route()
      ->destinations[0];
}

TEST(DestinationTest, WhoBelongsToIt) {
  Instance instance;
  instance.version = "v2.1";
  instance.metadata = {{"lane", "blue"}, {"zone", "a"}};
  EXPECT_TRUE(ParseDestination("{}").Matches(instance));
  EXPECT_TRUE(ParseDestination(R"({"version":"v2.1"})").Matches(instance));
  EXPECT_FALSE(ParseDestination(R"({"version":"v2"})").Matches(instance));
  EXPECT_TRUE(ParseDestination(R"({"version":">=2 <3"})").Matches(instance));
  EXPECT_TRUE(ParseDestination(R"({"labels":{"lane":"blue","zone":"a"}})").Matches(instance));
  EXPECT_FALSE(ParseDestination(R"({"labels":{"lane":"blue","zone":"b"}})").Matches(instance));
  EXPECT_FALSE(ParseDestination(R"({"labels":{"stage":""}})").Matches(instance));
  EXPECT_TRUE(ParseDestination(R"({"withoutLabels":["stage"]})").Matches(instance));
  EXPECT_FALSE(ParseDestination(R"({"withoutLabels":["stage","lane"]})").Matches(instance));
  EXPECT_TRUE(ParseDestination(R"({"labelsFromMetadata":{"stage":"stage"}})").Matches(instance))
      << "that depends on the call";
  EXPECT_TRUE(ParseDestination(R"({"labels":{"version":"v2.1"}})").Matches(instance));
  EXPECT_FALSE(ParseDestination(R"({"labels":{"version":"v2"}})").Matches(instance));
  EXPECT_FALSE(ParseDestination(R"({"withoutLabels":["version"]})").Matches(instance));
}

TEST(DestinationTest, InWords) {
  EXPECT_EQ(ParseDestination("{}").ToString(), "any version");
  EXPECT_EQ(ParseDestination(R"({"version":">=2"})").ToString(), "version >=2");
  EXPECT_EQ(ParseDestination(R"({"version":"v2","labels":{"a":"b","c":""},"withoutLabels":["d"],
                                "labelsFromMetadata":{"lane":"turnout-lane"}})")
                .ToString(),
            "version v2, a=b, c=\"\", no d, lane=(metadata turnout-lane)");
}

TEST(DestinationTest, KeysTellDestinationsApart) {
  const auto key = [](std::string_view text) { return ParseDestination(text).Key(); };
  EXPECT_EQ(key(R"({"weight":1,"version":"v2"})"), key(R"({"weight":2,"version":"v2"})"));
  EXPECT_EQ(key(R"({"withoutLabels":["a","b"]})"), key(R"({"withoutLabels":["b","a"]})"));
  const std::string long_text(100, 'x');
  const std::string documents[] = {"{}",
                                   R"({"version":"v2"})",
                                   R"({"version":"v2\", no \"a"})",
                                   R"({"version":"v2","withoutLabels":["a"]})",
                                   R"({"version":"v2","labels":{"a":"b"}})",
                                   R"({"labels":{"a":"b"}})",
                                   R"({"labels":{"a":"b, \"c\"=\"d"}})",
                                   R"({"labels":{"a":"b","c":"d"}})",
                                   R"({"labels":{"a\"=\"b":"c"}})",
                                   R"({"labels":{"a":"b\"=\"c"}})",
                                   R"({"withoutLabels":["a"]})",
                                   R"({"withoutLabels":["a","b"]})",
                                   R"({"withoutLabels":["a, no b"]})",
                                   R"({"labelsFromMetadata":{"a":"b"}})",
                                   R"x({"labels":{"a":"(metadata b)"}})x",
                                   Concat({R"({"version":")", long_text, "1\"}"}),
                                   Concat({R"({"version":")", long_text, "2\"}"})};
  std::map<std::string, std::string> seen;
  for (const std::string& document : documents) {
    const auto [other, added] = seen.emplace(key(document), document);
    EXPECT_TRUE(added) << document << " and " << other->second;
  }
}

}  // namespace
}  // namespace turnout::route
