#include "turnout/config_reader.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "src/balance/config_place.h"

namespace turnout {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

// What `read` makes of `text`, and the errors.
template <typename T>
struct Outcome {
  T value;
  std::string errors;
};

template <typename Read>
auto Reading(std::string_view text, Read read) {
  std::vector<std::string> errors;
  const json object = json::parse(text);
  Outcome<decltype(read(std::declval<ConfigReader&>()))> outcome;
  balance::ReadObject(object, {.path = "p", .errors = &errors},
                      [&](ConfigReader& reader) { outcome.value = read(reader); });
  outcome.errors = std::string{balance::ToStatus(errors).message()};
  return outcome;
}

auto Integer(std::string_view text) {
  return Reading(text, [](ConfigReader& reader) {
    return reader.Integer("n", {.otherwise = 2, .least = 2, .most = 10});
  });
}

TEST(ConfigReaderTest, Integers) {
  EXPECT_EQ(Integer("{}").value, 2);
  EXPECT_EQ(Integer(R"({"n":10})").value, 10);
  EXPECT_EQ(Integer(R"({"n":3.0})").value, 3);
  EXPECT_EQ(Integer(R"({"n":3.0})").errors, "");
  EXPECT_EQ(Integer(R"({"n":1})").errors, "p.n: must be 2 to 10, got 1");
  EXPECT_EQ(Integer(R"({"n":11})").value, 2);
  EXPECT_EQ(Integer(R"({"n":-9223372036854775808})").errors,
            "p.n: must be 2 to 10, got -9223372036854775808");
  EXPECT_EQ(Integer(R"({"n":18446744073709551615})").errors,
            "p.n: must be 2 to 10, got 18446744073709551615");
  EXPECT_EQ(Integer(R"({"n":2.5})").errors, "p.n: must be an integer, 2 to 10, got 2.5");
  EXPECT_EQ(Integer(R"({"n":1e300})").errors, "p.n: must be an integer, 2 to 10, got 1e+300");
  EXPECT_EQ(Integer(R"({"n":"3"})").errors, "p.n: must be an integer, 2 to 10, got \"3\"");
  EXPECT_EQ(Integer(R"({"n":null})").errors, "p.n: must be an integer, 2 to 10, got null");
}

TEST(ConfigReaderTest, Numbers) {
  const auto number = [](std::string_view text) {
    return Reading(text, [](ConfigReader& reader) {
      return reader.Number("x", {.otherwise = 0.5, .least = 0, .most = 1.5});
    });
  };
  EXPECT_EQ(number("{}").value, 0.5);
  EXPECT_EQ(number(R"({"x":1})").value, 1);
  EXPECT_EQ(number(R"({"x":1.25})").value, 1.25);
  EXPECT_EQ(number(R"({"x":1.75})").errors, "p.x: must be 0.0 to 1.5, got 1.75");
  EXPECT_EQ(number(R"({"x":true})").errors, "p.x: must be a number, 0.0 to 1.5, got true");
}

TEST(ConfigReaderTest, BoolsAndStrings) {
  const auto boolean = [](std::string_view text) {
    return Reading(text, [](ConfigReader& reader) { return reader.Bool("b", true); });
  };
  EXPECT_TRUE(boolean("{}").value);
  EXPECT_FALSE(boolean(R"({"b":false})").value);
  EXPECT_EQ(boolean(R"({"b":0})").errors, "p.b: must be true or false, got 0");

  const auto text = [](std::string_view json_text) {
    return Reading(json_text, [](ConfigReader& reader) { return reader.String("s", "x"); });
  };
  EXPECT_EQ(text("{}").value, "x");
  EXPECT_EQ(text(R"({"s":"y"})").value, "y");
  EXPECT_EQ(text(R"({"s":["y"]})").errors, "p.s: must be a string, got [\"y\"]");
}

TEST(ConfigReaderTest, Choices) {
  const auto choice = [](std::string_view text) {
    return Reading(text, [](ConfigReader& reader) {
      constexpr std::string_view kAllowed[] = {"red", "green"};
      return reader.Choice("c", kAllowed, 1);
    });
  };
  EXPECT_EQ(choice("{}").value, 1u);
  EXPECT_EQ(choice(R"({"c":"red"})").value, 0u);
  EXPECT_EQ(choice(R"({"c":"blue"})").errors, "p.c: must be one of red, green, got \"blue\"");
  EXPECT_EQ(choice(R"({"c":0})").errors, "p.c: must be one of red, green, got 0");
}

auto Duration(std::string_view text) {
  return Reading(text, [](ConfigReader& reader) {
    return reader.Duration(
        "d",
        {.otherwise = milliseconds(7), .least = milliseconds(1), .most = milliseconds(61'050)});
  });
}

TEST(ConfigReaderTest, Durations) {
  EXPECT_EQ(Duration("{}").value, milliseconds(7));
  EXPECT_EQ(Duration(R"({"d":"1s"})").value, milliseconds(1000));
  EXPECT_EQ(Duration(R"({"d":"1.5s"})").value, milliseconds(1500));
  EXPECT_EQ(Duration(R"({"d":"0.001s"})").value, milliseconds(1));
  EXPECT_EQ(Duration(R"({"d":"61.050s"})").value, milliseconds(61'050));
  EXPECT_EQ(Duration(R"({"d":"0s"})").errors, "p.d: must be 0.001s to 61.05s, got \"0s\"");
  EXPECT_EQ(Duration(R"({"d":"0.000999999s"})").errors,
            "p.d: must be 0.001s to 61.05s, got \"0.000999999s\"");
  EXPECT_EQ(Duration(R"({"d":"62s"})").errors, "p.d: must be 0.001s to 61.05s, got \"62s\"");
}

TEST(ConfigReaderTest, DurationsAreStringsOfSeconds) {
  for (const char* const bad : {"1", "s", "", "1.s", ".5s", "-1s", "+1s", "1m", "1s ",
                                "1.0000000001s", "1e3s", "9999999999s"}) {
    EXPECT_EQ(Duration(json{{"d", bad}}.dump()).errors,
              R"(p.d: must be a string of seconds like "1.5s", 0.001s to 61.05s, got ")" +
                  std::string(bad) + "\"");
  }
  EXPECT_EQ(Duration(R"({"d":1.5})").errors,
            R"(p.d: must be a string of seconds like "1.5s", 0.001s to 61.05s, got 1.5)");
}

TEST(ConfigReaderTest, UnknownFieldsAreErrors) {
  EXPECT_EQ(Integer(R"({"m":1})").errors, "p.m: unknown field; allowed: n");
  const auto none = Reading(R"({"m":1})", [](ConfigReader&) { return 0; });
  EXPECT_EQ(none.errors, "p.m: unknown field; none is allowed here");
  const auto misspelt = Reading(R"({"chidl":1})", [](ConfigReader& reader) {
    reader.String("key", "");
    reader.String("child", "");
    return reader.String("key", "");
  });
  EXPECT_EQ(misspelt.errors, "p.chidl: unknown field; allowed: key, child; did you mean child?");
}

TEST(ConfigReaderTest, AllErrorsAreReported) {
  const auto outcome = Reading(R"({"a":1,"b":2,"z":3})", [](ConfigReader& reader) {
    reader.Error("a", "must be even, got 1");
    reader.Bool("b", false);
    return reader.Bool("a", false);
  });
  EXPECT_EQ(outcome.errors,
            "4 errors: (1) p.a: must be even, got 1 (2) p.b: must be true or false, got 2 (3) p.a: "
            "must be true or false, got 1 (4) p.z: unknown field; allowed: b, a");
}

TEST(ConfigReaderTest, OnlyObjectsAreRead) {
  EXPECT_EQ(Reading("[1]", [](ConfigReader&) { return 0; }).errors,
            "p: must be an object, got [1]");
}

TEST(ConfigReaderTest, LongValuesAndKeysAreShortened) {
  EXPECT_EQ(Integer(json{{"n", std::string(100, 'x')}}.dump()).errors,
            "p.n: must be an integer, 2 to 10, got \"" + std::string(63, 'x') + "…");
  EXPECT_EQ(Integer(json{{std::string(100, 'x'), 1}}.dump()).errors,
            "p." + std::string(64, 'x') + "…: unknown field; allowed: n");
}

TEST(ConfigReaderTest, ListsAndMapsOfStrings) {
  const auto strings = [](std::string_view text) {
    return Reading(text, [](ConfigReader& reader) { return reader.Strings("s"); });
  };
  EXPECT_EQ(strings(R"({"s":["a","b"]})").value, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(strings("{}").value, std::vector<std::string>{});
  EXPECT_EQ(strings(R"({"s":["a",1]})").errors, R"(p.s: must be a list of strings, got ["a",1])");
  EXPECT_EQ(strings(R"({"s":{"a":"b"}})").errors,
            R"(p.s: must be a list of strings, got {"a":"b"})");
  const auto map = [](std::string_view text) {
    return Reading(text, [](ConfigReader& reader) { return reader.StringMap("m"); });
  };
  EXPECT_EQ(map(R"({"m":{"a":"b"}})").value, (std::map<std::string, std::string>{{"a", "b"}}));
  EXPECT_EQ(map(R"({"m":{"a":1}})").errors, R"(p.m: must be an object of strings, got {"a":1})");
  EXPECT_EQ(map(R"({"m":["a"]})").errors, R"(p.m: must be an object of strings, got ["a"])");
}

TEST(ConfigReaderTest, ListsOfObjects) {
  const auto sum = [](std::string_view text) {
    return Reading(text, [](ConfigReader& reader) {
      std::int64_t total = 0;
      reader.Objects("o", [&](ConfigReader& inner) {
        total += inner.Integer("n", {.otherwise = 1, .least = 0, .most = 9});
      });
      return total;
    });
  };
  EXPECT_EQ(sum(R"({"o":[{"n":2},{},{"n":3}]})").value, 6);
  EXPECT_EQ(sum("{}").value, 0);
  EXPECT_EQ(sum(R"({"o":[{"n":2},{"n":10}]})").errors, "p.o[1].n: must be 0 to 9, got 10");
  EXPECT_EQ(sum(R"({"o":[{"m":2}]})").errors, "p.o[0].m: unknown field; allowed: n");
  EXPECT_EQ(sum(R"({"o":[7]})").errors, "p.o[0]: must be an object, got 7");
  EXPECT_EQ(sum(R"({"o":{}})").errors, "p.o: must be a list of objects, got {}");
}

TEST(ConfigReaderTest, ObjectsInObjects) {
  const auto inner = [](std::string_view text) {
    return Reading(text, [](ConfigReader& reader) {
      std::int64_t number = -1;
      reader.Object("o", [&](ConfigReader& object) {
        number = object.Integer("n", {.otherwise = 1, .least = 0, .most = 9});
      });
      return number;
    });
  };
  EXPECT_EQ(inner(R"({"o":{"n":3}})").value, 3);
  EXPECT_EQ(inner(R"({"o":{}})").value, 1);
  EXPECT_EQ(inner("{}").value, -1) << "nothing is read where nothing is";
  EXPECT_EQ(inner("{}").errors, "");
  EXPECT_EQ(inner(R"({"o":{"n":10}})").errors, "p.o.n: must be 0 to 9, got 10");
  EXPECT_EQ(inner(R"({"o":{"m":1}})").errors, "p.o.m: unknown field; allowed: n");
  EXPECT_EQ(inner(R"({"o":[]})").errors, "p.o: must be an object, got []");
  EXPECT_EQ(inner(R"({"o":null})").errors, "p.o: must be an object, got null");
  EXPECT_EQ(inner(R"({"q":{}})").errors, "p.q: unknown field; allowed: o");
}

TEST(ConfigReaderTest, AsksWhetherAFieldIsThere) {
  const auto has = [](std::string_view text) {
    return Reading(text, [](ConfigReader& reader) { return reader.Has("n"); });
  };
  EXPECT_TRUE(has(R"({"n":1})").value);
  EXPECT_TRUE(has(R"({"n":null})").value);
  EXPECT_FALSE(has("{}").value);
  EXPECT_EQ(has(R"({"n":1})").errors, "") << "it is known then";
  EXPECT_EQ(has(R"({"other":1})").errors, "p.other: unknown field; allowed: n");
}

TEST(ConfigReaderTest, DescribesWhatABuilderReads) {
  class Reader final : public PickerBuilder {
    std::shared_ptr<const PickerBuilder> Configure(ConfigReader& config) const override {
      constexpr std::string_view kColours[] = {"red", "blue"};
      config.Integer("count", {.otherwise = 2, .least = 2, .most = 10});
      config.Number("factor", {.otherwise = 1.4, .least = 1, .most = 100});
      config.Bool("strict", true);
      config.String("header", "");
      config.Choice("colour", kColours, 1);
      config.Duration("window", {.otherwise = milliseconds(60'000),
                                 .least = milliseconds(1),
                                 .most = milliseconds(90'500)});
      config.Objects("parts", [](ConfigReader& part) { part.Strings("keys"); });
      config.Object("limits", [](ConfigReader& limits) { limits.Bool("hard", false); });
      config.Child("child", "random");
      return nullptr;
    }
    std::unique_ptr<const Picker> Build(EndpointGroup) const override { return nullptr; }
  };
  std::string description;
  for (const auto& parameter : balance::DescribeParameters(Reader())) {
    description += parameter.name + " = " + parameter.otherwise + ": " + parameter.allowed + "\n";
  }
  EXPECT_EQ(description,
            "count = 2: integer, 2 to 10\n"
            "factor = 1.4: number, 1.0 to 100.0\n"
            "strict = true: true or false\n"
            "header = \"\": string\n"
            "colour = \"blue\": one of red, blue\n"
            "window = \"60s\": duration, 0.001s to 90.5s\n"
            "parts = []: list of objects\n"
            "parts[].keys = []: list of strings\n"
            "limits = {}: object\n"
            "limits.hard = false: true or false\n"
            "child = [{\"random\":{}}]: list of pickers\n");
}

}  // namespace
}  // namespace turnout
